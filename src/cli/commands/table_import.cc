#include <memory>

#include "cli/table_commands.h"
#include "workflow/import_table.h"
#include "workflow/table_facts.h"

namespace hedge::cli {
namespace {

struct Flags {
  workflow::TableImport options;
  std::string base_names, global_names, class_names, out;
  std::optional<double> price;
  std::string currency;
};

Status run(const Flags& flags, Context& context) {
  auto options = flags.options;
  options.base.class_names = flags.base_names;
  options.global.class_names = flags.global_names;
  options.class_names = flags.class_names;
  options.out = flags.out;
  if (flags.price) options.price = routing::Price{.per_query = *flags.price};
  if (flags.price && !flags.currency.empty()) options.price->currency = flags.currency;
  HEDGE_TRY(const auto table, workflow::import_table(options, context.run()));
  auto json = workflow::to_json(workflow::describe_table(table));
  json.erase("class_names");
  json["table"] = flags.out;
  std::printf("%s\n", json.dump().c_str());
  return {};
}

/// The flags of one model; `role` is "base" or "global".
void add_model(CLI::App& app, const std::string& role, workflow::GivenModel& model, std::string& names) {
  const auto flag = [&](const char* name) { return "--" + role + "-" + name; };
  const auto what = [&](const char* text) { return "the " + role + "'s " + text; };
  const auto group = "Predictions of the " + role;
  const auto add = [&](const char* name, auto& value, const std::string& help) {
    return app.add_option(flag(name), value, help)->group(group);
  };
  add("logits", model.logits, what("logits, [images, classes]; log-probabilities are logits too"));
  add("probabilities", model.probabilities, "instead: its probabilities, [images, classes], each row summing to 1");
  add("top-classes", model.top_classes, "instead: its most probable classes, [images, k] or [images], as numbers or names; with");
  add("top-probabilities", model.top_probabilities,
      "their probabilities, of the same shape; the rest of the mass is spread evenly over the other classes");
  add("ids", model.ids,
      "what the image of each row is called. Default: a column or array called id, ids, image_id, image, path, file or filename beside the "
      "predictions; \"none\": the rows are in the order of the labels");
  add("class-names", names, "names of its outputs, where they are in another order than --class-names or more");
  add("name", model.name,
      "what it is called; tables imported with the same name are of the same model. Default: a name made of its predictions, so that "
      "tables "
      "imported one by one do not go together");
  add("macs", model.macs, "multiply-accumulates per image, for the report; 0: not known")->check(CLI::NonNegativeNumber);
  add("parameters", model.parameters, "number of weights, for the report; 0: not known")->check(CLI::NonNegativeNumber);
}

void add_images(CLI::App& app, Flags& f) {
  auto& o = f.options;
  app.add_option("--labels", o.labels, "the true classes, [images], as numbers or names")->required();
  app.add_option("--ids", o.ids, "what the image of each label is called; as --base-ids");
  app.add_flag("--common", o.common, "keep the images that labels, base and global all have; without it a missing one is an error");
  app.add_option(
      "--features", o.features,
      "features for fitted routers, [images, features], in the base's rows; \"answer\": the class that the base answers, which routers "
      "do not see otherwise");
  app.add_option("--groups", o.groups,
                 "images with equal entries depend on each other (one patient, one track), [images], in the labels' rows");
  app.add_option("--class-names", f.class_names, "file with the names of the classes in their order (docs/formats/class_names.md)");
  app.add_option("--classes", o.classes, "number of classes. Default: as the names, logits or probabilities say, else the largest class")
      ->check(CLI::Range(2, 1 << 20));
  app.add_option("--first-class", o.first_class, "number of the first class in the files: 0 or 1")
      ->capture_default_str()
      ->check(CLI::Range(0, 1));
  app.add_option("--dataset", o.dataset,
                 "what the images are called; the same id of the same data set is the same image. Default: the labels' file and content");
  app.add_option("--split", o.split, "which split the images are: train (the models were trained on them), calibration, test or all")
      ->capture_default_str()
      ->check(CLI::IsMember({"train", "calibration", "test", "all"}));
}

}  // namespace

void add_table_import(CLI::App& table, Context& context) {
  auto* app = table.add_subcommand(
      "import",
      "make a table of predictions that were made elsewhere (docs/bringing.md). Each FILE is .npy, .npz, safetensors or CSV; FILE:NAME is "
      "an "
      "array or column of it, FILE:A,B several columns, FILE:PREFIX* all that begin so, FILE:#1 the first column of a CSV without names");
  auto f = std::make_shared<Flags>();  // shared with the callback, which outlives this function
  add_model(*app, "base", f->options.base, f->base_names);
  add_model(*app, "global", f->options.global, f->global_names);
  add_images(*app, *f);
  app->add_option("--price-per-query", f->price, "money that asking the global for one image costs; reports and plans then tell the price")
      ->check(CLI::PositiveNumber);
  app->add_option("--currency", f->currency, "currency of that price, as it is shown. Default: USD");
  app->add_option("--out", f->out, "file for the table (safetensors)")->required();
  app->callback([f, &context] { context.chosen = [f, &context] { return run(*f, context); }; });
}

}  // namespace hedge::cli

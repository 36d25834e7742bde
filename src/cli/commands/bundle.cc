#include <memory>
#include <tuple>

#include "cli/commands.h"
#include "core/file.h"
#include "core/json.h"
#include "edge/bundle.h"
#include "hedge/open_model.h"
#include "model/class_map.h"
#include "workflow/routers.h"

namespace hedge::cli {
namespace {

struct Flags {
  std::string base, fitted, global, out, name = "global";
  std::string labels, base_labels, global_labels, base_recipe, global_recipe;
  bool strict = false;
};

Status check_global(const model::ModelCard& global, const routing::Policy& policy) {
  if (global.sha256 == policy.global_sha256) return {};
  return Error{.code = ErrorCode::kMismatch,
               .what = "the policy was calibrated with another global",
               .where = global.path.string(),
               .got = global.sha256,
               .expected = policy.global_sha256,
               .hint = "bundle the global that \"hedge predict\" judged, or fit again with this one"};
}

/// A bundle holds its base in one file.
Status check_base(const model::ModelCard& base) {
  const bool onnx = base.format == model::Format::kOnnx;
  if (onnx && base.weight_files.empty()) return {};
  return Error{.code = ErrorCode::kUnsupported,
               .what = onnx ? "a bundle holds its base in one file, and this one has weights in others" : "a bundle holds its base as ONNX",
               .where = base.path.string(),
               .got = onnx ? base.weight_files.front() : to_string(base.format),
               .expected = onnx ? "a file with its weights in it" : "a file named .onnx",
               .hint = "fit and bundle with such a file of the model"};
}

Result<model::OpenedModel> open(const std::string& path, model::CardOptions card, Context& context) {
  card.log = context.console.log();
  return model::open_model(path, {.card = std::move(card)});
}

Result<model::ClassMap> map_classes(const Flags& flags, const model::ModelCard& base, const model::ModelCard& global, Console& console) {
  HEDGE_TRY(auto map, model::map_outputs(model::classes_of(base), model::classes_of(global)));
  if (flags.strict) HEDGE_CHECK(model::check_by_name(map));
  for (const auto& note : map.notes) console.say("hedge: " + note);
  return map;
}

Status run(const Flags& flags, Context& context) {
  const auto labels = [&flags](const std::string& own) { return own.empty() ? flags.labels : own; };
  HEDGE_TRY(auto fitted, workflow::read_fitted(flags.fitted));
  const auto features = fitted.policy.features;
  HEDGE_TRY(const auto opened,
            open(flags.base, {.recipe = flags.base_recipe, .labels = labels(flags.base_labels), .features = features}, context));
  HEDGE_TRY(const auto asked, open(flags.global, {.recipe = flags.global_recipe, .labels = labels(flags.global_labels)}, context));
  const auto& [base, global] = std::tie(opened.card, asked.card);
  HEDGE_CHECK(check_base(base));
  HEDGE_CHECK(check_global(global, fitted.policy));
  HEDGE_TRY(auto map, map_classes(flags, base, global, context.console));
  HEDGE_TRY(auto base_bytes, read_file(flags.base));
  edge::BundleParts parts{.created_by = "hedge " HEDGE_VERSION,
                          .base_onnx = std::move(base_bytes),
                          .router_onnx = std::move(fitted.router_onnx),
                          .policy = std::move(fitted.policy),
                          .labels = std::move(map.names),
                          .base = {.preprocess = *base.input.recipe,
                                   .features = features,
                                   .macs = base.macs,
                                   .outputs = base.output.classes,
                                   .columns = std::move(map.base_columns)},
                          .router_macs = fitted.macs,
                          .global = {.name = flags.name,
                                     .preprocess = *global.input.recipe,
                                     .macs = global.macs,
                                     .sha256 = global.sha256,
                                     .outputs = global.output.classes,
                                     .columns = std::move(map.global_columns)},
                          .classes_by = map.decided == model::Decided::kByName ? edge::ClassesBy::kName : edge::ClassesBy::kPosition,
                          .class_notes = std::move(map.notes)};
  std::vector<std::string> notes;  // said already
  HEDGE_TRY(parts.global.classes, model::names_by_output(model::classes_of(global), "global", notes));
  HEDGE_CHECK(edge::write_bundle(flags.out, parts));
  const Json json = {{"bundle", flags.out},
                     {"threshold", parts.policy.chosen.threshold},
                     {"global", flags.name},
                     {"classes_by", edge::to_string(parts.classes_by)}};
  std::printf("%s\n", json.dump().c_str());
  return {};
}

}  // namespace

void add_bundle(CLI::App& root, Context& context) {
  auto* app = root.add_subcommand("bundle", "pack base, router and policy for a device, checked by hashes");
  auto f = std::make_shared<Flags>();  // shared with the callback, which outlives this function
  app->add_option("--base", f->base, "the device's model (.onnx)")->required();
  app->add_option("--hybrid", f->fitted, "the folder that \"hedge fit\" wrote")->required();
  app->add_option("--global", f->global, "the cloud's model: it says how the device must cut its images, and which output is which class")
      ->required();
  app->add_option("--global-name", f->name, "the name that the cloud serves it under")->capture_default_str();
  app->add_option("--out", f->out, "the bundle's folder")->required();
  app->add_option("--labels", f->labels,
                  "names of both models' outputs, a line each (or JSON); default: MODEL.hedge.json, else the metadata");
  app->add_option("--base-labels", f->base_labels, "the same for the base alone");
  app->add_option("--global-labels", f->global_labels, "the same for the global alone, where it has another order");
  app->add_option("--base-recipe", f->base_recipe,
                  "how the base's images are prepared: a JSON file, or e.g. resize=256,crop=224,mean=imagenet,std=imagenet; default: "
                  "MODEL.hedge.json, else the metadata");
  app->add_option("--global-recipe", f->global_recipe, "the same for the global");
  app->add_flag("--strict", f->strict, "refuse models whose classes are matched by position because one of them does not name its outputs");
  app->callback([f, &context] { context.chosen = [f, &context] { return run(*f, context); }; });
}

}  // namespace hedge::cli

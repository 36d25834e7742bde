#include <memory>

#include "cli/commands.h"
#include "cli/form_flags.h"
#include "core/json.h"
#include "workflow/bundle.h"

namespace hedge::cli {
namespace {

struct Flags {
  workflow::BundleOptions bundle;
  std::string labels;  ///< of both models
  FormFlags form, base_form, global_form;
  std::vector<std::string> also_globals, also_tables;
};

Status add_versions(const Flags& flags, workflow::BundleOptions& options) {
  if (flags.also_globals.size() != flags.also_tables.size())
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "each --also-global needs its --also-table, in the same order",
                 .got = std::to_string(flags.also_globals.size()) + " and " + std::to_string(flags.also_tables.size())};
  for (std::size_t i = 0; i < flags.also_globals.size(); ++i)
    options.also.push_back({.model = {.path = flags.also_globals[i]}, .table = flags.also_tables[i]});
  return {};
}

Json accepted_json(const std::vector<routing::AcceptedGlobal>& globals) {
  Json list = Json::array();
  for (const auto& global : globals)
    list.push_back({{"sha256", global.sha256}, {"images", global.images}, {"coverage", global.coverage}, {"accuracy", global.accuracy}});
  return list;
}

Status run(const Flags& flags, Context& context) {
  auto options = flags.bundle;
  for (auto* model : {&options.base, &options.global})
    if (model->labels.empty()) model->labels = flags.labels;
  apply(flags.base_form, flags.form, options.base);
  apply(flags.global_form, flags.form, options.global);
  HEDGE_CHECK(add_versions(flags, options));
  HEDGE_TRY(const auto bundled, workflow::bundle(options, context.run()));
  const Json json = {{"bundle", options.out.string()}, {"threshold", bundled.threshold},
                     {"global", options.global_name},  {"classes_by", edge::to_string(bundled.classes_by)},
                     {"handshake", bundled.handshake}, {"accepted_globals", accepted_json(bundled.accepted)}};
  std::printf("%s\n", json.dump().c_str());
  return {};
}

}  // namespace

void add_bundle(CLI::App& root, Context& context) {
  auto* app = root.add_subcommand("bundle", "pack base, router and policy into a folder for the device, checked by hashes");
  auto f = std::make_shared<Flags>();  // shared with the callback, which outlives this function
  auto& o = f->bundle;
  app->add_option("--base", o.base.path, "the device's model (.onnx)")->required();
  app->add_option("--hybrid", o.fitted, "folder that \"hedge fit\" wrote")->required();
  app->add_option("--global", o.global.path,
                  "the cloud's model; it tells how the device must prepare the images that it sends, and which output is which class")
      ->required();
  app->add_option("--global-name", o.global_name, "name that the cloud serves the model under")->capture_default_str();
  app->add_option("--out", o.out, "folder for the bundle")->required();
  app->add_option(
      "--labels", f->labels,
      "file with the class names of both models' outputs, a line each (or JSON). Default: what \"hedge predict\" used, which other names "
      "may not contradict");
  app->add_option("--base-labels", o.base.labels, "file with the class names of the base's outputs, where they differ from --labels");
  app->add_option("--global-labels", o.global.labels, "file with the class names of the global's outputs, where they differ from --labels");
  app->add_option("--base-recipe", o.base.recipe,
                  "how images are prepared for the base: a JSON file, or e.g. resize=256,crop=224,mean=imagenet,std=imagenet. Default: "
                  "MODEL.hedge.json, else the metadata");
  app->add_option("--global-recipe", o.global.recipe, "how images are prepared for the global; as --base-recipe");
  f->form.add(*app, "", "both models");
  f->base_form.add(*app, "base-", "the base");
  f->global_form.add(*app, "global-", "the global");
  app->add_option(
      "--data", o.data,
      "labelled images, on which both models are run as they will be packed, and of which 16 go into the bundle with the global's "
      "answers: by these the device knows the global at a server that does not say which model it serves. Default: the calibration "
      "images, where they can still be opened");
  app->add_option(
      "--also-global", f->also_globals,
      "a new version of the global that the cloud may serve instead, so that it can be rolled out while devices run; may be given "
      "several times, each with --also-table");
  app->add_option(
      "--also-table", f->also_tables,
      "prediction table of the same base and that version, on images that the router was not fitted on; its figures go into the "
      "bundle's policy");
  app->add_flag("--accept-risk", o.accept_risk, "pack models that look wrong on these images all the same; the bundle's policy records it");
  app->add_flag("--strict", o.strict,
                "refuse models whose classes can only be matched by position because one of them does not name its outputs");
  app->callback([f, &context] { context.chosen = [f, &context] { return run(*f, context); }; });
}

}  // namespace hedge::cli

#include <memory>

#include "cli/commands.h"
#include "core/json.h"
#include "workflow/bundle.h"

namespace hedge::cli {
namespace {

struct Flags {
  workflow::BundleOptions bundle;
  std::string labels;  ///< of both models
};

Status run(const Flags& flags, Context& context) {
  auto options = flags.bundle;
  for (auto* model : {&options.base, &options.global})
    if (model->labels.empty()) model->labels = flags.labels;
  HEDGE_TRY(const auto bundled, workflow::bundle(options, context.run()));
  const Json json = {{"bundle", options.out.string()},
                     {"threshold", bundled.threshold},
                     {"global", options.global_name},
                     {"classes_by", edge::to_string(bundled.classes_by)}};
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
  app->add_option("--labels", f->labels,
                  "file with the class names of both models' outputs, a line each (or JSON). Default: MODEL.hedge.json, else the metadata");
  app->add_option("--base-labels", o.base.labels, "file with the class names of the base's outputs, where they differ from --labels");
  app->add_option("--global-labels", o.global.labels, "file with the class names of the global's outputs, where they differ from --labels");
  app->add_option("--base-recipe", o.base.recipe,
                  "how images are prepared for the base: a JSON file, or e.g. resize=256,crop=224,mean=imagenet,std=imagenet. Default: "
                  "MODEL.hedge.json, else the metadata");
  app->add_option("--global-recipe", o.global.recipe, "how images are prepared for the global; as --base-recipe");
  app->add_option("--data", o.data,
                  "labelled images to run both models on before they are packed. Default: the calibration split, where it can be opened");
  app->add_flag("--accept-risk", o.accept_risk, "pack models that look wrong on these images all the same; the bundle's policy records it");
  app->add_flag("--strict", o.strict,
                "refuse models whose classes can only be matched by position because one of them does not name its outputs");
  app->callback([f, &context] { context.chosen = [f, &context] { return run(*f, context); }; });
}

}  // namespace hedge::cli

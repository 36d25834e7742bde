#include "cli/pair_flags.h"

namespace hedge::cli {

void PairFlags::add(CLI::App& app, bool required) {
  auto* device = app.add_option("--base", base, "the device's model (.onnx, .tflite, .xml)");
  if (required) device->required();
  app.add_option("--global", global, "the cloud's model; without it the base can only answer or abstain");
  app.add_option("--base-recipe", base_recipe,
                 "how images are prepared for the base: a JSON file, or e.g. resize=256,crop=224,mean=imagenet,std=imagenet. Default: "
                 "MODEL.hedge.json, else the metadata");
  app.add_option("--global-recipe", global_recipe, "how images are prepared for the global; as --base-recipe");
  app.add_option("--labels", labels,
                 "file with the class names of both models' outputs, a line each (or JSON), spelled as the data set's; the name of a "
                 "background output in front may be left out");
  app.add_option("--base-labels", base_labels, "file with the class names of the base's outputs, where they differ from --labels");
  app.add_option("--global-labels", global_labels, "file with the class names of the global's outputs, where they differ from --labels");
  form.add(app, "", "both models");
  base_form.add(app, "base-", "the base");
  global_form.add(app, "global-", "the global");
  app.add_option("--features", features, "name of the base's penultimate tensor, which routers read; auto: find it")->capture_default_str();
  app.add_flag(
      "--accept-risk", accept_risk,
      "go on where a model looks wrong on these images (not above chance, another recipe clearly better; see hedge check) instead of "
      "ending with exit code 13; tables, policy and report record it");
  app.add_option(
      "--cache", cache,
      "folder that keeps predictions, so that a stopped run continues; none: keep nothing. Default: \"predictions\" beside the output");
}

workflow::PairOptions PairFlags::options(const std::filesystem::path& folder) const {
  const auto labels_of = [this](const std::string& own) { return own.empty() ? labels : own; };
  workflow::PairOptions pair;
  pair.base = {.path = base, .recipe = base_recipe, .labels = labels_of(base_labels), .features = features};
  if (!global.empty()) pair.global = {.path = global, .recipe = global_recipe, .labels = labels_of(global_labels)};
  apply(base_form, form, pair.base);
  apply(global_form, form, pair.global);
  pair.accept_risk = accept_risk;
  if (cache != "none") pair.cache = cache.empty() ? folder / "predictions" : std::filesystem::path(cache);
  return pair;
}

}  // namespace hedge::cli

#include "cli/pair_flags.h"

namespace hedge::cli {

void PairFlags::add(CLI::App& app, bool required) {
  auto* device = app.add_option("--base", base, "the device's model (.onnx, .tflite, .xml)");
  if (required) device->required();
  app.add_option("--global", global, "the cloud's model; without it everything is for abstaining only");
  app.add_option("--base-recipe", base_recipe,
                 "how the base's images are prepared: a JSON file, or e.g. resize=256,crop=224,mean=imagenet,std=imagenet; default: its "
                 "metadata or MODEL.hedge.json");
  app.add_option("--global-recipe", global_recipe, "the same for the global");
  app.add_option(
      "--labels", labels,
      "names of both models' outputs, a line each (or JSON), as the data set calls its classes; a background output first may be left out");
  app.add_option("--base-labels", base_labels, "the same for the base alone");
  app.add_option("--global-labels", global_labels, "the same for the global alone, where it has another order");
  app.add_option("--features", features, "the base's penultimate tensor by name; auto finds it")->capture_default_str();
  app.add_option("--cache", cache,
                 "folder that keeps predictions, so that a killed run goes on; none: nowhere; default: \"predictions\" beside the output");
}

workflow::PairOptions PairFlags::options(const std::filesystem::path& folder) const {
  const auto labels_of = [this](const std::string& own) { return own.empty() ? labels : own; };
  workflow::PairOptions pair;
  pair.base = {.path = base, .recipe = base_recipe, .labels = labels_of(base_labels), .features = features};
  if (!global.empty()) pair.global = {.path = global, .recipe = global_recipe, .labels = labels_of(global_labels)};
  if (cache != "none") pair.cache = cache.empty() ? folder / "predictions" : std::filesystem::path(cache);
  return pair;
}

}  // namespace hedge::cli

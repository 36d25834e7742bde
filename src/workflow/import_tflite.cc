#include "workflow/import_tflite.h"

#include <algorithm>

#include "codegen/lower.h"
#include "codegen/tflite.h"
#include "graph/onnx/onnx_io.h"
#include "hedge/model.h"
#include "model/metadata.h"

namespace hedge::workflow {
namespace {

constexpr double kSlack = 0.1;  // of what the input holds: rounding of scale and recipe, no other mean and std

ValueRange held_by(const codegen::Activation& input) {
  const auto real = [&](int q) { return static_cast<double>(input.scale) * (q - input.zero_point); };
  return {.low = real(-128), .high = real(127)};
}

ValueRange made_by(const data::Preprocess& recipe) {
  const auto& [mean, std] = recipe.normalization;
  ValueRange made;
  for (std::size_t c = 0; c < mean.size(); ++c) {
    made.low = std::min(made.low, static_cast<double>((0 - mean[c]) / std[c]));
    made.high = std::max(made.high, static_cast<double>((1 - mean[c]) / std[c]));
  }
  return made;
}

}  // namespace

Result<Imported> import_tflite(const ImportOptions& options) {
  HEDGE_TRY(auto graph, codegen::read_tflite(options.model));
  HEDGE_TRY(const auto card, model::read_card(options.model, {.recipe = options.recipe, .labels = options.labels}));
  model::write_metadata(card, graph);
  HEDGE_TRY(const auto network, codegen::lower(graph));
  HEDGE_CHECK(graph::write_onnx(options.out, graph));
  Imported imported{.layers = network.layers.size(), .held = held_by(network.activations[network.input])};
  for (const auto& layer : network.layers) imported.macs += layer.macs;
  if (!card.input.recipe) return imported;
  imported.made = made_by(*card.input.recipe);
  const double slack = kSlack * (imported.held.high - imported.held.low);
  imported.cut_off = imported.made->low < imported.held.low - slack || imported.made->high > imported.held.high + slack;
  return imported;
}

}  // namespace hedge::workflow

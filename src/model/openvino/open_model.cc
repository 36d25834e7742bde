#include "hedge/open_model.h"

#include <optional>

#include "hedge/normalization.h"
#include "infer/openvino/openvino_executor.h"

namespace hedge::model {
namespace {

/// What the file does not say and the runner knows.
void take_runner(const Executor& executor, ModelCard& card) {
  for (const auto& output : executor.outputs())
    if (output.name == "logits" && output.shape.size() == 2 && output.shape[1] > 0) card.output.classes = output.shape[1];
  if (card.output.name.empty() && !executor.outputs().empty()) card.output.name = executor.outputs().front().name;
  if (card.input.name.empty() && !executor.inputs().empty()) card.input.name = executor.inputs().front().name;
}

}  // namespace

Result<OpenedModel> open_model(const std::filesystem::path& path, const OpenModelOptions& options) {
  OpenedModel model;
  HEDGE_TRY(model.card, read_card(path, options.card));
  std::optional<Normalization> normalization;
  if (!options.own_input && (model.card.input.recipe || !options.without_recipe)) {
    HEDGE_TRY(const auto recipe, required_recipe(model.card));
    normalization = recipe.normalization;
  }
  HEDGE_TRY(model.executor, infer::open_openvino(path, {.throughput = options.throughput,
                                                        .threads = options.threads,
                                                        .normalization = std::move(normalization),
                                                        .features = model.card.features}));
  take_runner(*model.executor, model.card);
  return model;
}

}  // namespace hedge::model

#include "workflow/internal/trainable.h"

#include <utility>

#include "data/spec.h"
#include "hedge/model.h"
#include "model/metadata.h"
#include "model/model_graph.h"
#include "workflow/internal/card_options.h"

namespace hedge::workflow::internal {

Result<Trainable> read_trainable(const ModelOptions& options, const std::string& hint) {
  Trainable model;
  HEDGE_TRY(auto read, model::read_model_graph(options.path, card_options(options, {})));
  const auto& card = read.card;
  model.graph = std::move(read.graph);
  HEDGE_TRY(model.recipe, model::required_recipe(card, hint));
  model::write_metadata(card, model.graph);  // what a sidecar says goes into the trained file
  return model;
}

Result<data::Opened> open_training_images(const std::string& spec, bool strict, const RunContext& context) {
  HEDGE_TRY(auto parsed, data::parse_spec(spec));
  if (parsed.split == data::Split::kAll) parsed.split = data::Split::kTrain;
  return data::open_dataset(data::to_string(parsed), {.strict = strict, .log = context.log});
}

void note_training(graph::Graph& graph, const data::Dataset& dataset) {
  graph.metadata[graph::kTrainedOnKey] = dataset.spec();
  graph.metadata[graph::kTrainedOnHashKey] = dataset.content_hash();
}

train::TrainHooks hooks_of(const RunContext& context) {
  return {.progress = context.progress, .log = context.log, .should_stop = context.should_stop};
}

}  // namespace hedge::workflow::internal

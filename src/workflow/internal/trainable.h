#pragma once

#include <filesystem>
#include <string>

#include "graph/graph.h"
#include "hedge/dataset.h"
#include "hedge/preprocess.h"
#include "hedge/result.h"
#include "hedge/workflow.h"
#include "train/trainer.h"

namespace hedge::workflow::internal {

/// A trained network and how its images are prepared.
struct Trainable {
  graph::Graph graph;
  data::Preprocess recipe;
};
/// Errors: those of model::read_model_graph; kNotFound where neither `options`, a sidecar nor the model says how its images are prepared;
/// `hint`: what to do then.
Result<Trainable> read_trainable(const ModelOptions& options,
                                 const std::string& hint = "train it with \"hedge train\", or write a sidecar (docs/formats/model.md)");

/// The images of `spec`; of a specification without a split the train split, since the others are for judging.
/// Errors: those of parse_spec and open_dataset.
Result<data::Opened> open_training_images(const std::string& spec, bool strict, const RunContext& context);

/// Writes in the model's metadata what it was trained on.
void note_training(graph::Graph& graph, const data::Dataset& dataset);

train::TrainHooks hooks_of(const RunContext& context);

}  // namespace hedge::workflow::internal

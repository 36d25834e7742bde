#pragma once

#include <filesystem>
#include <string>

#include "graph/graph.h"
#include "hedge/dataset.h"
#include "hedge/preprocess.h"
#include "hedge/result.h"
#include "train/trainer.h"
#include "hedge/workflow.h"

namespace hedge::workflow::internal {

/// A trained network and how its images are prepared.
struct Trainable {
  graph::Graph graph;
  data::Preprocess recipe;
};
/// Errors: those of read_onnx; kNotFound where the model has no recipe; those of Preprocess::from_json.
Result<Trainable> read_trainable(const std::filesystem::path& path);

/// The images of `spec`; of a specification without a split the train split, since the others are for judging.
/// Errors: those of parse_spec and open_dataset.
Result<data::Opened> open_training_images(const std::string& spec, bool strict, const RunContext& context);

/// Writes in the model's metadata what it was trained on.
void note_training(graph::Graph& graph, const data::Dataset& dataset);

train::TrainHooks hooks_of(const RunContext& context);

}  // namespace hedge::workflow::internal

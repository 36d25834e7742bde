#pragma once

#include <string>

#include "graph/graph.h"
#include "hedge/dataset.h"
#include "hedge/preprocess.h"
#include "train/trainer.h"

namespace hedge::train {

/// SHA-256 of everything that must be equal for a resumption to continue the same run: initial weights, the graph's structure, the
/// images, the recipe, the objective, and each option that changes the result.
std::string fingerprint_of(const graph::Graph& graph, const data::Dataset& dataset, const data::Preprocess& recipe,
                           const TrainOptions& options, const Objective& objective = {});

}  // namespace hedge::train

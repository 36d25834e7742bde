#pragma once

#include "graph/graph.h"
#include "hedge/dataset.h"
#include "hedge/log.h"
#include "hedge/predictions.h"
#include "hedge/preprocess.h"
#include "hedge/result.h"

namespace hedge::workflow::internal {

/// A network in memory, and how its images are prepared; borrowed.
struct GraphModel {
  const graph::Graph& graph;
  const data::Preprocess& recipe;
};

/// Base and global on every image of a data set, in its order, by OpenVINO. threads 0: as many as it likes.
/// Errors: those of the executors and of eval::predict.
Result<routing::PredictionTable> predict_graphs(const GraphModel& base, const GraphModel& global, const data::Dataset& dataset, int threads,
                                                const ProgressSink& progress);

}  // namespace hedge::workflow::internal

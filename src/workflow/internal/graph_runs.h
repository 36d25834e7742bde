#pragma once

#include <filesystem>

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

struct GraphRunOptions {
  int threads = 0;              ///< 0: as many as OpenVINO likes
  std::filesystem::path cache;  ///< keeps each network's predictions (docs/formats/prediction_cache.md); empty: nothing does
  ProgressSink progress;
};

/// Base and global on every image of a data set, in its order, by OpenVINO. Errors: those of the executors and of eval::predict.
Result<routing::PredictionTable> predict_graphs(const GraphModel& base, const GraphModel& global, const data::Dataset& dataset,
                                                const GraphRunOptions& options);

}  // namespace hedge::workflow::internal

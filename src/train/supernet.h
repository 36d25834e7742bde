#pragma once

#include <cstdint>

#include "graph/graph.h"
#include "graph/once_for_all.h"
#include "hedge/dataset.h"
#include "hedge/preprocess.h"
#include "hedge/result.h"
#include "train/trainer.h"

namespace hedge::train {

/// One network of a supernet as a network of its own, with the supernet's metadata but kSupernetKey. Its running statistics are leading
/// parts of the supernet's and fit it badly: recalibrate() it before it is judged.
/// Errors: those of graph::supernet_of and graph::build_zoo; kMismatch: it is larger than the supernet somewhere (named).
Result<graph::Graph> sub_network(const graph::Graph& supernet, const graph::OfaNetwork& network);

/// Computes the running statistics of all batch normalisations anew: their mean over batches of `images` images of `dataset`, not
/// augmented, drawn by `options.seed`. Weights stay.
/// Errors: kBadData (no image can be decoded), kCancelled, those of the loader.
Result<graph::Graph> recalibrate(graph::Graph graph, const data::Dataset& dataset, const data::Preprocess& recipe,
                                 const TrainOptions& options, std::int64_t images = 2000, const TrainHooks& hooks = {});

}  // namespace hedge::train

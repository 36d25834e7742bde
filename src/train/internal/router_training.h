#pragma once

#include <torch/torch.h>

#include "hedge/log.h"
#include "train/internal/trainable_graph.h"
#include "train/router_fit.h"

namespace hedge::train::internal {

/// What came of a training.
struct RouterTraining {
  double loss = 0;    ///< mean of the last epoch
  double lambda = 0;  ///< paper: the coverage penalty's multiplier at the end
  std::int64_t epochs = 0;
};

/// Trains `network` (normalised inputs -> router logits) in place. inputs [N, D] f32; labels [N] i64: gain classes or 0/1 (paper).
/// AdamW, cosine to zero; weights decay, biases and the gain router's straight part do not.
RouterTraining train_router(TrainableGraph& network, const torch::Tensor& inputs, const torch::Tensor& labels,
                            const RouterFitOptions& options, const ProgressSink& progress);

}  // namespace hedge::train::internal

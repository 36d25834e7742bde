#pragma once

#include <torch/torch.h>

#include <vector>

#include "train/internal/trainable_graph.h"
#include "train/trainer.h"

namespace hedge::train::internal {

/// The averaged weights and running statistics of a network in training. `graph` is borrowed. Not thread-safe.
///
/// kEma: after each step average += (1 - d) (weights - average), with d = exp(-1 / (0.03 steps)), lower at the start, as timm's ModelEmaV2
/// with warm-up: min(d, (1 + step) / (10 + step)). kLookahead: after every fifth step the same with d = 0.95^5 (share of the run)^3, and
/// the weights go back to the average (airbench94.py).
class Average {
 public:
  Average(Averaging kind, const TrainableGraph& graph);

  /// After step number `step` (from 0) of `steps` in the run.
  void after_step(std::int64_t step, double steps);
  /// What the average keeps, for a checkpoint; empty without averaging.
  [[nodiscard]] const std::vector<torch::Tensor>& values() const { return values_; }
  /// Puts back what values() gave; nothing: stays as it is. Precondition: as many, of the same shapes.
  void restore(const std::vector<torch::Tensor>& values);
  /// Writes the average into the network, whose training is over.
  void finish() const;

 private:
  void follow(double decay);

  Averaging kind_;
  std::vector<torch::Tensor> live_;  ///< the network's own
  std::vector<torch::Tensor> values_;
};

}  // namespace hedge::train::internal

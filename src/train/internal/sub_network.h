#pragma once

#include <torch/torch.h>

#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/once_for_all.h"
#include "hedge/result.h"
#include "train/internal/trainable_graph.h"

namespace hedge::train::internal {

/// One network of a supernet, planned; its weights are the supernet's. Its const methods are thread-safe.
class SubNetwork {
 public:
  /// Errors: those of graph::build_zoo and TrainableGraph; kMismatch: the supernet has not all of its weights (the first one is named).
  static Result<SubNetwork> create(const graph::Graph& supernet, const graph::OfaNetwork& network);

  /// Its weights and running statistics out of those of `supernet`, by name: leading channels, of larger kernels the centre times the
  /// kernel matrices. Gradients flow into the supernet's parameters; statistics are copies.
  [[nodiscard]] std::map<std::string, torch::Tensor> weights(const TrainableGraph& supernet) const;
  /// Computes the outputs with weights().
  [[nodiscard]] std::vector<torch::Tensor> forward(const TrainableGraph& supernet, const torch::Tensor& images, bool training) const {
    return plan_.forward({images}, training, weights(supernet));
  }
  [[nodiscard]] const graph::Graph& graph() const { return plan_.graph(); }

 private:
  explicit SubNetwork(TrainableGraph plan) : plan_(std::move(plan)) {}

  TrainableGraph plan_;
};

}  // namespace hedge::train::internal

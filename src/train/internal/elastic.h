#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "graph/graph.h"
#include "train/internal/sub_network.h"
#include "train/objective.h"

namespace hedge::train::internal {

/// The networks of a supernet that one step trains.
struct DrawnNetworks {
  std::vector<SubNetwork> networks;  ///< with the sandwich rule those beside the largest one, the smallest first
  std::int64_t side = 0;             ///< of the images; 0: as they are
};

/// For step `draw`, and nothing else. Errors: those of SubNetwork.
Result<DrawnNetworks> draw_networks(const graph::Graph& supernet, const Elastic& elastic, std::uint64_t draw);

/// The mean cross entropy of `logits` with the probabilities that the other logits mean, the sandwich rule's loss.
torch::Tensor follow(const torch::Tensor& logits, const torch::Tensor& taught);

}  // namespace hedge::train::internal

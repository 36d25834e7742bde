#include "train/internal/elastic.h"

#include "core/rng.h"

namespace hedge::train::internal {

Result<DrawnNetworks> draw_networks(const graph::Graph& supernet, const Elastic& elastic, std::uint64_t draw) {
  constexpr std::uint64_t kStream = 0x5AD;
  Rng rng(draw, kStream);
  DrawnNetworks drawn;
  std::vector<graph::OfaNetwork> networks;
  if (elastic.sandwich) networks.push_back(elastic.choices.smallest());
  for (std::int64_t i = 0; i < elastic.random; ++i) networks.push_back(elastic.choices.random(rng));
  for (const auto& network : networks) {
    HEDGE_TRY(auto made, SubNetwork::create(supernet, network));
    drawn.networks.push_back(std::move(made));
  }
  if (!elastic.sides.empty()) drawn.side = elastic.sides[rng.below(elastic.sides.size())];
  return drawn;
}

torch::Tensor follow(const torch::Tensor& logits, const torch::Tensor& taught) {
  const auto probabilities = at::softmax(taught.detach().to(torch::kFloat), 1);
  return -(probabilities * at::log_softmax(logits.to(torch::kFloat), 1)).sum(1).mean();
}

}  // namespace hedge::train::internal

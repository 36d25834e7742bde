#include "train/internal/average.h"

#include <algorithm>
#include <cmath>

namespace hedge::train::internal {

Average::Average(Averaging kind, const TrainableGraph& graph) : kind_(kind) {
  if (kind == Averaging::kNone) return;
  for (const auto* group : {&graph.named_parameters(), &graph.named_buffers()})
    for (const auto& [name, value] : *group) {
      live_.push_back(value.detach());
      values_.push_back(value.detach().clone());
    }
}

void Average::after_step(std::int64_t step, double steps) {
  constexpr double kEmaShare = 0.03;
  constexpr std::int64_t kEvery = 5;
  const auto at = static_cast<double>(step + 1);
  if (kind_ == Averaging::kEma) follow(std::min(std::exp(-1 / std::max(1.0, kEmaShare * steps)), (1 + at) / (10 + at)));
  if (kind_ != Averaging::kLookahead || (step + 1) % kEvery != 0) return;
  follow(std::pow(0.95, kEvery) * std::pow(std::min(1.0, at / steps), 3));
  finish();
}

void Average::follow(double decay) {
  torch::NoGradGuard guard;
  for (std::size_t i = 0; i < live_.size(); ++i) values_[i].lerp_(live_[i], 1 - decay);
}

void Average::restore(const std::vector<torch::Tensor>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) values_[i].copy_(values[i]);
}

void Average::finish() const {
  torch::NoGradGuard guard;
  for (std::size_t i = 0; i < live_.size(); ++i) torch::Tensor(live_[i]).copy_(values_[i]);
}

}  // namespace hedge::train::internal

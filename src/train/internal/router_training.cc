#include "train/internal/router_training.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>
#include <numeric>
#include <string>
#include <utility>

#include "core/clock.h"
#include "core/rng.h"

namespace hedge::train::internal {
namespace {

namespace F = torch::nn::functional;

/// Steps that a router's training takes where the epochs are left to it, and the epochs at least and at most.
constexpr std::int64_t kSteps = 800, kFewestEpochs = 4, kMostEpochs = 40;

/// The loss of one batch. The paper's multiplier lambda rises while a batch's coverage is short of the target, and falls while it is
/// above: dual ascent on the constraint c - mean(1 - r) <= 0.
class Loss {
 public:
  Loss(const RouterFitOptions& options, const torch::Tensor& labels) : options_(options), lambda_(options.coverage_penalty) {
    if (options.kind != RouterKind::kSelectiveQuery) return;
    const double positives = labels.sum().item<double>();
    positive_weight_ = torch::full({1}, (static_cast<double>(labels.numel()) - positives) / positives);
  }
  torch::Tensor operator()(const torch::Tensor& logits, const torch::Tensor& labels) {
    if (options_.kind != RouterKind::kSelectiveQuery) return F::cross_entropy(logits, labels);
    const auto flat = logits.squeeze(1);
    const auto bce = F::binary_cross_entropy_with_logits(flat, labels.to(torch::kFloat),
                                                         F::BinaryCrossEntropyWithLogitsFuncOptions().pos_weight(positive_weight_));
    const auto shortfall = options_.target_coverage - (1.0 - torch::sigmoid(flat)).mean();
    const auto loss = bce + lambda_ * torch::relu(shortfall);
    lambda_ = std::max(0.0, lambda_ + options_.dual_rate * shortfall.item<double>());
    return loss;
  }
  [[nodiscard]] double lambda() const { return options_.kind == RouterKind::kSelectiveQuery ? lambda_ : 0; }

 private:
  const RouterFitOptions& options_;
  double lambda_;
  torch::Tensor positive_weight_;
};

double decay_of(const RouterFitOptions& options) {
  constexpr double kGain = 0.3, kOthers = 0.01;
  return options.weight_decay.value_or(options.kind == RouterKind::kGain ? kGain : kOthers);
}

torch::optim::AdamW make_optimizer(const TrainableGraph& network, const RouterFitOptions& options) {
  std::vector<torch::Tensor> decaying, others;
  for (const auto& [name, parameter] : network.named_parameters()) {
    const bool decays = parameter.dim() > 1 && !name.starts_with(kStraight);
    (decays ? decaying : others).push_back(parameter);
  }
  using Options = torch::optim::AdamWOptions;
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(decaying, std::make_unique<Options>(Options(options.learning_rate).weight_decay(decay_of(options))));
  groups.emplace_back(others, std::make_unique<Options>(Options(options.learning_rate).weight_decay(0)));
  return torch::optim::AdamW(std::move(groups), Options(options.learning_rate));
}

std::int64_t epochs_for(const RouterFitOptions& options, std::int64_t steps) {
  if (options.epochs > 0) return options.epochs;
  return std::clamp((kSteps + steps - 1) / steps, kFewestEpochs, kMostEpochs);
}

}  // namespace

RouterTraining train_router(TrainableGraph& network, const torch::Tensor& inputs, const torch::Tensor& labels,
                            const RouterFitOptions& options, const ProgressSink& progress) {
  auto optimizer = make_optimizer(network, options);
  Loss loss_of(options, labels);
  const std::int64_t rows = inputs.size(0);
  const std::int64_t steps = (rows + options.batch - 1) / options.batch;
  RouterTraining result{.epochs = epochs_for(options, steps)};
  std::vector<std::int64_t> order(static_cast<std::size_t>(rows));
  const SteadyClock clock;
  const auto start = clock.now();
  const auto all = static_cast<double>(result.epochs);
  for (std::int64_t epoch = 0; epoch < result.epochs; ++epoch) {
    std::iota(order.begin(), order.end(), 0);
    Rng(options.seed, static_cast<std::uint64_t>(epoch)).shuffle(std::span<std::int64_t>(order));
    const auto permutation = torch::from_blob(order.data(), {rows}, torch::kLong);
    auto sum = torch::zeros({1});
    for (std::int64_t step = 0; step < steps; ++step) {
      const auto batch = permutation.slice(0, step * options.batch, std::min(rows, (step + 1) * options.batch));
      const double done = (static_cast<double>(epoch) + static_cast<double>(step) / static_cast<double>(steps)) / all;
      const double rate = options.learning_rate * 0.5 * (1.0 + std::cos(std::numbers::pi * done));
      for (auto& group : optimizer.param_groups()) group.options().set_lr(rate);
      optimizer.zero_grad();
      auto loss = loss_of(network.forward({inputs.index_select(0, batch)}, true)[0], labels.index_select(0, batch));
      loss.backward();
      optimizer.step();
      sum += loss.detach() * batch.numel();
    }
    result.loss = sum.item<double>() / static_cast<double>(rows);
    result.lambda = loss_of.lambda();
    if (!progress) continue;
    const auto so_far = static_cast<double>(epoch + 1);
    progress({"fit " + std::string(to_string(options.kind)), so_far, all, seconds_between(start, clock.now()) / so_far * (all - so_far),
              "loss " + std::to_string(result.loss)});
  }
  return result;
}

}  // namespace hedge::train::internal

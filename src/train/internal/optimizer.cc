#include "train/internal/optimizer.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "train/internal/generations.h"

namespace hedge::train::internal {
namespace {

/// What Muon leaves to SGD wants a lower rate than the orthogonal steps (airbench94_muon: 0.053 for biases, 0.24 for kernels).
constexpr double kBesideMuon = 0.25;

/// Parameters by how they learn.
struct Groups {
  std::vector<torch::Tensor> kernels;  ///< of full convolutions, where they have a way of their own
  std::vector<torch::Tensor> weights, scales, biases;
};

std::set<std::string> bias_names(const graph::Graph& graph) {
  std::set<std::string> names;
  for (const auto& node : graph.nodes)
    if ((node.op == "BatchNormalization" || node.op == "Conv" || node.op == "Gemm") && node.inputs.size() > 2) names.insert(node.inputs[2]);
  return names;
}

/// Groups by what their rate is multiplied with, highest first.
using Divided = std::map<double, Groups, std::greater<>>;

Divided divide(const TrainableGraph& graph, const TrainOptions& options, const Learning& learning) {
  Divided divided;
  const auto biases = bias_names(graph.graph());
  for (auto [name, parameter] : graph.named_parameters()) {
    if (!name.starts_with(learning.only) || (!learning.frozen.empty() && name == learning.frozen)) {
      parameter.set_requires_grad(false);
      continue;
    }
    const auto rate = learning.rates.find(name);
    Groups& groups = divided[rate == learning.rates.end() ? 1.0 : rate->second];
    if (options.optimizer == Optimizer::kMuon && parameter.dim() == 4 && parameter.size(1) > 1)
      groups.kernels.push_back(parameter);
    else if (parameter.dim() > 1)
      groups.weights.push_back(parameter);
    else
      (options.bias_rate != 1 && biases.contains(name) ? groups.biases : groups.scales).push_back(parameter);
  }
  return divided;
}

/// Muon's first group: its orthogonal steps have one rate for all.
std::vector<torch::Tensor> all_kernels(const Divided& divided) {
  std::vector<torch::Tensor> kernels;
  for (const auto& [factor, groups] : divided) kernels.insert(kernels.end(), groups.kernels.begin(), groups.kernels.end());
  return kernels;
}

/// The groups in the order of a plain run's: weights, then what is 1-D; with a bias rate of its own, biases last; Muon's kernels first.
template <typename Options>
RatedOptimizer assemble(
    const Divided& divided, const Options& without, double weight_decay, const TrainOptions& options,
    const std::function<std::unique_ptr<torch::optim::Optimizer>(std::vector<torch::optim::OptimizerParamGroup>)>& make) {
  const bool muon = options.optimizer == Optimizer::kMuon;
  const double beside = muon ? kBesideMuon : 1;
  auto with = without;
  with.weight_decay(weight_decay);
  RatedOptimizer rated;
  std::vector<torch::optim::OptimizerParamGroup> list;
  const auto add = [&](const std::vector<torch::Tensor>& parameters, const Options& how, double factor) {
    list.emplace_back(parameters, std::make_unique<Options>(how));
    rated.factors.push_back(factor);
  };
  if (muon) add(all_kernels(divided), without, 1);
  for (const auto& [factor, groups] : divided) {
    add(groups.weights, with, beside * factor);
    add(groups.scales, without, beside * factor);
    if (options.bias_rate != 1) add(groups.biases, without, beside * options.bias_rate * factor);
  }
  rated.optimizer = make(std::move(list));
  return rated;
}

}  // namespace

torch::Tensor orthogonalised(const torch::Tensor& matrix) {
  constexpr double a = 3.4445, b = -4.7750, c = 2.0315;
  constexpr int kSteps = 3;
  const bool tall = matrix.size(0) > matrix.size(1);
  auto x = tall ? matrix.t() : matrix;
  x = x / (x.norm() + 1e-7);
  for (int i = 0; i < kSteps; ++i) {
    const auto square = torch::mm(x, x.t());
    x = a * x + torch::mm(b * square + c * torch::mm(square, square), x);
  }
  return tall ? x.t() : x;
}

void Muon::step_kernel(torch::Tensor& kernel, const torch::optim::SGDOptions& options) {
  const auto& gradient = kernel.grad();
  auto& state = state_[state_key(kernel)];
  if (!state) {
    auto fresh = std::make_unique<torch::optim::SGDParamState>();
    fresh->momentum_buffer(torch::zeros_like(gradient));
    state = std::move(fresh);
  }
  auto& momentum = static_cast<torch::optim::SGDParamState&>(*state).momentum_buffer();
  momentum.mul_(options.momentum()).add_(gradient);
  const auto direction = gradient.add(momentum, options.momentum());
  const auto rows = kernel.size(0);
  kernel.mul_(std::sqrt(static_cast<double>(rows)) / (kernel.norm() + 1e-12));
  kernel.add_(orthogonalised(direction.reshape({rows, -1})).reshape(kernel.sizes()), -options.lr());
  kernel.mutable_grad().reset();  // done: SGD leaves out what has no gradient
}

torch::Tensor Muon::step(LossClosure closure) {
  {
    torch::NoGradGuard guard;
    auto& kernels = param_groups_.at(0);
    for (auto& kernel : kernels.params())
      if (kernel.grad().defined()) step_kernel(kernel, static_cast<const torch::optim::SGDOptions&>(kernels.options()));
  }
  return SGD::step(std::move(closure));
}

void RatedOptimizer::set_rate(double rate) const {
  for (std::size_t i = 0; i < factors.size(); ++i) optimizer->param_groups()[i].options().set_lr(rate * factors[i]);
}

RatedOptimizer make_optimizer(const TrainableGraph& graph, const TrainOptions& options, const Learning& learning) {
  using List = std::vector<torch::optim::OptimizerParamGroup>;
  const auto groups = divide(graph, options, learning);
  const double rate = options.learning_rate;
  if (options.optimizer == Optimizer::kAdamW) {
    torch::optim::AdamWOptions without(rate);
    without.weight_decay(0);
    return assemble(groups, without, options.weight_decay, options,
                    [&](List list) { return std::make_unique<torch::optim::AdamW>(std::move(list), without); });
  }
  torch::optim::SGDOptions without(rate);
  without.momentum(options.momentum).nesterov(options.momentum > 0);
  return assemble(groups, without, options.weight_decay, options, [&](List list) -> std::unique_ptr<torch::optim::Optimizer> {
    if (options.optimizer == Optimizer::kMuon) return std::make_unique<Muon>(std::move(list), without);
    return std::make_unique<torch::optim::SGD>(std::move(list), without);
  });
}

}  // namespace hedge::train::internal

#include "train/internal/step.h"

#include <algorithm>

#include "train/internal/autocast.h"

namespace hedge::train::internal {
namespace {

template <typename Options>
std::vector<torch::optim::OptimizerParamGroup> parameter_groups(const std::vector<torch::Tensor>& decayed, const Options& with,
                                                                const std::vector<torch::Tensor>& plain, const Options& without) {
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(decayed, std::make_unique<Options>(with));
  groups.emplace_back(plain, std::make_unique<Options>(without));
  return groups;
}

/// Weights decay; biases, gammas and betas (1-D) do not.
std::unique_ptr<torch::optim::Optimizer> make_optimizer(const TrainableGraph& graph, const TrainOptions& options, const std::string& only) {
  std::vector<torch::Tensor> decayed;
  std::vector<torch::Tensor> plain;
  for (auto [name, parameter] : graph.named_parameters()) {
    if (name.starts_with(only))
      (parameter.dim() > 1 ? decayed : plain).push_back(parameter);
    else
      parameter.set_requires_grad(false);
  }
  const double rate = options.learning_rate;
  if (options.optimizer == Optimizer::kSgd) {
    torch::optim::SGDOptions without(rate);
    without.momentum(options.momentum).nesterov(options.momentum > 0);
    auto with = without;
    with.weight_decay(options.weight_decay);
    return std::make_unique<torch::optim::SGD>(parameter_groups(decayed, with, plain, without), without);
  }
  torch::optim::AdamWOptions without(rate);
  without.weight_decay(0);
  auto with = without;
  with.weight_decay(options.weight_decay);
  return std::make_unique<torch::optim::AdamW>(parameter_groups(decayed, with, plain, without), without);
}

torch::Tensor borrow(const Tensor& tensor) {
  return torch::from_blob(const_cast<std::byte*>(tensor.bytes()), tensor.shape(), torch::kFloat);  // read only
}

torch::Tensor rows_of(const std::vector<std::size_t>& indices) {
  auto rows = torch::empty({static_cast<std::int64_t>(indices.size())}, torch::kLong);
  std::copy(indices.begin(), indices.end(), rows.data_ptr<std::int64_t>());
  return rows;
}

}  // namespace

Stepper::Stepper(TrainableGraph& graph, const TrainOptions& options, const Loss& loss, const std::string& only)
    : graph_(graph), loss_(loss), all_learn_(only.empty()), optimizer_(make_optimizer(graph, options, only)) {}

void Stepper::begin(const Form& form, Workers& workers) {
  form_ = form;
  workers_ = &workers;
  graph_.set_memory_format(memory_format(form));
  others_.clear();
  for (int index = 1; index < workers.plan().replicas; ++index) others_.push_back(graph_.replica());
}

Stepper::StepResult Stepper::step(const data::Batch& batch) {
  auto shares = cut(batch);
  optimizer_->zero_grad();
  if (all_learn_) lend_statistics(shares.size());
  compute(shares);
  gather_gradients(shares.size());
  if (all_learn_) gather_statistics(shares);
  optimizer_->step();
  StepResult result;
  for (const auto& share : shares) {
    result.loss += share.weight * share.result.loss;
    result.right += share.result.right;
  }
  return result;
}

std::vector<Stepper::Share> Stepper::cut(const data::Batch& batch) const {
  const auto images = static_cast<std::int64_t>(batch.labels.size());
  const BatchTargets all{borrow(batch.images), torch::tensor(batch.labels, torch::kLong), rows_of(batch.indices)};
  const std::int64_t parts = replicas_for(images, workers_->plan().replicas);
  std::vector<Share> shares;
  for (std::int64_t k = 0; k < parts; ++k) {
    const auto from = k * images / parts, to = (k + 1) * images / parts;
    shares.push_back({.targets = {all.images.slice(0, from, to), all.labels.slice(0, from, to), all.rows.slice(0, from, to)},
                      .weight = static_cast<double>(to - from) / static_cast<double>(images)});
  }
  return shares;
}

void Stepper::forward(std::size_t index, Share& share) const {
  AutocastGuard autocast(form_.precision == Precision::kBf16);
  share.outputs = replica(index).forward({share.targets.images.contiguous(memory_format(form_))}, all_learn_);
}

void Stepper::backward(Share& share) const {
  auto loss = loss_(share.outputs, share.targets, form_.precision == Precision::kBf16);
  (share.weight == 1 ? loss : loss * share.weight).backward();
  share.result.loss = loss.item<double>();
  share.result.right = share.outputs[0].to(torch::kFloat).argmax(1).eq(share.targets.labels).sum().item<std::int64_t>();
  share.outputs.clear();
}

/// Forwards and backwards at once, unless a share's loss needs to know of the others' outputs.
void Stepper::compute(std::vector<Share>& shares) {
  if (shares.size() == 1 || !loss_.has_coverage()) {
    workers_->run(shares.size(), [&](std::size_t k) { forward(k, shares[k]), backward(shares[k]); });
    return;
  }
  workers_->run(shares.size(), [&](std::size_t k) { forward(k, shares[k]); });
  double kept = 0;
  for (const auto& share : shares) kept += share.weight * Loss::kept(share.outputs);
  for (auto& share : shares) share.targets.kept = kept;
  workers_->run(shares.size(), [&](std::size_t k) { backward(shares[k]); });
}

void Stepper::lend_statistics(std::size_t shares) {
  torch::NoGradGuard guard;
  for (std::size_t k = 1; k < shares; ++k) {
    auto into = replica(k).named_buffers().begin();
    for (const auto& [name, value] : graph_.named_buffers()) torch::Tensor((into++)->second).copy_(value);
  }
}

void Stepper::gather_statistics(const std::vector<Share>& shares) {
  if (shares.size() == 1) return;
  torch::NoGradGuard guard;
  for (auto [name, value] : graph_.named_buffers()) value.mul_(shares[0].weight);
  for (std::size_t k = 1; k < shares.size(); ++k) {
    auto from = replica(k).named_buffers().begin();
    for (auto [name, value] : graph_.named_buffers()) value.add_((from++)->second, shares[k].weight);
  }
}

void Stepper::gather_gradients(std::size_t shares) {
  torch::NoGradGuard guard;
  for (std::size_t k = 1; k < shares; ++k) {
    auto from = replica(k).named_parameters().begin();
    for (const auto& [name, parameter] : graph_.named_parameters()) {
      auto& gradient = (from++)->second.mutable_grad();
      if (!gradient.defined()) continue;  // does not learn, or is not looked at
      auto& sum = parameter.mutable_grad();
      if (sum.defined())
        sum.add_(gradient);
      else
        sum = gradient;
      gradient.reset();
    }
  }
}

void Stepper::set_learning_rate(double rate) {
  for (auto& group : optimizer_->param_groups()) group.options().set_lr(rate);
}

Result<Form> settle_form(const FormTrial& trial, const Clock& clock, const LogSink& sink) {
  const auto forms = open_forms(trial.options);
  if (forms.size() == 1 || trial.options.threads == 1) return forms[0];
  std::vector<std::unique_ptr<TrainableGraph>> copies;  // where they are, their steppers expect them
  std::vector<std::unique_ptr<Stepper>> steppers;
  std::vector<FormCandidate> candidates;
  for (const auto& form : forms) {
    HEDGE_TRY(auto copy, TrainableGraph::create(trial.graph));
    copies.push_back(std::make_unique<TrainableGraph>(std::move(copy)));
    steppers.push_back(std::make_unique<Stepper>(*copies.back(), trial.options, trial.loss, trial.only));
    auto& stepper = *steppers.back();
    stepper.begin(form, trial.workers);
    stepper.set_learning_rate(0.0);
    candidates.push_back({form, [&stepper, &trial] { stepper.step(trial.batch); }});
  }
  return choose_form(candidates, static_cast<std::int64_t>(trial.batch.labels.size()), clock, sink);
}

}  // namespace hedge::train::internal

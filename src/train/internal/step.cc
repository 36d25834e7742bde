#include "train/internal/step.h"

#include <algorithm>

#include "train/internal/autocast.h"

namespace hedge::train::internal {
namespace {

torch::Tensor borrow(const Tensor& tensor) {
  return torch::from_blob(const_cast<std::byte*>(tensor.bytes()), tensor.shape(), torch::kFloat);  // read only
}

torch::Tensor rows_of(const std::vector<std::size_t>& indices) {
  auto rows = torch::empty({static_cast<std::int64_t>(indices.size())}, torch::kLong);
  std::copy(indices.begin(), indices.end(), rows.data_ptr<std::int64_t>());
  return rows;
}

}  // namespace

Stepper::Stepper(TrainableGraph& graph, const TrainOptions& options, const Loss& loss, const Learning& learning)
    : graph_(graph),
      options_(options),
      loss_(loss),
      all_learn_(learning.only.empty()),
      device_(graph.device()),
      rated_(make_optimizer(graph, options, learning)),
      elastic_(learning.elastic) {}

void Stepper::begin(const Form& form, Workers& workers) {
  form_ = form;
  workers_ = &workers;
  graph_.set_memory_format(memory_format(form));
  others_.clear();
  for (int index = 1; index < workers.plan().replicas; ++index) others_.push_back(graph_.replica());
}

Stepper::StepResult Stepper::step(const data::Batch& batch, const BatchChange& change) {
  auto changes = change;
  if (elastic_) {  // that these networks exist was checked before the training
    drawn_ = draw_networks(graph_.graph(), *elastic_, options_.seed + change.draw).value();
    if (drawn_.side > 0) changes.side = drawn_.side;
  }
  auto shares = cut(batch, changes);
  rated_.optimizer->zero_grad();
  if (all_learn_) lend_statistics(shares.size());
  compute(shares);
  gather_gradients(shares.size());
  if (all_learn_) gather_statistics(shares);
  rated_.optimizer->step();
  StepResult result;
  for (const auto& share : shares) {
    result.loss += share.weight * share.result.loss;
    result.right += share.result.right;
  }
  return result;
}

std::vector<Stepper::Share> Stepper::cut(const data::Batch& batch, const BatchChange& change) const {
  const auto images = static_cast<std::int64_t>(batch.labels.size());
  BatchTargets all{borrow(batch.images), torch::tensor(batch.labels, torch::kLong), rows_of(batch.indices),
                   batch.mirrored.empty() ? torch::Tensor() : torch::tensor(batch.mirrored, torch::kLong)};
  all.move_to(device_);
  change_batch(options_, change, all);
  const std::int64_t parts = replicas_for(images, workers_->plan().replicas);
  std::vector<Share> shares;
  for (std::int64_t k = 0; k < parts; ++k) {
    const auto from = k * images / parts, to = (k + 1) * images / parts;
    shares.push_back({.targets = all.slice(from, to), .weight = static_cast<double>(to - from) / static_cast<double>(images)});
  }
  return shares;
}

void Stepper::forward(std::size_t index, Share& share) const {
  AutocastGuard autocast(form_.precision == Precision::kBf16, device_);
  share.outputs = replica(index).forward({share.targets.images.contiguous(memory_format(form_))}, all_learn_);
}

void Stepper::backward(Share& share) const {
  auto loss = loss_(share.outputs, share.targets, form_.precision == Precision::kBf16);
  (share.weight == 1 ? loss : loss * share.weight).backward();
  share.result.loss = loss.item<double>();
  share.result.right = share.outputs[0].to(torch::kFloat).argmax(1).eq(share.targets.labels).sum().item<std::int64_t>();
  share.outputs.clear();
}

void Stepper::pass_elastic(std::size_t index, Share& share) const {
  const auto& supernet = replica(index);
  const auto images = share.targets.images.contiguous(memory_format(form_));
  const bool bf16 = form_.precision == Precision::kBf16;
  const double weight = share.weight / static_cast<double>(drawn_.networks.size() + (elastic_->sandwich ? 1 : 0));
  const auto outputs_of = [&](const SubNetwork* network) {
    AutocastGuard autocast(bf16, device_);
    return network == nullptr ? supernet.forward({images}, true) : network->forward(supernet, images, true);
  };
  torch::Tensor taught;  // the largest network's logits
  const auto pass = [&](const SubNetwork* network, bool first) {
    share.outputs = outputs_of(network);
    const auto loss = taught.defined() ? follow(share.outputs[0], taught) : loss_(share.outputs, share.targets, bf16);
    (loss * weight).backward();
    if (network == nullptr) taught = share.outputs[0].detach();
    if (!first) return;
    share.result.loss = loss.item<double>();
    share.result.right = share.outputs[0].to(torch::kFloat).argmax(1).eq(share.targets.labels).sum().item<std::int64_t>();
  };
  if (elastic_->sandwich) pass(nullptr, true);
  for (std::size_t i = 0; i < drawn_.networks.size(); ++i) pass(&drawn_.networks[i], i == 0 && !elastic_->sandwich);
  share.outputs.clear();
}

/// Forwards and backwards at once, unless a share's loss needs to know of the others' outputs.
void Stepper::compute(std::vector<Share>& shares) {
  if (elastic_) return workers_->run(shares.size(), [&](std::size_t k) { pass_elastic(k, shares[k]); });
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

void Stepper::set_learning_rate(double rate) { rated_.set_rate(rate); }

namespace {

/// A copy of a trial's network that steps on its batch without learning anything.
struct Rehearsal {
  std::unique_ptr<TrainableGraph> copy;  // where it is, the stepper expects it
  std::unique_ptr<Stepper> stepper;
};

Result<Rehearsal> rehearse(const FormTrial& trial, const Form& form) {
  Rehearsal rehearsal;
  HEDGE_TRY(auto copy, TrainableGraph::create(trial.graph));
  copy.move_to(trial.device);
  rehearsal.copy = std::make_unique<TrainableGraph>(std::move(copy));
  rehearsal.stepper = std::make_unique<Stepper>(*rehearsal.copy, trial.options, trial.loss, trial.learning);
  rehearsal.stepper->begin(form, trial.workers);
  rehearsal.stepper->set_learning_rate(0.0);
  return rehearsal;
}

}  // namespace

Result<Form> settle_form(const FormTrial& trial, const Clock& clock, const LogSink& sink) {
  const auto forms = open_forms(trial.options, computes_bf16());
  if (forms.size() == 1 || trial.options.threads == 1) return forms[0];
  std::vector<Rehearsal> rehearsals;
  std::vector<FormCandidate> candidates;
  for (const auto& form : forms) {
    HEDGE_TRY(auto rehearsal, rehearse(trial, form));
    rehearsals.push_back(std::move(rehearsal));
    candidates.push_back({form, [stepper = rehearsals.back().stepper.get(), &trial] { stepper->step(trial.batch); }});
  }
  return choose_form(candidates, static_cast<std::int64_t>(trial.batch.labels.size()), clock, sink);
}

Result<double> seconds_an_image(const FormTrial& trial, const Form& form, const Clock& clock) {
  constexpr int kMost = 20, kFewest = 3;
  constexpr double kSeconds = 3;
  HEDGE_TRY(const auto rehearsal, rehearse(trial, form));
  rehearsal.stepper->step(trial.batch);  // to warm up
  const auto start = clock.now();
  int steps = 0;
  while (steps < kFewest || (steps < kMost && seconds_between(start, clock.now()) < kSeconds))
    rehearsal.stepper->step(trial.batch), ++steps;
  return seconds_between(start, clock.now()) / (steps * static_cast<double>(trial.batch.labels.size()));
}

}  // namespace hedge::train::internal

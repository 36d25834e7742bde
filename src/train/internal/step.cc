#include "train/internal/step.h"

#include <algorithm>

#include "core/clock.h"
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

/// Seconds of the best of three steps after one to warm up, with learning rate 0.
double measure(Stepper& stepper, const data::Batch& batch) {
  constexpr int kSteps = 4;
  const SteadyClock clock;
  stepper.set_learning_rate(0.0);
  double seconds = 1e30;
  for (int i = 0; i < kSteps; ++i) {
    const auto start = clock.now();
    stepper.step(batch);
    if (i > 0) seconds = std::min(seconds, seconds_between(start, clock.now()));
  }
  return seconds;
}

}  // namespace

Stepper::Stepper(TrainableGraph& graph, const TrainOptions& options, const Loss& loss, const std::string& only)
    : graph_(graph), loss_(loss), all_learn_(only.empty()), optimizer_(make_optimizer(graph, options, only)) {}

Stepper::StepResult Stepper::step(const data::Batch& batch) {
  const BatchTargets targets{borrow(batch.images), torch::tensor(batch.labels, torch::kLong), rows_of(batch.indices)};
  const bool bf16 = form_.precision == Precision::kBf16;
  optimizer_->zero_grad();
  std::vector<torch::Tensor> outputs;
  {
    AutocastGuard autocast(bf16);
    outputs = graph_.forward({targets.images.contiguous(form_.format())}, all_learn_);
  }
  auto loss = loss_(outputs, targets, bf16);
  loss.backward();
  optimizer_->step();
  return {loss.item<double>(), outputs[0].to(torch::kFloat).argmax(1).eq(targets.labels).sum().item<std::int64_t>()};
}

void Stepper::set_form(Form form) {
  form_ = form;
  graph_.set_memory_format(form.format());
}

void Stepper::set_learning_rate(double rate) {
  for (auto& group : optimizer_->param_groups()) group.options().set_lr(rate);
}

Result<Form> choose_form(const graph::Graph& graph, const TrainOptions& options, const Loss& loss, const data::Batch& batch,
                         const LogSink& sink) {
  std::vector<Form> forms;
  for (const auto precision : {Precision::kF32, Precision::kBf16})
    for (const auto layout : {Layout::kNchw, Layout::kChannelsLast})
      if ((options.precision == Precision::kAuto || options.precision == precision) &&
          (options.layout == Layout::kAuto || options.layout == layout))
        forms.push_back({precision, layout});
  if (forms.size() == 1 || options.threads == 1) return forms[0];
  Form best;
  double best_s = 1e30;
  for (const auto& form : forms) {
    HEDGE_TRY(auto copy, TrainableGraph::create(graph));
    Stepper stepper(copy, options, loss, "");
    stepper.set_form(form);
    const double seconds = measure(stepper, batch);
    log(sink, LogLevel::kInfo,
        std::string("measured ") + to_string(form.precision) + " " + to_string(form.layout) + ": " +
            std::to_string(static_cast<int>(static_cast<double>(batch.labels.size()) / seconds)) + " images/s");
    if (seconds < best_s) best_s = seconds, best = form;
  }
  return best;
}

}  // namespace hedge::train::internal

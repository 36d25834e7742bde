#include "train/router_fit.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <thread>

#include "core/clock.h"
#include "core/rng.h"
#include "graph/passes.h"
#include "routing/scores.h"
#include "train/internal/trainable_graph.h"

namespace hedge::train {
namespace {

using internal::TrainableGraph;
using routing::PredictionTable;

Error invalid(const char* field, std::string got, const char* expected) {
  return {.code = ErrorCode::kInvalidArgument, .what = "the fit option is out of range", .where = field, .got = std::move(got), .expected = expected};
}

/// A deviation below this is a constant input: it is left unscaled, so that noise does not become signal.
constexpr double kSmallestDeviation = 1e-5;

std::vector<torch::Tensor> table_inputs(const PredictionTable& table, std::size_t graph_inputs) {
  std::vector<torch::Tensor> inputs = {internal::to_torch(table.base_logits)};
  if (graph_inputs > 1) inputs.push_back(internal::to_torch(table.base_features));
  return inputs;
}

/// The router's raw inputs for every row, [N, D], computed by the graph's own first half; also sets its mean and deviation.
Result<torch::Tensor> prepare_inputs(graph::Graph& router, const PredictionTable& table, const graph::Graph& head) {
  HEDGE_TRY(const auto front, TrainableGraph::create(head));
  torch::NoGradGuard guard;
  auto raw = front.forward(table_inputs(table, head.inputs.size()), false)[0].contiguous();
  const auto mean = raw.mean(0);
  auto deviation = raw.std(0, false);
  deviation = torch::where(deviation < kSmallestDeviation, torch::ones_like(deviation), deviation);
  router.initializers[kInputMean] = internal::from_torch(mean);
  router.initializers[kInputStd] = internal::from_torch(deviation);
  return raw;
}

/// The second half as a network to train: raw inputs -> router logits.
Result<TrainableGraph> make_network(const graph::Graph& router) {
  HEDGE_TRY(auto halves, graph::cut_at(router, kRawInputs));
  HEDGE_TRY(auto network, graph::expose_output(std::move(halves.tail), kRouterLogits));
  network.outputs.erase(network.outputs.begin());  // the score
  return TrainableGraph::create(graph::prune_dead(std::move(network)));
}

/// The loss of one batch; `labels` are gain classes (gain) or 0/1 (poster).
class Loss {
 public:
  Loss(const RouterFitOptions& options, const torch::Tensor& labels) : options_(options) {
    if (options.kind != RouterKind::kPoster) return;
    const double positives = labels.sum().item<double>();
    positive_weight_ = torch::full({1}, (static_cast<double>(labels.numel()) - positives) / positives);
  }
  torch::Tensor operator()(const torch::Tensor& logits, const torch::Tensor& labels) const {
    namespace F = torch::nn::functional;
    if (options_.kind == RouterKind::kGain) return F::cross_entropy(logits, labels);
    const auto flat = logits.squeeze(1);
    const auto bce = F::binary_cross_entropy_with_logits(flat, labels.to(torch::kFloat),
                                                         F::BinaryCrossEntropyWithLogitsFuncOptions().pos_weight(positive_weight_));
    const auto coverage = (1.0 - torch::sigmoid(flat)).mean();
    return bce + options_.coverage_penalty * torch::relu(options_.target_coverage - coverage);
  }

 private:
  const RouterFitOptions& options_;
  torch::Tensor positive_weight_;
};

torch::Tensor labels_of(const routing::Outcomes& outcomes, RouterKind kind) {
  const auto labels = kind == RouterKind::kGain ? routing::gain_labels(outcomes) : routing::oracle_labels(outcomes);
  auto tensor = torch::empty({static_cast<std::int64_t>(labels.size())}, torch::kLong);
  std::copy(labels.begin(), labels.end(), tensor.data_ptr<std::int64_t>());
  return tensor;
}

/// All epochs; returns the mean loss of the last one.
double optimise(TrainableGraph& network, const torch::Tensor& inputs, const torch::Tensor& labels, const RouterFitOptions& options,
                const ProgressSink& progress) {
  torch::optim::AdamW optimizer(network.parameters(), torch::optim::AdamWOptions(options.learning_rate).weight_decay(options.weight_decay));
  const Loss loss_of(options, labels);
  const std::int64_t rows = inputs.size(0);
  const std::int64_t steps = (rows + options.batch - 1) / options.batch;
  std::vector<std::int64_t> order(static_cast<std::size_t>(rows));
  const SteadyClock clock;
  const auto start = clock.now();
  double epoch_loss = 0;
  for (std::int64_t epoch = 0; epoch < options.epochs; ++epoch) {
    std::iota(order.begin(), order.end(), 0);
    Rng(options.seed, static_cast<std::uint64_t>(epoch)).shuffle(std::span<std::int64_t>(order));
    const auto permutation = torch::from_blob(order.data(), {rows}, torch::kLong);
    epoch_loss = 0;
    for (std::int64_t step = 0; step < steps; ++step) {
      const auto batch = permutation.slice(0, step * options.batch, std::min(rows, (step + 1) * options.batch));
      const double done = (static_cast<double>(epoch) + static_cast<double>(step) / static_cast<double>(steps)) / static_cast<double>(options.epochs);
      const double rate = options.learning_rate * 0.5 * (1.0 + std::cos(std::numbers::pi * done));
      for (auto& group : optimizer.param_groups()) group.options().set_lr(rate);
      optimizer.zero_grad();
      auto loss = loss_of(network.forward({inputs.index_select(0, batch)}, true)[0], labels.index_select(0, batch));
      loss.backward();
      optimizer.step();
      epoch_loss += loss.item<double>() * static_cast<double>(batch.numel());
    }
    epoch_loss /= static_cast<double>(rows);
    if (progress) {
      const double done = static_cast<double>(epoch + 1), all = static_cast<double>(options.epochs);
      const double spent = seconds_between(start, clock.now());
      progress({"fit " + std::string(to_string(options.kind)), done, all, spent / done * (all - done), "loss " + std::to_string(epoch_loss)});
    }
  }
  return epoch_loss;
}

Result<FittedRouter> fit_checked(const PredictionTable& table, const RouterFitOptions& options, const ProgressSink& progress) {
  HEDGE_TRY(const auto outcomes, routing::outcomes(table));
  FittedRouter result;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    result.helps += outcomes.global_right[i] > outcomes.base_right[i];
    result.hurts += outcomes.global_right[i] < outcomes.base_right[i];
  }
  if (result.helps == 0)
    return Error{.code = ErrorCode::kBadData,
                 .what = "the global is right on no picture where the base is wrong, so there is nothing to learn",
                 .where = table.info.dataset,
                 .hint = "the base alone is the best there is, or the table's models are swapped"};
  const RouterShape shape{.classes = table.classes(), .features = table.features(), .hidden = options.hidden};
  HEDGE_TRY(auto router, build_router(options.kind, shape, options.seed));
  HEDGE_TRY(const auto halves, graph::cut_at(router, kRawInputs));
  HEDGE_TRY(const auto inputs, prepare_inputs(router, table, halves.head));
  HEDGE_TRY(auto network, make_network(router));
  const auto labels = labels_of(outcomes, options.kind);
  const SteadyClock clock;
  const auto start = clock.now();
  result.final_loss = optimise(network, inputs, labels, options, progress);
  if (!std::isfinite(result.final_loss))
    return Error{.code = ErrorCode::kBadData, .what = "the router's loss is not finite", .hint = "lower the learning rate"};
  result.rows_per_second = static_cast<double>(table.size()) * static_cast<double>(options.epochs) / seconds_between(start, clock.now());
  for (const auto& [name, tensor] : network.to_graph().initializers) router.initializers[name] = tensor;
  result.graph = std::move(router);
  return result;
}

}  // namespace

Status RouterFitOptions::validate() const {
  if (epochs < 1) return invalid("epochs", std::to_string(epochs), ">= 1");
  if (batch < 2) return invalid("batch", std::to_string(batch), ">= 2");
  if (!(learning_rate > 0) || !std::isfinite(learning_rate)) return invalid("learning_rate", std::to_string(learning_rate), "> 0");
  if (!(weight_decay >= 0) || !std::isfinite(weight_decay)) return invalid("weight_decay", std::to_string(weight_decay), ">= 0");
  if (hidden < 1) return invalid("hidden", std::to_string(hidden), ">= 1");
  if (!(target_coverage >= 0 && target_coverage <= 1)) return invalid("target_coverage", std::to_string(target_coverage), "in 0..1");
  if (!(coverage_penalty >= 0)) return invalid("coverage_penalty", std::to_string(coverage_penalty), ">= 0");
  if (threads < 0) return invalid("threads", std::to_string(threads), ">= 0");
  return {};
}

Result<FittedRouter> fit_router(const PredictionTable& table, const RouterFitOptions& options, const ProgressSink& progress) {
  HEDGE_CHECK(options.validate());
  HEDGE_CHECK(table.validate());
  if (!is_fitted(options.kind)) {
    HEDGE_TRY(auto router, build_router(options.kind, {.classes = table.classes()}, options.seed));
    return FittedRouter{.graph = std::move(router)};
  }
  try {
    at::set_num_threads(options.threads > 0 ? options.threads : static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
    return fit_checked(table, options, progress);
  } catch (const std::exception& e) {
    return Error{.code = ErrorCode::kInternal, .what = std::string("libtorch failed: ") + e.what()};
  }
}

}  // namespace hedge::train

#include "train/router_fit.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "core/clock.h"
#include "graph/passes.h"
#include "train/internal/router_training.h"
#include "train/internal/trainable_graph.h"

namespace hedge::train {
namespace {

using internal::TrainableGraph;
using routing::PredictionTable;

Error invalid(const char* field, std::string got, const char* expected) {
  return {.code = ErrorCode::kInvalidArgument,
          .what = "the fit option is out of range",
          .where = field,
          .got = std::move(got),
          .expected = expected};
}

/// A deviation below this is a constant input: it is left unscaled, so that noise does not become signal.
constexpr double kSmallestDeviation = 1e-5;

std::vector<torch::Tensor> table_inputs(const PredictionTable& table, std::size_t graph_inputs) {
  std::vector<torch::Tensor> inputs = {internal::to_torch(table.base_logits)};
  if (graph_inputs > 1) inputs.push_back(internal::to_torch(table.base_features));
  return inputs;
}

/// One of the router's inner tensors for every row, [N, D].
Result<torch::Tensor> inner(const graph::Graph& router, const char* tensor, const PredictionTable& table) {
  HEDGE_TRY(auto halves, graph::cut_at(router, tensor));
  const auto inputs = table_inputs(table, halves.head.inputs.size());
  HEDGE_TRY(const auto front, TrainableGraph::create(std::move(halves.head)));
  torch::NoGradGuard guard;
  return front.forward(inputs, false)[0].contiguous();
}

/// The router's normalised inputs for every row, [N, D]; mean and deviation are set in the graph.
Result<torch::Tensor> normalise(graph::Graph& router, const PredictionTable& table) {
  HEDGE_TRY(const auto raw, inner(router, kRawInputs, table));
  const auto deviation = raw.std(0, false);
  router.initializers[kInputMean] = internal::from_torch(raw.mean(0));
  router.initializers[kInputStd] =
      internal::from_torch(torch::where(deviation < kSmallestDeviation, torch::ones_like(deviation), deviation));
  return inner(router, kNormalised, table);
}

/// The second half as a network to train: normalised inputs -> router logits. Mean and deviation are not in it: they do not learn.
Result<TrainableGraph> make_network(const graph::Graph& router) {
  HEDGE_TRY(auto halves, graph::cut_at(router, kNormalised));
  HEDGE_TRY(auto network, graph::expose_output(std::move(halves.tail), kRouterLogits));
  network.outputs.erase(network.outputs.begin());  // the score
  return TrainableGraph::create(graph::prune_dead(std::move(network)));
}

torch::Tensor labels_of(const routing::Outcomes& outcomes, RouterKind kind) {
  const auto labels = learns_gain(kind) ? routing::gain_labels(outcomes) : routing::oracle_labels(outcomes);
  auto tensor = torch::empty({static_cast<std::int64_t>(labels.size())}, torch::kLong);
  std::copy(labels.begin(), labels.end(), tensor.data_ptr<std::int64_t>());
  return tensor;
}

Status check_labels(const RouterFigures& counted, const PredictionTable& table) {
  const auto rows = static_cast<std::int64_t>(table.size());
  const auto bad = [&](std::string what, std::string got, std::string hint) {
    return Error{
        .code = ErrorCode::kBadData, .what = std::move(what), .where = table.info.dataset, .got = std::move(got), .hint = std::move(hint)};
  };
  if (counted.helps == 0)
    return bad("the global is right on no image where the base is wrong, so there is nothing to learn",
               std::to_string(rows) + " rows without one", "the base alone is the best there is, or the table's models are swapped");
  if (counted.helps == rows)
    return bad("the cloud helps on every image, so there is nothing to tell apart", std::to_string(rows) + " rows of one class",
               "the base is never right: query everything, or look at its labels");
  if (table.size() < kFewestRows)
    return bad("there are too few images to fit a router on",
               std::to_string(rows) + " rows; at least " + std::to_string(kFewestRows) + " are needed",
               "use a free score, e.g. the margin");
  return {};
}

Result<FittedRouter> fit_checked(const PredictionTable& table, const routing::Outcomes& outcomes, const RouterFitOptions& options,
                                 const ProgressSink& progress) {
  RouterFigures figures;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    figures.helps += outcomes.global_right[i] > outcomes.base_right[i];
    figures.hurts += outcomes.global_right[i] < outcomes.base_right[i];
  }
  HEDGE_CHECK(check_labels(figures, table));
  const RouterShape shape{.classes = table.classes(), .features = table.features(), .hidden = options.hidden};
  HEDGE_TRY(auto router, build_router(options.kind, shape, options.seed));
  HEDGE_TRY(const auto inputs, normalise(router, table));
  HEDGE_TRY(auto network, make_network(router));
  const auto labels = labels_of(outcomes, options.kind);
  const SteadyClock clock;
  const auto start = clock.now();
  const auto training = internal::train_router(network, inputs, labels, options, progress);
  figures.final_loss = training.loss;
  figures.lambda = training.lambda;
  figures.epochs = training.epochs;
  if (!std::isfinite(figures.final_loss))
    return Error{.code = ErrorCode::kBadData, .what = "the router's loss is not finite", .hint = "use a lower learning rate"};
  figures.rows_per_second = static_cast<double>(table.size()) * static_cast<double>(figures.epochs) / seconds_between(start, clock.now());
  for (const auto& [name, tensor] : network.to_graph().initializers) router.initializers[name] = tensor;
  return FittedRouter{.graph = std::move(router), .figures = figures};
}

Status check_rows(const PredictionTable& table, const routing::Outcomes& outcomes) {
  if (outcomes.base_right.size() == table.size() && outcomes.global_right.size() == table.size()) return {};
  return Error{.code = ErrorCode::kMismatch,
               .what = "table and outcomes have another number of rows",
               .where = table.info.dataset,
               .got = std::to_string(outcomes.base_right.size()) + " and " + std::to_string(outcomes.global_right.size()),
               .expected = std::to_string(table.size())};
}

}  // namespace

Status RouterFitOptions::validate() const {
  if (epochs < 0) return invalid("epochs", std::to_string(epochs), ">= 0");
  if (batch < 2) return invalid("batch", std::to_string(batch), ">= 2");
  if (!(learning_rate > 0) || !std::isfinite(learning_rate)) return invalid("learning_rate", std::to_string(learning_rate), "> 0");
  const double decay = weight_decay.value_or(0);
  if (!(decay >= 0) || !std::isfinite(decay)) return invalid("weight_decay", std::to_string(decay), ">= 0");
  if (hidden < 1) return invalid("hidden", std::to_string(hidden), ">= 1");
  if (!(target_coverage >= 0 && target_coverage <= 1)) return invalid("target_coverage", std::to_string(target_coverage), "in 0..1");
  if (!(coverage_penalty >= 0) || !std::isfinite(coverage_penalty))
    return invalid("coverage_penalty", std::to_string(coverage_penalty), ">= 0");
  if (!(dual_rate >= 0) || !std::isfinite(dual_rate)) return invalid("dual_rate", std::to_string(dual_rate), ">= 0");
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
  HEDGE_TRY(const auto outcomes, routing::outcomes(table));
  return fit_router(table, outcomes, options, progress);
}

Result<FittedRouter> fit_router(const PredictionTable& table, const routing::Outcomes& outcomes, const RouterFitOptions& options,
                                const ProgressSink& progress) {
  HEDGE_CHECK(options.validate());
  HEDGE_CHECK(table.validate());
  HEDGE_CHECK(check_rows(table, outcomes));
  if (!is_fitted(options.kind)) return fit_router(table, options, progress);
  try {
    at::set_num_threads(options.threads > 0 ? options.threads : static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
    return fit_checked(table, outcomes, options, progress);
  } catch (const std::exception& e) {
    return Error{.code = ErrorCode::kInternal, .what = std::string("libtorch failed: ") + e.what()};
  }
}

Result<std::vector<float>> score_rows(const graph::Graph& router, const PredictionTable& table) {
  const auto features = router.inputs.size() > 1 ? router.inputs[1].shape.back() : 0;
  if (features > 0 && features != table.features())
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the router reads features of another width",
                 .where = table.info.dataset,
                 .got = std::to_string(table.features()),
                 .expected = std::to_string(features)};
  try {
    HEDGE_TRY(const auto network, TrainableGraph::create(router));
    torch::NoGradGuard guard;
    const auto scores = network.forward(table_inputs(table, router.inputs.size()), false)[0].contiguous();
    return std::vector<float>(scores.data_ptr<float>(), scores.data_ptr<float>() + scores.numel());
  } catch (const std::exception& e) {
    return Error{.code = ErrorCode::kInternal, .what = std::string("libtorch failed: ") + e.what()};
  }
}

}  // namespace hedge::train

#include "train/adapt_weights.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "graph/operators.h"
#include "hedge/policy.h"
#include "hedge/router.h"
#include "train/router_graph.h"

namespace hedge::train {
namespace {

constexpr double kRankWidth = 0.05;  // share of the images over which weights fall

std::vector<float> over_mean(std::vector<float> values) {
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(std::max<std::size_t>(1, values.size()));
  for (float& value : values) value = static_cast<float>(static_cast<double>(value) / mean);
  return values;
}

double deviation(std::span<const float> values) {
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double sum = 0;
  for (const float value : values) sum += (static_cast<double>(value) - mean) * (static_cast<double>(value) - mean);
  return std::sqrt(sum / n);
}

}  // namespace

const char* to_string(RouterShare share) {
  switch (share) {
    case RouterShare::kSoft: return "soft";
    case RouterShare::kHard: return "hard";
    case RouterShare::kOracle: return "oracle";
  }
  return "soft";
}

Result<RouterShare> router_share(const std::string& name) {
  for (const auto share : {RouterShare::kSoft, RouterShare::kHard, RouterShare::kOracle})
    if (name == to_string(share)) return share;
  return Error{.code = ErrorCode::kInvalidArgument, .what = "no such kind of r", .got = name, .expected = "soft, hard or oracle"};
}

std::vector<float> base_weights(std::span<const float> share) {
  std::vector<float> weights;
  for (const float r : share) weights.push_back(2.0F - r);
  return over_mean(std::move(weights));
}

std::vector<float> global_weights(std::span<const float> share) {
  std::vector<float> weights;
  for (const float r : share) weights.push_back(1.0F + r);
  return over_mean(std::move(weights));
}

Result<std::vector<float>> shares_of(RouterShare share, bool probability, std::span<const float> scores,
                                     const routing::PredictionTable& table, double coverage) {
  HEDGE_TRY(const auto outcomes, routing::outcomes(table));
  if (share == RouterShare::kOracle) {
    const auto labels = routing::oracle_labels(outcomes);
    return std::vector<float>(labels.begin(), labels.end());
  }
  if (scores.size() != outcomes.size())
    return Error{.code = ErrorCode::kMismatch,
                 .what = "scores and images differ in number",
                 .got = std::to_string(scores.size()),
                 .expected = std::to_string(outcomes.size())};
  HEDGE_TRY(const auto point, routing::threshold_for_coverage(scores, outcomes, coverage));
  const double spread = std::max(1e-6, deviation(scores));
  std::vector<float> result;
  for (const float score : scores) {
    if (share == RouterShare::kHard)
      result.push_back(score > point.threshold ? 1.0F : 0.0F);
    else if (probability)
      result.push_back(std::clamp(score, 0.0F, 1.0F));
    else
      result.push_back(static_cast<float>(1.0 / (1.0 + std::exp(-static_cast<double>(score - point.threshold) / spread))));
  }
  return result;
}

Result<bool> gives_probability(const graph::Graph& router) {
  HEDGE_TRY(const auto tensors, graph::infer_shapes(router));
  const auto logits = tensors.find(kRouterLogits);
  return logits != tensors.end() && logits->second.shape.back() == 1;
}

std::vector<float> coverage_weights(const routing::PredictionTable& table, double coverage, double strength) {
  const auto entropy = routing::free_score(routing::FreeScore::kEntropy, table.base_logits.view());
  std::vector<std::size_t> order(entropy.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return entropy[a] < entropy[b]; });
  std::vector<float> weights(entropy.size());
  for (std::size_t place = 0; place < order.size(); ++place) {
    const double rank = (static_cast<double>(place) + 0.5) / static_cast<double>(order.size());
    weights[order[place]] = static_cast<float>(1.0 - strength / (1.0 + std::exp(-(rank - coverage) / kRankWidth)));
  }
  return over_mean(std::move(weights));
}

std::vector<float> entropies_at(const routing::PredictionTable& table, std::span<const double> coverages) {
  auto entropy = routing::free_score(routing::FreeScore::kEntropy, table.base_logits.view());
  std::sort(entropy.begin(), entropy.end());
  std::vector<float> thresholds;
  for (const double coverage : coverages)
    thresholds.push_back(entropy[std::min(entropy.size() - 1, static_cast<std::size_t>(coverage * static_cast<double>(entropy.size())))]);
  return thresholds;
}

std::vector<float> global_errors(const routing::PredictionTable& table) {
  auto errors = global_losses(table);
  for (float& value : errors) value = static_cast<float>(-std::expm1(-static_cast<double>(value)));
  return errors;
}

std::vector<float> global_losses(const routing::PredictionTable& table) {
  const auto logits = table.global_logits.data<float>();
  const auto labels = table.labels.data<std::int64_t>();
  const auto classes = static_cast<std::size_t>(table.classes());
  std::vector<float> losses;
  for (std::size_t row = 0; row < table.size(); ++row) {
    const auto z = logits.subspan(row * classes, classes);
    const double top = *std::max_element(z.begin(), z.end());
    double sum = 0;
    for (const float value : z) sum += std::exp(static_cast<double>(value) - top);
    losses.push_back(
        static_cast<float>(std::max(0.0, top + std::log(sum) - static_cast<double>(z[static_cast<std::size_t>(labels[row])]))));
  }
  return losses;
}

}  // namespace hedge::train

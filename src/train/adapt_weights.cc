#include <algorithm>
#include <cmath>
#include <numeric>

#include "hedge/policy.h"
#include "hedge/router.h"
#include "train/adapt.h"

namespace hedge::train {
namespace {

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

Status AdaptOptions::validate() const {
  const auto bad = [](const char* field, std::string got, const char* expected) {
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "the adapting option is out of range",
                 .where = field,
                 .got = std::move(got),
                 .expected = expected};
  };
  if (!(coverage >= 0 && coverage <= 1)) return bad("coverage", std::to_string(coverage), "in 0..1");
  if (!(penalty >= 0) || !std::isfinite(penalty)) return bad("penalty", std::to_string(penalty), ">= 0");
  if (rounds < 1) return bad("rounds", std::to_string(rounds), ">= 1");
  if (patience < 1) return bad("patience", std::to_string(patience), ">= 1");
  if (!(teacher_weight >= 0 && teacher_weight <= 1)) return bad("teacher_weight", std::to_string(teacher_weight), "in 0..1");
  if (end_to_end && teacher_weight > 0)
    return bad("teacher_weight", std::to_string(teacher_weight), "0 where base and router are trained end to end");
  if (!(temperature > 0)) return bad("temperature", std::to_string(temperature), "> 0");
  if (folder.empty()) return bad("folder", "nothing", "a path");
  if (!is_fitted(router.kind)) return bad("router", to_string(router.kind), "a router that is fitted");
  HEDGE_CHECK(base.validate());
  HEDGE_CHECK(global.validate());
  return router.validate();
}

}  // namespace hedge::train

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "routing/policy.h"

namespace hedge::routing {
namespace {

/// What a threshold at the end of a run of equal scores gives.
struct Candidate {
  float threshold = 0;
  double coverage = 0;
  double accuracy = 0;
};

Status check(std::span<const float> scores, const Outcomes& outcomes, double target, const char* what) {
  if (!(target >= 0 && target <= 1))
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = std::string("the target ") + what + " is outside its range",
                 .got = std::to_string(target),
                 .expected = "0..1"};
  if (scores.empty()) return Error{.code = ErrorCode::kBadData, .what = "there are no scores to calibrate on"};
  if (scores.size() != outcomes.size() || outcomes.global_right.size() != outcomes.size())
    return Error{.code = ErrorCode::kMismatch,
                 .what = "scores and outcomes are of another number of pictures",
                 .got = std::to_string(scores.size()),
                 .expected = std::to_string(outcomes.size())};
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (!std::isfinite(scores[i]))
      return Error{.code = ErrorCode::kBadData,
                   .what = "a score is not a finite number",
                   .where = "row " + std::to_string(i),
                   .got = std::to_string(scores[i])};
  }
  return {};
}

/// Every threshold that differs in what it queries, in ascending coverage; the first queries everything.
std::vector<Candidate> candidates(std::span<const float> scores, const Outcomes& outcomes) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  const auto total = static_cast<double>(scores.size());
  auto right = std::accumulate(outcomes.global_right.begin(), outcomes.global_right.end(), std::int64_t{0});
  const float below = std::nextafter(scores[order[0]], -std::numeric_limits<float>::infinity());
  std::vector<Candidate> all = {{.threshold = below, .coverage = 0, .accuracy = static_cast<double>(right) / total}};
  for (std::size_t i = 0; i < order.size(); ++i) {
    right += int{outcomes.base_right[order[i]]} - int{outcomes.global_right[order[i]]};
    const bool ends_run = i + 1 == order.size() || scores[order[i + 1]] != scores[order[i]];
    if (!ends_run) continue;
    all.push_back({.threshold = scores[order[i]],
                   .coverage = static_cast<double>(i + 1) / total,
                   .accuracy = static_cast<double>(right) / total});
  }
  return all;
}

Result<OperatingPoint> to_point(const Candidate& candidate, double target_coverage) {
  if (!std::isfinite(candidate.threshold))
    return Error{.code = ErrorCode::kBadData, .what = "no f32 lies below the lowest score", .hint = "scale the scores"};
  return OperatingPoint{.target_coverage = target_coverage,
                        .threshold = candidate.threshold,
                        .coverage = candidate.coverage,
                        .accuracy = candidate.accuracy};
}

}  // namespace

Result<OperatingPoint> threshold_for_coverage(std::span<const float> scores, const Outcomes& outcomes, double target) {
  HEDGE_CHECK(check(scores, outcomes, target, "coverage"));
  const std::vector<Candidate> all = candidates(scores, outcomes);
  const auto found = std::lower_bound(all.begin(), all.end(), target, [](const Candidate& c, double t) { return c.coverage < t; });
  return to_point(*found, target);
}

Result<OperatingPoint> threshold_for_accuracy(std::span<const float> scores, const Outcomes& outcomes, double target) {
  HEDGE_CHECK(check(scores, outcomes, target, "accuracy"));
  const std::vector<Candidate> all = candidates(scores, outcomes);
  const auto found = std::find_if(all.rbegin(), all.rend(), [&](const Candidate& c) { return c.accuracy >= target; });
  if (found != all.rend()) return to_point(*found, found->coverage);
  // From the back: of equally accurate ones the first found, which has the highest coverage.
  const auto best = std::max_element(all.rbegin(), all.rend(), [](const Candidate& a, const Candidate& b) { return a.accuracy < b.accuracy; });
  return Error{.code = ErrorCode::kUnreachable,
               .what = "no threshold reaches this accuracy",
               .got = "at best " + std::to_string(best->accuracy) + ", at coverage " + std::to_string(best->coverage),
               .expected = std::to_string(target),
               .hint = "ask for less, or train a better global or router"};
}

}  // namespace hedge::routing

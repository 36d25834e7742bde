#include "eval/operate.h"

#include <algorithm>
#include <cmath>

namespace hedge::eval {
namespace {

PromiseReport judge_promise(const routing::PromisedPoint& promised, const OperatingReport& at) {
  PromiseReport report = {.promise = promised.promise,
                          .images = promised.images,
                          .bound = promised.bound,
                          .exact_threshold = promised.exact.threshold,
                          .exact_coverage = promised.exact.coverage,
                          .exact_accuracy = promised.exact.accuracy,
                          .accuracy_given_up = promised.accuracy_given_up(),
                          .coverage_given_up = promised.coverage_given_up()};
  switch (promised.promise.kind) {
    case routing::PromiseKind::kCoverage: report.measured = at.coverage.value; break;
    case routing::PromiseKind::kAccuracy: report.measured = at.accuracy.value; break;
    case routing::PromiseKind::kRisk: report.measured = at.risk_on_covered.value; break;
  }
  const double target = promised.promise.target;
  report.kept = promised.promise.kind == routing::PromiseKind::kRisk ? report.measured <= target : report.measured >= target;
  return report;
}

}  // namespace

std::int64_t worth(std::span<const std::uint8_t> hits, std::span<const std::int64_t> groups) {
  return std::max<std::int64_t>(1, std::llround(effective_images(hits, groups)));
}

HybridAnswers hybrid_answers(std::span<const float> scores, float threshold, const routing::Outcomes& outcomes,
                             std::span<const std::int64_t> groups) {
  HybridAnswers answers;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const bool query = scores[i] > threshold;
    answers.covered.push_back(query ? 0 : 1);
    answers.right.push_back(query ? outcomes.global_right[i] : outcomes.base_right[i]);
    if (query) continue;
    answers.wrong_of_covered.push_back(outcomes.base_right[i] ? 0 : 1);
    if (!groups.empty()) answers.covered_groups.push_back(groups[i]);
  }
  return answers;
}

OperatingReport operate(const routing::Policy& policy, std::span<const float> scores, const routing::Outcomes& outcomes,
                        std::span<const std::int64_t> groups) {
  const routing::OperatingPoint& point = policy.chosen;
  const HybridAnswers answers = hybrid_answers(scores, point.threshold, outcomes, groups);
  OperatingReport report = {.target_coverage = point.target_coverage, .threshold = point.threshold};
  report.coverage = share_interval(answers.covered, groups);
  report.accuracy = share_interval(answers.right, groups);
  report.risk_on_covered = answers.wrong_of_covered.empty() ? Interval{.value = 0, .low = 0, .high = 1}
                                                            : share_interval(answers.wrong_of_covered, answers.covered_groups);
  const std::int64_t calibration = policy.calibration_groups > 0 ? policy.calibration_groups : policy.calibration_size;
  report.predicted_coverage = prediction_interval(point.coverage, calibration, worth(answers.covered, groups));
  report.predicted_accuracy = prediction_interval(point.accuracy, calibration, worth(answers.right, groups));
  report.inside = report.predicted_coverage.contains(report.coverage.value) && report.predicted_accuracy.contains(report.accuracy.value);
  if (policy.promise) report.promise = judge_promise(*policy.promise, report);
  return report;
}

}  // namespace hedge::eval

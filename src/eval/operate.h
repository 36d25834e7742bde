#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "eval/statistics.h"
#include "hedge/policy.h"
#include "hedge/router.h"

namespace hedge::eval {

/// A promise (routing::PromisedPoint), and how this table's images stand to it.
struct PromiseReport {
  routing::Promise promise;
  std::int64_t images = 0;    ///< of the calibration split
  double bound = 0;           ///< what the calibration split shows with confidence 1 - delta
  float exact_threshold = 0;  ///< the threshold without the promise, and what it gives on the calibration split
  double exact_coverage = 0, exact_accuracy = 0;
  double accuracy_given_up = 0, coverage_given_up = 0;  ///< the price on the calibration split
  double measured = 0;                                  ///< the promised quantity here
  bool kept = false;                                    ///< whether it meets the target; one draw of images may miss a promise that holds
};

/// The policy's threshold, applied to this table.
struct OperatingReport {
  std::string method;
  double target_coverage = 0;
  float threshold = 0;
  Interval coverage;            ///< Wilson
  Interval accuracy;            ///< Wilson
  Interval risk_on_covered;     ///< Wilson; 0..1 where nothing is covered
  Interval predicted_coverage;  ///< from the calibration split alone (prediction_interval)
  Interval predicted_accuracy;
  bool inside = false;  ///< both measured values lie in the predicted intervals
  std::optional<PromiseReport> promise;
};

/// What a number of images is worth: that of independent ones (effective_images), rounded, at least 1. Precondition: hits is not empty.
std::int64_t worth(std::span<const std::uint8_t> hits, std::span<const std::int64_t> groups);

/// Whether the hybrid's answer to each image is right, and whether the base gives it.
struct HybridAnswers {
  std::vector<std::uint8_t> right, covered;
  std::vector<std::uint8_t> wrong_of_covered;  ///< an element a covered image
  std::vector<std::int64_t> covered_groups;    ///< theirs; empty where there are no groups
};
/// Preconditions: a score an outcome; outcomes with a global.
HybridAnswers hybrid_answers(std::span<const float> scores, float threshold, const routing::Outcomes& outcomes,
                             std::span<const std::int64_t> groups);

/// What `policy`'s threshold gives on images with these scores. `groups`: a number an image, equal for images that depend on each other;
/// empty: all are independent. `method` stays empty. Preconditions: at least one image; a score an outcome; the policy's calibration
/// size is at least 1; outcomes with a global.
OperatingReport operate(const routing::Policy& policy, std::span<const float> scores, const routing::Outcomes& outcomes,
                        std::span<const std::int64_t> groups);

}  // namespace hedge::eval

#pragma once

#include <optional>
#include <span>
#include <string>

#include "hedge/api.h"
#include "hedge/result.h"
#include "hedge/router.h"

namespace hedge::routing {

/// A threshold and what the calibration split says of it. The rule everywhere: query iff score > threshold.
struct OperatingPoint {
  double target_coverage = 0;  ///< 0..1, as asked for
  float threshold = 0;         ///< exact: the f32 score of a calibration image, or just below the lowest one (coverage 0)
  double coverage = 0;         ///< share of the calibration split with score <= threshold; >= target_coverage
  double accuracy = 0;         ///< hybrid accuracy on the calibration split; without a global the accuracy on the covered
  /// The next lower coverage that a threshold gives on the calibration split. Nothing: there is none, or an older file does not say.
  std::optional<double> next_lower = {};
};

/// What a user should know of a point that was chosen on `images` images, as a sentence: that it queries nothing or everything, or that
/// images with equal scores moved it away from what was asked: "coverage 0.80 asked, ties give 0.87; next 0.74". Empty: nothing.
HEDGE_API std::string remark(const OperatingPoint& point, std::int64_t images);

/// The lowest threshold whose coverage on these scores is at least `target`, by exact search over the sorted scores. Images with equal
/// scores go together (the tie rule), so that coverage may exceed the target. Coverage 0 is the float just below the lowest score.
/// Errors: kInvalidArgument (target outside 0..1), kBadData (no scores, NaN).
HEDGE_API Result<OperatingPoint> threshold_for_coverage(std::span<const float> scores, const Outcomes& outcomes, double target);

/// The highest coverage whose hybrid accuracy is at least `target`. Errors: kUnreachable, with the best there is.
HEDGE_API Result<OperatingPoint> threshold_for_accuracy(std::span<const float> scores, const Outcomes& outcomes, double target);

/// The highest coverage whose share of wrong answers among the covered is at most `target`; outcomes may have no global
/// (`global_right` empty). Errors: kUnreachable, with the best there is.
HEDGE_API Result<OperatingPoint> threshold_for_risk(std::span<const float> scores, const Outcomes& outcomes, double target);

}  // namespace hedge::routing

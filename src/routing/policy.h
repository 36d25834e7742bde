#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "routing/scores.h"

namespace hedge::routing {

/// A threshold and what the calibration split says of it. The rule everywhere: query iff score > threshold.
struct OperatingPoint {
  double target_coverage = 0;  ///< 0..1, as asked for
  float threshold = 0;         ///< exact: the f32 score of a calibration picture, or just below the lowest one (coverage 0)
  double coverage = 0;         ///< share of the calibration split with score <= threshold; >= target_coverage
  double accuracy = 0;         ///< hybrid accuracy on the calibration split
};

/// What a device needs to decide, and where it comes from (docs/formats/policy.md).
struct Policy {
  std::string router;          ///< "gain", "poster", "entropy", "margin", "max_probability"
  std::string router_sha256;   ///< of the router's ONNX file
  std::string base_sha256;
  std::string global_sha256;
  std::string executor;        ///< runner and precision of the calibration's predictions
  std::string protocol;        ///< how the router's data were made: "training-set predictions, evaluation mode"
  std::string features = "auto";  ///< the base's tensor that the router reads: its name, or "auto": the runner finds it; "": none
  std::string fit_hash;        ///< content hash of the split the router was fitted on; empty for a free score
  std::string fit_dataset;     ///< that split's specification; empty for a free score, and in files older than this field
  std::string calibration_dataset;
  std::string calibration_hash;
  std::int64_t calibration_size = 0;
  OperatingPoint chosen;
  std::vector<OperatingPoint> table;  ///< the other coverages, so that an operator can move along it

  [[nodiscard]] std::string to_json() const;
  /// Thresholds survive bit for bit. Errors: kBadFormat, kUnsupported (a newer schema).
  static Result<Policy> from_json(std::string_view text, std::string_view where);
};

/// The lowest threshold whose coverage on these scores is at least `target`, by exact search over the sorted scores. Pictures with equal
/// scores go together (the tie rule), so that coverage may exceed the target. Coverage 0 is the float just below the lowest score.
/// Errors: kInvalidArgument (target outside 0..1), kBadData (no scores, NaN).
Result<OperatingPoint> threshold_for_coverage(std::span<const float> scores, const Outcomes& outcomes, double target);

/// The highest coverage whose hybrid accuracy is at least `target`. Errors: kUnreachable, with the best there is.
Result<OperatingPoint> threshold_for_accuracy(std::span<const float> scores, const Outcomes& outcomes, double target);

}  // namespace hedge::routing

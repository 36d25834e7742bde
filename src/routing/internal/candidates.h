#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "hedge/result.h"
#include "hedge/threshold.h"

namespace hedge::routing {

/// What a threshold gives on a set of images, in counts.
struct Candidate {
  float threshold = 0;
  std::int64_t covered = 0;  ///< score <= threshold
  std::int64_t wrong = 0;    ///< of the covered, the base's wrong answers
  std::int64_t right = 0;    ///< of all, the hybrid's right answers
};

/// Errors: kInvalidArgument (target outside 0..1), kBadData (no scores, one that is not finite), kMismatch (sizes).
Status check_scores(std::span<const float> scores, const Outcomes& outcomes, double target, const char* what);

/// Errors: kMismatch.
Status check_has_global(const Outcomes& outcomes);

/// Every threshold that differs in what it queries, in ascending coverage: the first queries everything (the float just below the
/// lowest score), the others are the ends of runs of equal scores. Without a global `right` counts the covered alone.
/// Precondition: check_scores.
std::vector<Candidate> candidates(std::span<const float> scores, const Outcomes& outcomes);

/// One of `all`, with the coverage of the one before it, as shares of `total` images. Errors: kBadData where the threshold is no finite
/// f32.
Result<OperatingPoint> to_point(const std::vector<Candidate>& all, const Candidate& chosen, std::size_t total, bool has_global,
                                double target_coverage);

}  // namespace hedge::routing

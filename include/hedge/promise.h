#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "hedge/api.h"
#include "hedge/result.h"
#include "hedge/threshold.h"

namespace hedge::routing {

/// What is promised of images to come. The values appear in files as text.
enum class PromiseKind {
  kCoverage,  ///< coverage >= target
  kAccuracy,  ///< hybrid accuracy >= target
  kRisk,      ///< share of wrong answers among the covered <= target
};
HEDGE_API const char* to_string(PromiseKind kind);

struct HEDGE_API Promise {
  PromiseKind kind = PromiseKind::kCoverage;
  double target = 0;    ///< 0..1
  double delta = 0.05;  ///< in (0, 0.5]: the chance, over the draw of the calibration split, that the promise does not hold

  /// Errors: kInvalidArgument, naming the field.
  [[nodiscard]] Status validate() const;
  /// "coverage>=0.8"
  [[nodiscard]] std::string to_string() const;
};

/// "coverage>=0.8", "accuracy>=0.92" or "risk<=0.05". Errors: kInvalidArgument, also for a target or delta outside its range.
HEDGE_API Result<Promise> parse_promise(std::string_view spec, double delta = 0.05);

/// A promise with the threshold that keeps it, and its price.
struct PromisedPoint {
  Promise promise;
  OperatingPoint point;     ///< on the whole calibration split
  OperatingPoint exact;     ///< the threshold without the promise: meets the target on the calibration split itself
  std::int64_t images = 0;  ///< of the calibration split
  /// What the images that judged this threshold show of the promised quantity at confidence 1 - delta, taken alone.
  double bound = 0;

  /// The price, on the calibration split: positive where the exact threshold is better.
  [[nodiscard]] double accuracy_given_up() const { return exact.accuracy - point.accuracy; }
  [[nodiscard]] double coverage_given_up() const { return exact.coverage - point.coverage; }
};

struct PromiseOptions {
  double pilot_share = 0.2;  ///< 0.01..0.5: of the calibration split; chooses the thresholds to test, and judges none of them
  std::uint64_t seed = 1;    ///< of which images are the pilot
};

/// The threshold that keeps `promise` for new images of the same source with probability 1 - delta over the draw of the calibration
/// split.
///
/// coverage: the k-th lowest score, k the smallest with P(Binomial(n, c) <= k - 1) >= 1 - delta: the coverage of an order statistic is at
///   least Beta(k, n + 1 - k) distributed (Wilks 1941). Where even the highest score does not do, the threshold is the largest f32: no
///   query.
/// accuracy, risk: Learn then Test (Angelopoulos, Bates, Candes, Jordan, Lei 2021), fixed-sequence testing with exact binomial p-values.
///   A random pilot part of the split gives the sequence: at most 200 thresholds at its quantiles, the one with the best chance first,
///   then upwards in coverage. The other images test one after the other at level delta, until one is not rejected; the last rejected
///   threshold stands. As the sequence does not depend on the images that judge, no correction for many tests is needed.
///
/// Outcomes may have no global for coverage and risk. Errors: those of threshold_for_coverage; kUnreachable, with what can be promised.
HEDGE_API Result<PromisedPoint> threshold_for_promise(std::span<const float> scores, const Outcomes& outcomes, const Promise& promise,
                                                      const PromiseOptions& options = {});

}  // namespace hedge::routing

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "hedge/result.h"
#include "hedge/router.h"

namespace hedge::eval {

/// A range of coverages, 0 <= from < to <= 1.
struct CoverageRange {
  double from = 0.3;
  double to = 1.0;
};

/// How often each image of the table stands in a (re)sample, and the sums that every curve on it shares.
struct SampleWeights {
  std::vector<std::uint32_t> counts;  ///< [N], an image
  std::int64_t total = 0;             ///< sum of counts, > 0
  std::int64_t base_right = 0;        ///< sum of counts * base_right
  std::int64_t global_right = 0;      ///< sum of counts * global_right
};

/// Every image once.
SampleWeights unit_weights(const routing::Outcomes& outcomes);

/// Hybrid accuracy against coverage for one score: the images of lowest score are answered by the base, the others by the global.
///
/// Rule at a coverage that cuts through a run of equal scores, or through one image: the expected accuracy over a random order within
/// the run. That expectation is linear in the coverage, so the curve is the polygon through the ends of the runs, and its area is
/// integrated exactly. The scores are sorted once; each evaluation then takes one pass. Const methods are thread-safe.
class SelectiveCurve {
 public:
  /// Errors: kBadData (no images, a score that is not finite), kMismatch (sizes).
  static Result<SelectiveCurve> make(std::span<const float> scores, const routing::Outcomes& outcomes);

  /// Precondition: coverage in 0..1.
  [[nodiscard]] double accuracy_at(double coverage) const;
  /// Mean accuracy over the range: the exact integral of the polygon, divided by the range's length.
  [[nodiscard]] double area(CoverageRange range = {}) const;

  /// Both at once on a weighted sample: writes accuracy[i] at coverages[i] (ascending) and returns the area.
  /// Of `weights` only the counts and their total count, so curves of other models' answers to the same images share a resample.
  /// Preconditions: weights.counts has a count an image; accuracy.size() == coverages.size().
  double evaluate(const SampleWeights& weights, std::span<const double> coverages, CoverageRange range, std::span<double> accuracy) const;

 private:
  SelectiveCurve() = default;

  /// One image, in ascending order of the score.
  struct Entry {
    std::uint32_t image = 0;
    std::int8_t loss = 0;  ///< global_right - base_right: what covering it costs
    std::uint8_t base_right = 0;
    std::uint8_t ends_run = 0;  ///< the next image has another score
  };
  std::vector<Entry> entries_;
  SampleWeights once_;
};

}  // namespace hedge::eval

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "eval/bootstrap.h"
#include "eval/statistics.h"
#include "hedge/result.h"

namespace hedge::eval {

/// Risk against coverage for one score and no global: the images of lowest score are answered by the base, the others by nobody. Risk is
/// the share of wrong answers among the covered; where a coverage cuts through equal scores, its expectation over a random order among
/// them.
class RiskCurve {
 public:
  /// Errors: kBadData (no images, a score that is not finite), kMismatch (sizes).
  static Result<RiskCurve> make(std::span<const float> scores, std::span<const std::uint8_t> base_right);

  /// Writes risk[i] at coverages[i] (ascending, above 0) of a weighted sample and returns its AURC: the mean over the images, in
  /// ascending score, of the risk on all up to it (Geifman and El-Yaniv 2017). Preconditions as in SelectiveCurve::evaluate.
  double evaluate(const SampleWeights& weights, std::span<const double> coverages, std::span<double> risk) const;

 private:
  RiskCurve() = default;
  struct Entry {
    std::uint32_t image = 0;
    std::uint8_t wrong = 0;
    std::uint8_t ends_run = 0;
  };
  std::vector<Entry> entries_;
  std::vector<double> harmonic_;  ///< [i]: 1 + 1/2 + … + 1/i
};

/// The AURC of the best order of `total` images with `wrong` wrong answers: all right ones first. What E-AURC is measured from
/// (Geifman, Uziel and El-Yaniv 2018). Precondition: 0 <= wrong <= total, total > 0.
double best_aurc(std::int64_t wrong, std::int64_t total);

/// A score by name, one vector a router seed; `base_right` may be other models' on the same images.
struct AbstainingScore {
  std::string method;
  std::vector<std::vector<float>> per_seed;
  std::vector<std::vector<std::uint8_t>> base_right;  ///< one for all seeds, or one a seed
};

struct AbstentionRow {
  std::string method;
  std::vector<Interval> at;  ///< accuracy on the covered, at Abstention::coverages
  Interval aurc;
  Interval e_aurc;
  Interval e_aurc_to_first;  ///< less the first score's, paired
};

struct Abstention {
  std::vector<double> coverages = {0.9, 0.8, 0.7};
  std::vector<AbstentionRow> rows;
  std::vector<double> grid;               ///< 0.05 … 1
  std::vector<std::vector<double>> risk;  ///< [method][grid]
};

/// Answering or staying silent with each score: means over the seeds, and intervals of the paired, hierarchical bootstrap of `resamples`.
/// The first score is what the others are compared with. `groups`: as BootstrapOptions::groups. Errors: kBadData, kMismatch (scores,
/// groups), kInvalidArgument (resamples < 100).
Result<Abstention> abstention(std::span<const AbstainingScore> scores, int resamples, std::uint64_t seed,
                              std::span<const std::int64_t> groups = {});

}  // namespace hedge::eval

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/rng.h"
#include "eval/curve.h"
#include "hedge/result.h"

namespace hedge::eval {

struct BootstrapOptions {
  int resamples = 1000;           ///< >= 100; the percentiles of fewer mean nothing, of 1000 they move by about a tenth of the width
  std::uint64_t seed = 1;         ///< the same seed gives the same intervals, on every platform
  std::vector<double> coverages;  ///< ascending, 0..1
  CoverageRange range;            ///< of the areas
  /// A number an image, equal for images that depend on each other (routing::TableView::row_groups): whole groups are drawn. Empty: images
  /// are. Borrowed.
  std::span<const std::int64_t> groups = {};

  /// Errors: kInvalidArgument, naming the field.
  [[nodiscard]] Status validate() const;
};

/// Draws images with replacement, as many as there are; with groups whole groups, as many as there are, so that the number of images varies
/// where groups have different sizes. The same seed draws the same images whoever asks, so that whatever is computed on the i-th draw of
/// two resamplers is paired.
class Resampler {
 public:
  /// `outcomes` is borrowed. `groups`: a number an image, or empty.
  Resampler(const routing::Outcomes& outcomes, std::uint64_t seed, std::span<const std::int64_t> groups = {});
  /// The next draw; valid until the one after it.
  const SampleWeights& next();

 private:
  const routing::Outcomes& outcomes_;
  Rng rng_;
  SampleWeights weights_;
  std::vector<std::vector<std::uint32_t>> members_;  ///< images of each group; empty: no groups
};

/// How often each of `seeds` router seeds stands in a resample of them.
std::vector<std::uint32_t> draw_seeds(std::size_t seeds, Rng& rng);

/// A method's curves, one a router seed; a score without training has one.
using CurveFamily = std::vector<SelectiveCurve>;

/// What each resample gives of one family, the mean over its (resampled) seeds.
struct FamilySamples {
  std::vector<std::vector<double>> accuracy;  ///< [coverage][resample]
  std::vector<double> area;                   ///< [resample]
};

/// All samples of one bootstrap. The i-th samples of everything come from the same resampled images: differences are paired.
struct BootstrapSamples {
  std::vector<double> base_accuracy;    ///< [resample]
  std::vector<double> global_accuracy;  ///< [resample]
  std::vector<FamilySamples> families;
};

/// The paired, hierarchical bootstrap (Efron and Tibshirani 1993, chapter 8): a resample draws N images with replacement, the same
/// for every method, and then, a method with several router seeds, as many of its seeds with replacement. So an interval holds both
/// the finite test set and the luck of a router's training. An image's count is looked up along each curve's presorted order.
/// With groups a resample draws them instead of images (the cluster bootstrap; Davison and Hinkley 1997, section 3.8).
/// Errors: kInvalidArgument (options), kBadData (no images, a family without a curve).
Result<BootstrapSamples> paired_bootstrap(std::span<const CurveFamily> families, const routing::Outcomes& outcomes,
                                          const BootstrapOptions& options);

}  // namespace hedge::eval

#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace hedge::eval {

/// An estimate and the ends of its interval; 95 % everywhere in this room.
struct Interval {
  double value = 0;
  double low = 0;
  double high = 0;

  [[nodiscard]] bool contains(double x) const { return x >= low && x <= high; }
  bool operator==(const Interval&) const = default;
};

/// The 97.5 % quantile of the standard normal distribution.
inline constexpr double kZ95 = 1.959963984540054;

/// Wilson's score interval of a share: `hits` of `total` (E. B. Wilson, 1927). It stays inside 0..1 and has a width at 0 and 1 too.
/// Precondition: 0 <= hits <= total, total > 0.
Interval wilson_interval(std::int64_t hits, std::int64_t total);

/// How many independent images tell as much of a share as these: `hits` are 0 or 1, `groups` a number each, equal within a group whose
/// images depend on each other; empty: all are independent. From the variance of the groups' sums (Kish 1965, design effect), at most the
/// number of images; of a share of 0 or 1 the number of groups. Precondition: hits is not empty.
double effective_images(std::span<const std::uint8_t> hits, std::span<const std::int64_t> groups);

/// Wilson's interval of the share of `hits`, as of so many independent images (effective_images). Precondition: hits is not empty.
Interval share_interval(std::span<const std::uint8_t> hits, std::span<const std::int64_t> groups);

/// Where the share measured on `test_size` new images falls with 95 %, having measured `share` on `calibration_size` of them:
/// share +- 1.96 sqrt(q (1 - q) (1/n_cal + 1/n_test)), cut to 0..1. Both samples' variance counts: the calibration's own error, and the
/// test's. Deviation from the plain normal approximation: q = (hits + 1) / (n_cal + 2), so that 0 and 1 keep a width.
/// For coverage the count below a threshold is beta-binomial with about this variance. Precondition: both sizes > 0.
Interval prediction_interval(double share, std::int64_t calibration_size, std::int64_t test_size);

/// The 2.5 and 97.5 percentiles of `samples`, linear between order statistics, around the estimate `value`.
/// Precondition: samples is not empty.
Interval percentile_interval(double value, std::vector<double> samples);

double mean(const std::vector<double>& values);
/// The sample standard deviation (n - 1); 0 for fewer than two values.
double standard_deviation(const std::vector<double>& values);

}  // namespace hedge::eval

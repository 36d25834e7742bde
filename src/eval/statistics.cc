#include "eval/statistics.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>
#include <unordered_map>

namespace hedge::eval {
namespace {

double quantile(const std::vector<double>& sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

/// Of a share of `n` images, which need be no whole number.
Interval wilson(double p, double n) {
  const double z2 = kZ95 * kZ95;
  const double centre = (p + z2 / (2 * n)) / (1 + z2 / n);
  const double half = kZ95 / (1 + z2 / n) * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n));
  return {.value = p, .low = std::clamp(centre - half, 0.0, p), .high = std::clamp(centre + half, p, 1.0)};
}

}  // namespace

Interval wilson_interval(std::int64_t hits, std::int64_t total) {
  assert(total > 0 && hits >= 0 && hits <= total);
  const auto n = static_cast<double>(total);
  return wilson(static_cast<double>(hits) / n, n);
}

double effective_images(std::span<const std::uint8_t> hits, std::span<const std::int64_t> groups) {
  assert(!hits.empty() && (groups.empty() || groups.size() == hits.size()));
  const auto n = static_cast<double>(hits.size());
  if (groups.empty()) return n;
  const double p = std::accumulate(hits.begin(), hits.end(), 0.0) / n;
  std::unordered_map<std::int64_t, double> sums;
  for (std::size_t i = 0; i < hits.size(); ++i) sums[groups[i]] += hits[i] - p;
  const auto count = static_cast<double>(sums.size());
  double between = 0;
  for (const auto& [group, sum] : sums) between += sum * sum;
  if (p * (1 - p) == 0 || between == 0 || count < 2) return count;
  return std::clamp(p * (1 - p) * n * n / (between * count / (count - 1)), 1.0, n);
}

Interval share_interval(std::span<const std::uint8_t> hits, std::span<const std::int64_t> groups) {
  const double p = std::accumulate(hits.begin(), hits.end(), 0.0) / static_cast<double>(hits.size());
  return wilson(p, effective_images(hits, groups));
}

Interval prediction_interval(double share, std::int64_t calibration_size, std::int64_t test_size) {
  assert(calibration_size > 0 && test_size > 0);
  const auto n = static_cast<double>(calibration_size);
  const double q = (share * n + 1) / (n + 2);
  const double half = kZ95 * std::sqrt(q * (1 - q) * (1 / n + 1 / static_cast<double>(test_size)));
  return {.value = share, .low = std::max(0.0, share - half), .high = std::min(1.0, share + half)};
}

Interval percentile_interval(double value, std::vector<double> samples) {
  assert(!samples.empty());
  std::sort(samples.begin(), samples.end());
  return {.value = value, .low = quantile(samples, 0.025), .high = quantile(samples, 0.975)};
}

double mean(const std::vector<double>& values) {
  if (values.empty()) return 0;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double standard_deviation(const std::vector<double>& values) {
  if (values.size() < 2) return 0;
  const double centre = mean(values);
  double sum = 0;
  for (const double value : values) sum += (value - centre) * (value - centre);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

}  // namespace hedge::eval

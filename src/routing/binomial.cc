#include "routing/binomial.h"

#include <cassert>
#include <cmath>
#include <numbers>

namespace hedge::routing {
namespace {

/// ln Gamma(x), x > 0, by Stirling's series above 10 (DLMF 5.11.1). std::lgamma writes a global and is not thread-safe.
double log_gamma(double x) {
  double shift = 0;
  for (; x < 10; x += 1) shift += std::log(x);
  const double r = 1 / (x * x);
  const double series = (1.0 / 12 - r * (1.0 / 360 - r * (1.0 / 1260 - r * (1.0 / 1680 - r / 1188)))) / x;
  return (x - 0.5) * std::log(x) - x + 0.5 * std::log(2 * std::numbers::pi) + series - shift;
}

/// The continued fraction of I(x; a, b), for x below the mean.
double beta_fraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  constexpr double kEnough = 1e-15;
  constexpr int kMostTerms = 100000;  // about sqrt(max(a, b)) are needed
  const auto away_from_zero = [](double v) { return std::abs(v) < kTiny ? kTiny : v; };
  double c = 1;
  double d = 1 / away_from_zero(1 - (a + b) * x / (a + 1));
  double h = d;
  for (int m = 1; m < kMostTerms; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away_from_zero(1 + even * d);
    c = away_from_zero(1 + even / c);
    h *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away_from_zero(1 + odd * d);
    c = away_from_zero(1 + odd / c);
    h *= d * c;
    if (std::abs(d * c - 1) < kEnough) break;
  }
  return h;
}

/// I(x; a, b), a, b > 0.
double incomplete_beta(double a, double b, double x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front = std::exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * std::log(x) + b * std::log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, x) / a;
  return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

}  // namespace

double binomial_cdf(std::int64_t k, std::int64_t n, double p) {
  assert(k >= 0 && k <= n && p >= 0 && p <= 1);
  if (k == n) return 1;
  return incomplete_beta(static_cast<double>(n - k), static_cast<double>(k) + 1, 1 - p);
}

double clopper_pearson_lower(std::int64_t hits, std::int64_t n, double delta) {
  assert(n > 0 && hits >= 0 && hits <= n && delta > 0 && delta < 1);
  if (hits == 0) return 0;
  double low = 0;
  double high = static_cast<double>(hits) / static_cast<double>(n);
  for (int i = 0; i < 60; ++i) {
    const double p = (low + high) / 2;
    // P(X >= hits) grows with p; below the bound it is at most delta.
    (1 - binomial_cdf(hits - 1, n, p) <= delta ? low : high) = p;
  }
  return low;
}

double clopper_pearson_upper(std::int64_t hits, std::int64_t n, double delta) { return 1 - clopper_pearson_lower(n - hits, n, delta); }

std::int64_t fewest_hits(std::int64_t n, double share, double delta) {
  assert(n > 0 && share >= 0 && share <= 1 && delta > 0 && delta < 1);
  std::int64_t low = 0;  // 0 hits show a share of 0, and nothing more
  std::int64_t high = n + 1;
  if (share <= 0) return 0;
  while (high - low > 1) {
    const std::int64_t hits = low + (high - low) / 2;
    (1 - binomial_cdf(hits - 1, n, share) <= delta ? high : low) = hits;
  }
  return high;
}

}  // namespace hedge::routing

#include "routing/binomial.h"

#include <gtest/gtest.h>

#include <cmath>

namespace hedge::routing {
namespace {

/// The sum of the terms, in long double: exact to far below the tolerance for these small n.
double summed_cdf(std::int64_t k, std::int64_t n, double p) {
  long double term = std::pow(1.0L - static_cast<long double>(p), static_cast<long double>(n));
  long double sum = term;
  for (std::int64_t i = 1; i <= k; ++i) {
    term *= static_cast<long double>(n - i + 1) / static_cast<long double>(i) * static_cast<long double>(p) /
            (1.0L - static_cast<long double>(p));
    sum += term;
  }
  return static_cast<double>(sum);
}

/// Of the value itself; the logarithms of the gamma function lose some digits.
constexpr double kRelativeTolerance = 1e-10;

TEST(BinomialCdf, equals_the_sum_of_its_terms) {
  for (const std::int64_t n : {1, 7, 50, 400})
    for (const double p : {0.01, 0.3, 0.5, 0.92})
      for (std::int64_t k = 0; k < n; k += 1 + n / 9) {
        const double expected = summed_cdf(k, n, p);
        EXPECT_NEAR(binomial_cdf(k, n, p), expected, kRelativeTolerance * expected + 1e-15) << n << " " << p << " " << k;
      }
}

TEST(BinomialCdf, has_its_ends) {
  EXPECT_EQ(binomial_cdf(5, 5, 0.3), 1);
  EXPECT_EQ(binomial_cdf(0, 5, 0), 1);
  EXPECT_EQ(binomial_cdf(4, 5, 1), 0);
}

TEST(BinomialCdf, is_about_a_half_at_the_median_of_a_million) { EXPECT_NEAR(binomial_cdf(300000, 1000000, 0.3), 0.5, 1e-3); }

TEST(ClopperPearson, matches_the_closed_form_where_there_is_one) {
  // No hit of n: the upper bound solves (1 - p)^n = delta.
  EXPECT_NEAR(clopper_pearson_upper(0, 59, 0.05), 1 - std::pow(0.05, 1.0 / 59), 1e-12);
  EXPECT_NEAR(clopper_pearson_lower(59, 59, 0.05), std::pow(0.05, 1.0 / 59), 1e-12);
  EXPECT_EQ(clopper_pearson_lower(0, 10, 0.05), 0);
  EXPECT_EQ(clopper_pearson_upper(10, 10, 0.05), 1);
}

TEST(ClopperPearson, its_lower_bound_has_just_delta_in_the_tail) {
  const double low = clopper_pearson_lower(42, 60, 0.1);
  EXPECT_NEAR(1 - binomial_cdf(41, 60, low), 0.1, 1e-9);
}

TEST(FewestHits, is_the_first_count_that_shows_the_share) {
  for (const std::int64_t n : {1, 20, 333}) {
    for (const double share : {0.0, 0.2, 0.8, 0.99, 1.0}) {
      std::int64_t counted = 0;
      const auto tail = [&](std::int64_t hits) { return hits == 0 ? 1.0 : 1 - binomial_cdf(hits - 1, n, share); };
      while (share > 0 && counted <= n && tail(counted) > 0.05) ++counted;
      EXPECT_EQ(fewest_hits(n, share, 0.05), counted) << n << " " << share;
    }
  }
}

TEST(FewestHits, more_than_all_where_nothing_shows_it) {
  EXPECT_EQ(fewest_hits(58, 0.95, 0.05), 59);
  EXPECT_EQ(fewest_hits(59, 0.95, 0.05), 59);
}

}  // namespace
}  // namespace hedge::routing

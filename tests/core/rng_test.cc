#include "core/rng.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

namespace hedge {
namespace {

// The published stream of SplitMix64 for this seed: every split, weight and augmentation of old runs depends on it.
TEST(Rng, gives_the_published_stream) {
  Rng rng(1234567);
  for (const std::uint64_t expected :
       {6457827717110365317ULL, 3203168211198807973ULL, 9817491932198370423ULL, 4593380528125082431ULL, 16408922859458223821ULL})
    EXPECT_EQ(rng.next(), expected);
}

TEST(Rng, goes_on_from_a_saved_state) {
  Rng rng(7);
  rng.next();
  Rng resumed(rng.state());
  for (int i = 0; i < 5; ++i) EXPECT_EQ(rng.next(), resumed.next());
}

TEST(Rng, streams_of_one_seed_differ_and_repeat) {
  Rng first(42, 0), second(42, 1), again(42, 1), other_seed(43, 1);
  const auto a = first.next(), b = second.next();
  EXPECT_NE(a, b);
  EXPECT_EQ(b, again.next());
  EXPECT_NE(b, other_seed.next());
}

TEST(Rng, below_is_in_range_and_even) {
  Rng rng(3);
  std::array<int, 10> counts{};
  constexpr int kDraws = 100000;
  for (int i = 0; i < kDraws; ++i) {
    const auto n = rng.below(10);
    ASSERT_LT(n, 10U);
    ++counts[n];
  }
  // Five standard deviations of a binomial count around a tenth of the draws.
  const double most = 5 * std::sqrt(kDraws * 0.1 * 0.9);
  for (const int count : counts) EXPECT_NEAR(count, kDraws / 10, most);
  EXPECT_EQ(rng.below(1), 0U);
}

TEST(Rng, uniform_and_normal_have_their_moments) {
  Rng rng(5);
  constexpr int kDraws = 100000;
  double sum = 0, normal_sum = 0, normal_squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double u = rng.uniform();
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    sum += u;
    const double n = rng.normal();
    ASSERT_TRUE(std::isfinite(n));
    normal_sum += n;
    normal_squares += n * n;
  }
  // Five standard errors: 1/sqrt(12 n), 1/sqrt(n), sqrt(2/n).
  EXPECT_NEAR(sum / kDraws, 0.5, 5 / std::sqrt(12.0 * kDraws));
  EXPECT_NEAR(normal_sum / kDraws, 0.0, 5 / std::sqrt(1.0 * kDraws));
  EXPECT_NEAR(normal_squares / kDraws, 1.0, 5 * std::sqrt(2.0 / kDraws));
}

TEST(Rng, shuffle_keeps_the_values_and_moves_them) {
  std::vector<int> values(100);
  std::iota(values.begin(), values.end(), 0);
  auto shuffled = values;
  Rng(9).shuffle(std::span<int>(shuffled));
  EXPECT_NE(shuffled, values);
  std::sort(shuffled.begin(), shuffled.end());
  EXPECT_EQ(shuffled, values);
}

}  // namespace
}  // namespace hedge

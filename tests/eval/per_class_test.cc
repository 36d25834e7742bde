#include "eval/per_class.h"

#include <gtest/gtest.h>

#include "eval/eval_testing.h"

namespace hedge::eval {
namespace {

TEST(PerClass, counts_help_and_harm_where_they_happen) {
  // Class 0: two images, one queried and helped. Class 1: three, two queried, one hurt. Class 2: none.
  const std::vector<std::int64_t> labels = {0, 0, 1, 1, 1};
  const routing::Outcomes outcomes = {.base_right = {0, 1, 1, 1, 0}, .global_right = {1, 0, 0, 1, 1}};
  const std::vector<float> scores = {2, 1, 2, 2, 1};
  const PerClass result =
      per_class({.labels = labels, .classes = 3, .outcomes = &outcomes, .scores = scores, .threshold = 1, .resamples = 100});
  ASSERT_EQ(result.rows.size(), 3U);
  EXPECT_DOUBLE_EQ(result.coverage, 0.4);
  EXPECT_EQ(result.rows[0].helped, 1);
  EXPECT_EQ(result.rows[0].hurt, 0);
  EXPECT_EQ(result.rows[1].helped, 0);
  EXPECT_EQ(result.rows[1].hurt, 1);
  EXPECT_DOUBLE_EQ(*result.rows[0].hybrid, 1);
  EXPECT_DOUBLE_EQ(*result.rows[0].base, 0.5);
  EXPECT_DOUBLE_EQ(*result.rows[0].coverage, 0.5);
  EXPECT_DOUBLE_EQ(*result.rows[1].hybrid, 1.0 / 3);
  EXPECT_DOUBLE_EQ(*result.rows[1].global, 2.0 / 3);
  EXPECT_DOUBLE_EQ(result.rows[1].over_base->value, -1.0 / 3);
  EXPECT_EQ(result.rows[2].images, 0);
  EXPECT_FALSE(result.rows[2].hybrid.has_value());
  EXPECT_FALSE(result.rows[2].over_base.has_value());
  EXPECT_DOUBLE_EQ(result.balanced.hybrid.value, (1 + 1.0 / 3) / 2) << "over the classes that have images";
  EXPECT_DOUBLE_EQ(result.balanced.hybrid_over_base.value, (1 + 1.0 / 3) / 2 - (0.5 + 2.0 / 3) / 2);
}

TEST(PerClass, balanced_accuracy_is_not_carried_by_the_many) {
  // 900 images of class 0, all right; 100 of class 1, all wrong: 90 %, balanced 50 %.
  std::vector<std::int64_t> labels(1000, 0);
  std::fill(labels.begin() + 900, labels.end(), 1);
  routing::Outcomes outcomes;
  for (const std::int64_t label : labels) {
    outcomes.base_right.push_back(label == 0 ? 1 : 0);
    outcomes.global_right.push_back(1);
  }
  const std::vector<float> scores(1000, 0);
  const PerClass result =
      per_class({.labels = labels, .classes = 2, .outcomes = &outcomes, .scores = scores, .threshold = 0, .resamples = 100});
  EXPECT_DOUBLE_EQ(result.balanced.base.value, 0.5);
  EXPECT_DOUBLE_EQ(result.balanced.global.value, 1);
  EXPECT_EQ(result.balanced.hybrid, result.balanced.base) << "nothing is queried";
}

TEST(PerClass, intervals_hold_their_estimate_and_shrink_with_the_images) {
  Rng rng(63);
  const auto width = [&](std::size_t n) {
    const routing::Outcomes outcomes = random_outcomes(rng, n);
    std::vector<std::int64_t> labels;
    std::vector<float> scores;
    for (std::size_t i = 0; i < n; ++i) {
      labels.push_back(static_cast<std::int64_t>(rng.below(3)));
      scores.push_back(static_cast<float>(rng.uniform()));
    }
    const PerClass result =
        per_class({.labels = labels, .classes = 3, .outcomes = &outcomes, .scores = scores, .threshold = 0.5F, .resamples = 300});
    for (const ClassRow& row : result.rows) EXPECT_TRUE(row.over_base->contains(row.over_base->value));
    EXPECT_TRUE(result.balanced.hybrid.contains(result.balanced.hybrid.value));
    return result.balanced.hybrid.high - result.balanced.hybrid.low;
  };
  EXPECT_GT(width(300), 2 * width(4800));
}

}  // namespace
}  // namespace hedge::eval

#include "search/pair.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "core/rng.h"

namespace hedge::search {
namespace {

constexpr std::size_t kImages = 400;

/// Two classes, the right one 0: the margin is small exactly where `sure` is false.
Model model(std::string name, double cost, const std::vector<bool>& right, const std::vector<bool>& sure) {
  Model made{.name = std::move(name), .cost = cost, .logits = Tensor(DType::kF32, {kImages, 2})};
  for (std::size_t i = 0; i < kImages; ++i)
    made.logits.data<float>()[2 * i + (right[i] ? 0 : 1)] = sure[i] ? 5.0F + 0.001F * static_cast<float>(i) : 0.1F;
  return made;
}

std::vector<bool> every(std::size_t n, std::size_t offset = 0) {
  std::vector<bool> some(kImages);
  for (std::size_t i = 0; i < kImages; ++i) some[i] = i % n == offset;
  return some;
}

std::vector<bool> opposite(std::vector<bool> values) {
  values.flip();
  return values;
}

class PairTest : public ::testing::Test {
 protected:
  PairTest() {
    for (std::uint32_t i = 0; i < kImages; ++i) (i < kImages / 2 ? choose_ : judge_).push_back(i);
  }
  [[nodiscard]] Result<PairChoice> choose(double most) const { return choose_pair(bases_, globals_, labels_, {choose_, judge_}, most); }

  std::vector<std::int64_t> labels_ = std::vector<std::int64_t>(kImages, 0);
  std::vector<std::uint32_t> choose_, judge_;
  // Wrong on a quarter and knows it; wrong on a fifth and does not know it.
  std::vector<Model> bases_ = {model("honest", 1, opposite(every(4)), opposite(every(4))),
                               model("better alone", 1, opposite(every(5)), std::vector<bool>(kImages, true))};
  // Right where the honest base is wrong; right more often, but elsewhere.
  std::vector<Model> globals_ = {model("complement", 10, every(4), std::vector<bool>(kImages, true)),
                                 model("better alone", 10, opposite(every(4)), std::vector<bool>(kImages, true))};
};

TEST_F(PairTest, takes_the_pair_that_is_right_together_not_the_best_of_each) {
  const auto choice = choose(1 + 0.25 * 10);
  ASSERT_TRUE(choice.ok()) << choice.error().message();
  EXPECT_EQ(choice->chosen.base, 0U);
  EXPECT_EQ(choice->chosen.global, 0U);
  EXPECT_EQ(choice->separate.base, 1U);
  EXPECT_EQ(choice->separate.global, 1U);
  EXPECT_DOUBLE_EQ(choice->chosen.accuracy, 1);
  EXPECT_DOUBLE_EQ(choice->chosen.cost, 3.5);
  EXPECT_DOUBLE_EQ(choice->chosen_judged.value, 1);
  EXPECT_GT(choice->difference.low, 0.1);
  EXPECT_LE(choice->difference.low, choice->difference.value);
  EXPECT_LE(choice->difference.value, choice->difference.high);
}

TEST_F(PairTest, a_front_gets_more_accurate_as_it_costs_more) {
  const auto choice = choose(5).value();
  ASSERT_GE(choice.front.size(), 2U);
  EXPECT_DOUBLE_EQ(choice.front.front().cost, 1);
  for (std::size_t i = 1; i < choice.front.size(); ++i) {
    EXPECT_GT(choice.front[i].cost, choice.front[i - 1].cost);
    EXPECT_GT(choice.front[i].accuracy, choice.front[i - 1].accuracy);
  }
  EXPECT_DOUBLE_EQ(choice.front.back().accuracy, 1);
}

TEST_F(PairTest, does_not_query_more_than_helps) {
  const auto choice = choose(11).value();
  EXPECT_DOUBLE_EQ(choice.chosen.accuracy, 1);
  EXPECT_NEAR(choice.chosen.coverage, 0.75, 0.06);
}

TEST_F(PairTest, refuses_what_cannot_be_chosen_from) {
  EXPECT_EQ(choose(0.5).error().code, ErrorCode::kUnreachable);
  EXPECT_EQ(choose(std::nan("")).error().code, ErrorCode::kUnreachable);
  globals_[1].logits = Tensor(DType::kF32, {kImages, 3});
  EXPECT_EQ(choose(5).error().code, ErrorCode::kMismatch);
  globals_.clear();
  EXPECT_EQ(choose(5).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace hedge::search

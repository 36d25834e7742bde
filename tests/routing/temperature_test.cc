#include "routing/temperature.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/rng.h"
#include "hedge/router.h"

namespace hedge::routing {
namespace {

struct Predictions {
  Tensor logits;
  std::vector<std::int64_t> labels;
};

/// Labels drawn from softmax(logits / truth).
Predictions draw(Rng& rng, std::int64_t n, double truth) {
  constexpr std::int64_t kClasses = 5;
  Predictions p = {.logits = Tensor(DType::kF32, {n, kClasses}), .labels = {}};
  auto z = p.logits.data<float>();
  for (std::int64_t i = 0; i < n; ++i) {
    std::vector<double> mass;
    double total = 0;
    for (std::int64_t c = 0; c < kClasses; ++c) {
      float& logit = z[static_cast<std::size_t>(i * kClasses + c)];
      logit = static_cast<float>(3 * rng.normal());
      mass.push_back(total += std::exp(static_cast<double>(logit) / truth));
    }
    const double at = rng.uniform() * total;
    std::int64_t label = 0;
    while (mass[static_cast<std::size_t>(label)] < at) ++label;
    p.labels.push_back(label);
  }
  return p;
}

TEST(FitTemperature, finds_the_one_that_made_the_labels) {
  Rng rng(41);
  for (const double truth : {0.5, 1.0, 2.5}) {
    const Predictions p = draw(rng, 20000, truth);
    const auto fitted = fit_temperature(p.logits, p.labels);
    ASSERT_TRUE(fitted.ok()) << fitted.error().message();
    EXPECT_NEAR(fitted->value, truth, 0.05 * truth);
    EXPECT_LE(fitted->nll_after, fitted->nll_before);
    EXPECT_EQ(fitted->images, 20000);
  }
}

TEST(FitTemperature, stays_in_its_range_where_the_model_is_always_or_never_right) {
  const Tensor logits = Tensor::of<float>({2, 2}, std::vector<float>{1, 0, 0, 1});
  EXPECT_NEAR(fit_temperature(logits, std::vector<std::int64_t>{0, 1})->value, kLowestTemperature, 1e-6);
  EXPECT_NEAR(fit_temperature(logits, std::vector<std::int64_t>{1, 0})->value, kHighestTemperature, 1e-3);
}

TEST(FitTemperature, refuses_bad_input) {
  const Tensor logits = Tensor::of<float>({2, 2}, std::vector<float>{1, 0, 0, 1});
  EXPECT_EQ(fit_temperature(logits, {}).error().code, ErrorCode::kBadData);
  EXPECT_EQ(fit_temperature(logits, std::vector<std::int64_t>{0}).error().code, ErrorCode::kMismatch);
  EXPECT_EQ(fit_temperature(logits, std::vector<std::int64_t>{0, 2}).error().code, ErrorCode::kBadData);
  const Tensor bad = Tensor::of<float>({1, 2}, std::vector<float>{std::numeric_limits<float>::infinity(), 0});
  EXPECT_EQ(fit_temperature(bad, std::vector<std::int64_t>{0}).error().code, ErrorCode::kBadData);
}

TEST(FreeScoreAtTemperature, is_the_score_of_the_divided_logits) {
  Rng rng(42);
  const Predictions p = draw(rng, 50, 1);
  Tensor divided = p.logits;
  for (float& z : divided.data<float>()) z /= 2;  // exact
  for (const FreeScore score : {FreeScore::kEntropy, FreeScore::kMargin, FreeScore::kMaxProbability})
    EXPECT_EQ(free_score(score, p.logits, 2), free_score(score, divided)) << to_string(score);
}

TEST(Energy, is_the_negative_log_sum_exp_times_the_temperature) {
  const Tensor logits = Tensor::of<float>({2, 3}, std::vector<float>{1, 2, 3, 1001, 1002, 1003});
  const double lse = std::log(std::exp(0.5) + std::exp(1.0) + std::exp(1.5));
  const auto scores = free_score(FreeScore::kEnergy, logits, 2);
  EXPECT_NEAR(scores[0], -2 * lse, 1e-6);
  EXPECT_NEAR(scores[1], -2 * lse - 1000, 1e-3) << "what is added to all logits counts";
  EXPECT_EQ(free_score_named("energy"), FreeScore::kEnergy);
  EXPECT_EQ(free_score_named("gain"), std::nullopt);
}

}  // namespace
}  // namespace hedge::routing

#include "train/adapt_weights.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <set>

#include "hedge/router.h"
#include "train/adapt_method.h"
#include "train/bars.h"
#include "train/held_out.h"

namespace hedge::train {
namespace {

TEST(Weights, are_2_minus_r_and_1_plus_r_with_mean_1) {
  const std::vector<float> share = {0, 0.5, 1};
  const auto base = base_weights(share), global = global_weights(share);
  EXPECT_FLOAT_EQ(base[0] / base[2], 2.0F);
  EXPECT_FLOAT_EQ(global[2] / global[0], 2.0F);
  for (const auto& weights : {base, global}) EXPECT_NEAR(std::accumulate(weights.begin(), weights.end(), 0.0), 3.0, 1e-6);
}

TEST(Weights, by_coverage_fall_beyond_the_base_s_own_coverage) {
  routing::PredictionTable table;
  const std::int64_t rows = 100;
  table.labels = Tensor(DType::kI64, {rows});
  table.base_logits = Tensor(DType::kF32, {rows, 2});
  for (std::int64_t i = 0; i < rows; ++i) table.base_logits.data<float>()[static_cast<std::size_t>(2 * i)] = static_cast<float>(i) / 10;
  const auto weights = coverage_weights(table, 0.8, 0.5);  // row 99 is the surest
  EXPECT_NEAR(std::accumulate(weights.begin(), weights.end(), 0.0), 100.0, 1e-3);
  EXPECT_NEAR(weights[0] / weights[99], 1 - 0.5 / (1 + std::exp(-(0.995 - 0.8) / 0.05)), 1e-5);
  EXPECT_NEAR(weights[20] / weights[99], 1 - 0.5 / (1 + std::exp(-(0.795 - 0.8) / 0.05)), 1e-5);
  const std::vector<double> coverages = {0.0, 0.5, 1.0};
  const auto entropies = entropies_at(table, coverages);
  const auto entropy = routing::free_score(routing::FreeScore::kEntropy, table.base_logits.view());
  EXPECT_EQ(entropies, (std::vector<float>{entropy[99], entropy[49], entropy[0]}));
}

TEST(Methods, give_the_base_what_they_are_named_for) {
  routing::PredictionTable table;
  table.labels = Tensor::of<std::int64_t>({2}, std::vector<std::int64_t>{0, 0});
  table.base_logits = Tensor::of<float>({2, 2}, std::vector<float>{1, 0, 0, 1});
  table.global_logits = Tensor::of<float>({2, 2}, std::vector<float>{0, std::log(3.0F), 30, 0});
  const std::vector<float> share = {0, 1};
  const auto objective = [&](AdaptMethod method) {
    return base_objective(method, {.strength = 0.25, .coverage = 0.5, .share = share, .table = &table});
  };
  EXPECT_EQ(objective(AdaptMethod::kReweight).sample_weights, base_weights(share));
  EXPECT_EQ(objective(AdaptMethod::kCoverage).sample_weights, coverage_weights(table, 0.5, 0.25));
  EXPECT_TRUE(objective(AdaptMethod::kDistil).plain());
  EXPECT_EQ(objective(AdaptMethod::kGatekeeper).deferring->kind, Deferring::Kind::kGatekeeper);
  EXPECT_EQ(objective(AdaptMethod::kOneSided).deferring->strength, 0.25);
  const auto expected = objective(AdaptMethod::kExpected);
  EXPECT_EQ(expected.deferring->thresholds.size(), 6U);
  EXPECT_NEAR(expected.deferring->global_error[0], 0.75, 1e-6);
  EXPECT_NEAR(expected.deferring->global_error[1], 0, 1e-6);
  EXPECT_TRUE(expected.validate(1, 2).ok());
  for (const char* name : {"reweight", "end_to_end", "expected", "coverage", "distil", "scaffold", "gatekeeper", "one_sided"})
    EXPECT_STREQ(to_string(adapt_method(name).value()), name);
  EXPECT_EQ(adapt_method("magic").error().code, ErrorCode::kInvalidArgument);
}

TEST(Shares, are_soft_hard_or_the_oracles) {
  routing::PredictionTable table;
  table.labels = Tensor::of<std::int64_t>({4}, std::vector<std::int64_t>{0, 0, 0, 0});
  table.base_logits = Tensor::of<float>({4, 2}, std::vector<float>{1, 0, 0, 1, 0, 1, 1, 0});    // right, wrong, wrong, right
  table.global_logits = Tensor::of<float>({4, 2}, std::vector<float>{1, 0, 1, 0, 0, 1, 0, 1});  // right, right, wrong, wrong
  const std::vector<float> scores = {-1.0F, 0.9F, 0.1F, 0.2F};
  EXPECT_EQ(shares_of(RouterShare::kOracle, false, scores, table, 0.5).value(), (std::vector<float>{0, 1, 0, 0}));
  EXPECT_EQ(shares_of(RouterShare::kHard, false, scores, table, 0.75).value(), (std::vector<float>{0, 1, 0, 0}));
  const auto soft = shares_of(RouterShare::kSoft, false, scores, table, 0.75).value();
  EXPECT_FLOAT_EQ(soft[3], 0.5F);  // at the threshold
  EXPECT_GT(soft[1], 0.6F);
  EXPECT_LT(soft[0], 0.3F);
  EXPECT_EQ(shares_of(RouterShare::kSoft, true, scores, table, 0.75).value(), (std::vector<float>{0, 0.9F, 0.1F, 0.2F}))
      << "a probability is taken as it is";
  EXPECT_EQ(shares_of(RouterShare::kSoft, true, std::vector<float>{1}, table, 0.75).error().code, ErrorCode::kMismatch);
  EXPECT_EQ(router_share("oracle").value(), RouterShare::kOracle);
  EXPECT_EQ(router_share("loud").error().code, ErrorCode::kInvalidArgument);
}

TEST(HeldOutPart, is_disjoint_whole_and_balanced) {
  const Bars bars(100);
  const auto parts = hold_out(bars, 0.2, 7).value();
  EXPECT_EQ(parts.held->size(), 20U);
  std::set<std::string> ids;
  std::int64_t ones = 0;
  for (std::size_t i = 0; i < parts.fit->size(); ++i) ids.insert(parts.fit->id(i));
  for (std::size_t i = 0; i < parts.held->size(); ++i) ids.insert(parts.held->id(i)), ones += parts.held->label(i);
  EXPECT_EQ(ids.size(), 100U);
  EXPECT_EQ(ones, 10);
  EXPECT_NE(parts.fit->content_hash(), parts.held->content_hash());
  EXPECT_EQ(hold_out(bars, 0.2, 7)->held->content_hash(), parts.held->content_hash());
  EXPECT_NE(hold_out(bars, 0.2, 8)->held->content_hash(), parts.held->content_hash());
  EXPECT_EQ(hold_out(bars, 0.0, 7).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(hold_out(Bars(2), 0.2, 7).error().code, ErrorCode::kBadData);
}

}  // namespace
}  // namespace hedge::train

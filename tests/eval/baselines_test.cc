#include "eval/baselines.h"

#include <gtest/gtest.h>

#include "eval/eval_testing.h"

namespace hedge::eval {
namespace {

constexpr std::size_t kImages = 400;

std::vector<float> random_scores(Rng& rng, std::size_t n) {
  std::vector<float> scores;
  for (std::size_t i = 0; i < n; ++i) scores.push_back(static_cast<float>(rng.uniform()));
  return scores;
}

class Baselines : public ::testing::Test {
 protected:
  Baselines() {
    hybrid_ = {.name = "hybrid",
               .outcomes = random_outcomes(rng_, kImages),
               .scores = {random_scores(rng_, kImages), random_scores(rng_, kImages)},
               .device_macs = 110,
               .cloud_macs = 1000,
               .query_bytes = 784};
    options_.resamples = 200;
  }
  /// Two exits; the first is sure of every third image.
  ExitMethod exits() {
    ExitMethod method{.name = "early_exit", .macs = {200, 1100}};
    method.entropy.resize(1);
    method.right.resize(2);
    for (std::size_t i = 0; i < kImages; ++i) {
      method.entropy[0].push_back(i % 3 == 0 ? 0.1F : 1.0F + static_cast<float>(i) * 1e-4F);
      method.right[0].push_back(i % 3 == 0 ? 1 : 0);
      method.right[1].push_back(1);
    }
    return method;
  }

  Rng rng_{5};
  SharedMethod hybrid_;
  BaselineOptions options_;
};

TEST_F(Baselines, cost_is_what_every_image_and_what_a_query_costs) {
  options_.coverages = {0.25, 1.0};
  const auto rows = baseline_rows(hybrid_, {}, {}, options_);
  ASSERT_TRUE(rows.ok()) << rows.error().message();
  ASSERT_EQ(rows->size(), 2U);
  const auto& row = (*rows)[0];
  EXPECT_DOUBLE_EQ(row.device_macs, 110);
  EXPECT_DOUBLE_EQ(row.cloud_macs, 750);
  EXPECT_DOUBLE_EQ(row.bytes_sent, 0.75 * 784);
  EXPECT_EQ(row.query_bytes, 784);
  EXPECT_DOUBLE_EQ(row.share_sent, 0.75);
  EXPECT_DOUBLE_EQ((*rows)[1].accuracy.value, hybrid_.outcomes.base_accuracy());
}

TEST_F(Baselines, the_hybrid_differs_from_itself_by_nothing) {
  const auto rows = baseline_rows(hybrid_, {hybrid_}, {}, options_).value();
  for (const auto& row : rows) {
    ASSERT_TRUE(row.to_hybrid.has_value());
    EXPECT_EQ(*row.to_hybrid, (Interval{0, 0, 0})) << row.name << " at " << row.coverage;
    EXPECT_LT(row.accuracy.low, row.accuracy.value);
    EXPECT_GT(row.accuracy.high, row.accuracy.value);
  }
}

TEST_F(Baselines, differences_are_paired_across_methods_with_answers_of_their_own) {
  SharedMethod better = hybrid_;
  better.name = "better";
  for (std::size_t i = 0; i < 8; ++i) {  // right on eight images more, whoever answers
    better.outcomes.base_right[i] = better.outcomes.global_right[i] = 1;
    hybrid_.outcomes.base_right[i] = hybrid_.outcomes.global_right[i] = 0;
  }
  options_.coverages = {0.5};
  const auto rows = baseline_rows(hybrid_, {better}, {}, options_).value();
  const auto& difference = *rows[1].to_hybrid;
  EXPECT_NEAR(difference.value, 8.0 / kImages, 1e-12);
  EXPECT_GE(difference.low, 0.0);  // unpaired, the interval of a 2-point difference on 400 images would reach far below 0
  EXPECT_LT(difference.high, 0.05);
}

TEST_F(Baselines, a_method_of_one_end_has_one_row) {
  SharedMethod device{.name = "on_device", .where = Placement::kDevice, .outcomes = hybrid_.outcomes, .device_macs = 100};
  SharedMethod cloud{.name = "on_cloud", .where = Placement::kCloud, .outcomes = hybrid_.outcomes, .cloud_macs = 1000, .query_bytes = 784};
  options_.coverages = {0.5};
  const auto rows = baseline_rows(hybrid_, {device, cloud}, {}, options_).value();
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_DOUBLE_EQ(rows[1].coverage, 1);
  EXPECT_DOUBLE_EQ(rows[1].accuracy.value, hybrid_.outcomes.base_accuracy());
  EXPECT_DOUBLE_EQ(rows[1].bytes_sent, 0);
  EXPECT_DOUBLE_EQ(rows[2].coverage, 0);
  EXPECT_DOUBLE_EQ(rows[2].accuracy.value, hybrid_.outcomes.global_accuracy());
  EXPECT_DOUBLE_EQ(rows[2].cloud_macs, 1000);
  EXPECT_DOUBLE_EQ(rows[2].bytes_sent, 784);
}

TEST_F(Baselines, exits_are_left_at_the_first_sure_one_and_cost_what_was_run) {
  options_.coverages = {0, 1.0 / 3, 1};
  const auto rows = baseline_rows(hybrid_, {}, {exits()}, options_).value();
  ASSERT_EQ(rows.size(), 6U);
  const auto& none = rows[3];
  EXPECT_DOUBLE_EQ(none.coverage, 0);
  EXPECT_DOUBLE_EQ(none.device_macs, 1100);
  EXPECT_DOUBLE_EQ(none.accuracy.value, 1);
  const auto& third = rows[4];
  EXPECT_FLOAT_EQ(*third.threshold, 0.1F);
  EXPECT_DOUBLE_EQ(third.coverage, 134.0 / kImages);  // 0, 3 … 399
  EXPECT_NEAR(third.device_macs, (134 * 200 + 266 * 1100) / 400.0, 1e-9);
  EXPECT_DOUBLE_EQ(third.accuracy.value, 1);
  EXPECT_DOUBLE_EQ(rows[5].device_macs, 200);
  EXPECT_DOUBLE_EQ(rows[5].accuracy.value, 134.0 / kImages);
  EXPECT_DOUBLE_EQ(rows[5].share_sent, 0);
}

TEST_F(Baselines, exits_are_compared_with_the_hybrid_of_the_same_cost) {
  options_.coverages = {1.0 / 3};
  const auto rows = baseline_rows(hybrid_, {}, {exits()}, options_).value();
  const auto& row = rows.back();
  ASSERT_TRUE(row.hybrid_coverage.has_value());
  EXPECT_NEAR(110 + (1 - *row.hybrid_coverage) * 1000, row.device_macs, 1e-9);
  hybrid_.device_macs = 5000;  // the hybrid can never be as cheap
  const auto dear = baseline_rows(hybrid_, {}, {exits()}, options_).value();
  EXPECT_FALSE(dear.back().to_hybrid.has_value());
  EXPECT_FALSE(dear.back().hybrid_coverage.has_value());
}

TEST_F(Baselines, areas_of_two_hybrids_are_compared_on_the_same_images) {
  SharedMethod better = hybrid_;
  for (std::size_t i = 0; i < 40; ++i) {
    hybrid_.outcomes.base_right[i] = hybrid_.outcomes.global_right[i] = 0;
    better.outcomes.base_right[i] = better.outcomes.global_right[i] = 1;
  }
  const auto comparison = compare_areas(better, hybrid_, options_);
  ASSERT_TRUE(comparison.ok());
  EXPECT_NEAR(comparison->difference.value, 0.1, 1e-9);
  EXPECT_GT(comparison->difference.low, 0.05);
  EXPECT_LT(comparison->difference.high, 0.15);
  EXPECT_NEAR(comparison->area.value - comparison->other_area.value, comparison->difference.value, 1e-12);
  ASSERT_EQ(comparison->accuracy_difference.size(), options_.coverages.size());
  for (std::size_t c = 0; c < options_.coverages.size(); ++c) {
    EXPECT_NEAR(comparison->accuracy_difference[c].value, 0.1, 1e-9) << "40 of 400 images, however many are queried";
    EXPECT_GT(comparison->accuracy_difference[c].low, 0.05);
    EXPECT_LT(comparison->accuracy[c].low, comparison->accuracy[c].value);
  }
}

TEST_F(Baselines, refuse_methods_that_do_not_fit) {
  SharedMethod shorter{.name = "shorter", .outcomes = random_outcomes(rng_, 10), .scores = {random_scores(rng_, 10)}};
  EXPECT_EQ(baseline_rows(hybrid_, {shorter}, {}, options_).error().code, ErrorCode::kMismatch);
  auto broken = exits();
  broken.macs.pop_back();
  EXPECT_EQ(baseline_rows(hybrid_, {}, {broken}, options_).error().code, ErrorCode::kMismatch);
  broken = exits();
  broken.entropy[0][3] = std::nanf("");
  EXPECT_EQ(baseline_rows(hybrid_, {}, {broken}, options_).error().code, ErrorCode::kBadData);
  options_.resamples = 3;
  EXPECT_EQ(baseline_rows(hybrid_, {}, {}, options_).error().code, ErrorCode::kInvalidArgument);
  options_.resamples = 200;
  EXPECT_EQ(baseline_rows({.name = "nothing"}, {}, {}, options_).error().code, ErrorCode::kBadData);
}

}  // namespace
}  // namespace hedge::eval

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eval/evaluate_fixture.h"

namespace hedge::eval {
namespace {

using ::testing::HasSubstr;

TEST_F(EvaluateTest, refuses_a_table_of_a_split_that_was_fitted_or_calibrated_on) {
  options_.fitted_hashes.push_back(table_.info.content_hash);
  auto report = evaluate(table_, two_methods(table_), options_);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kMismatch);
  EXPECT_THAT(report.error().message(), HasSubstr("fitted on this table's own split"));
  options_.fitted_hashes.clear();
  options_.calibration_hashes = {table_.info.content_hash};
  report = evaluate(table_, two_methods(table_), options_);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kMismatch);
  EXPECT_THAT(report.error().message(), HasSubstr("calibrated"));
}

TEST_F(EvaluateTest, refuses_a_part_of_a_split_that_was_fitted_or_calibrated_on) {
  const auto refusal = [&] {
    const auto report = evaluate(table_, two_methods(table_), options_);
    return report.ok() ? std::string() : report.error().message();
  };
  options_.fitted_datasets = {"", "synthetic?split=train", "other?split=test"};
  options_.calibration_datasets = {"synthetic?split=calibration"};
  EXPECT_EQ(refusal(), "");
  options_.fitted_datasets.push_back("synthetic?split=test&limit=100");
  EXPECT_THAT(refusal(), HasSubstr("fitted on this table's own split"));
  options_.fitted_datasets.clear();
  options_.calibration_datasets.push_back("synthetic?split=all");
  EXPECT_THAT(refusal(), HasSubstr("calibrated on this table's own split"));
  options_.calibration_datasets.clear();
  options_.policy = PolicyUse{.policy = {.fit_dataset = "synthetic?split=test", .calibration_size = 100}};
  EXPECT_THAT(refusal(), HasSubstr("fitted on this table's own split"));
  options_.policy = PolicyUse{.policy = {.held_out_dataset = "synthetic?split=test&limit=9", .calibration_size = 100}};
  EXPECT_THAT(refusal(), HasSubstr("fitted on this table's own split")) << "what the router was chosen on";
  options_.policy = PolicyUse{.policy = {.calibration_size = 100, .fusion = routing::Fusion{.fit_dataset = "synthetic?split=test"}}};
  EXPECT_THAT(refusal(), HasSubstr("fitted on this table's own split")) << "what fused answers were learned on";
  options_.policy = PolicyUse{.policy = {.calibration_dataset = "synthetic?split=test&limit=7", .calibration_size = 100}};
  EXPECT_THAT(refusal(), HasSubstr("calibrated on this table's own split"));
}

TEST_F(EvaluateTest, refuses_the_split_that_a_model_was_trained_on) {
  table_.info.base_trained_on = "synthetic?split=train";
  EXPECT_TRUE(evaluate(table_, two_methods(table_), options_).ok());
  table_.info.global_trained_on = "synthetic?split=all";
  const auto report = evaluate(table_, two_methods(table_), options_);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kMismatch);
  EXPECT_THAT(report.error().message(), HasSubstr("the global was trained on"));
}

TEST_F(EvaluateTest, the_policys_own_hashes_and_models_are_checked_too) {
  const auto code_with = [&](const routing::Policy& policy) {
    options_.policy = PolicyUse{.policy = policy};
    const auto report = evaluate(table_, two_methods(table_), options_);
    return report.ok() ? 0 : static_cast<int>(report.error().code);
  };
  const routing::Policy good = {
      .base_sha256 = "hash-of-base", .fit_hash = "hash-of-train", .calibration_hash = "cal", .calibration_size = 100};
  constexpr int kMismatch = static_cast<int>(ErrorCode::kMismatch);
  EXPECT_EQ(code_with(good), 0);
  routing::Policy changed = good;
  changed.fit_hash = table_.info.content_hash;
  EXPECT_EQ(code_with(changed), kMismatch);
  changed = good;
  changed.calibration_hash = table_.info.content_hash;
  EXPECT_EQ(code_with(changed), kMismatch);
  changed = good;
  changed.base_sha256 = "another";
  EXPECT_EQ(code_with(changed), kMismatch);
  changed = good;
  changed.global_sha256 = "another";
  EXPECT_EQ(code_with(changed), kMismatch);
}

}  // namespace
}  // namespace hedge::eval

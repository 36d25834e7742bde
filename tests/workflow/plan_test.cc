#include "workflow/plan.h"

#include <gtest/gtest.h>

namespace hedge::workflow {
namespace {

eval::Interval around(double value) { return {value, value - 0.01, value + 0.01}; }

/// A curve of the hybrid, entropy, and a method whose base is a larger network.
eval::EvaluationReport small_report() {
  eval::EvaluationReport report{.base = {.macs = 1000, .accuracy = around(0.5)}, .global = {.macs = 100000, .accuracy = around(0.8)}};
  report.router_macs = 10;
  report.default_method = "hybrid";
  report.methods = {{.name = "larger", .router_macs = 10, .base_macs = 3000, .global_macs = 100000, .global_accuracy = 0.81}};
  for (const double coverage : {1.0, 0.5})  // lines come in ascending coverage, whatever the order here
    report.curve.push_back({.coverage = coverage,
                            .methods = {{.method = "hybrid", .accuracy = around(0.7)},
                                        {.method = "entropy", .accuracy = around(0.6)},
                                        {.method = "larger", .accuracy = around(0.65)}}});
  return report;
}

const plan::Line* line_of(const std::vector<plan::Line>& lines, const std::string& name) {
  for (const auto& line : lines)
    if (line.name == name) return &line;
  return nullptr;
}

TEST(PlanLines, are_the_curves_methods_with_their_ends_and_base_and_global_alone) {
  const auto lines = lines_of(small_report(), 3072).value();
  std::vector<std::string> names;
  for (const auto& line : lines) names.push_back(line.name);
  EXPECT_EQ(names, (std::vector<std::string>{"hybrid", "entropy", "larger", "on_device", "on_cloud"}));
  const auto& hybrid = lines[0];
  ASSERT_EQ(hybrid.points.size(), 3U);
  EXPECT_EQ(hybrid.points[0].coverage, 0);
  EXPECT_EQ(hybrid.points[0].accuracy, 0.8) << "the cloud's end";
  EXPECT_FALSE(hybrid.points[0].low.has_value());
  EXPECT_EQ(hybrid.points[1].coverage, 0.5);
  EXPECT_EQ(hybrid.points[1].low, around(0.7).low);
  EXPECT_EQ(hybrid.points[1].workload.device_macs, 1010) << "base and router";
  EXPECT_EQ(lines[1].points[1].workload.device_macs, 1000) << "a free score has no router";
  EXPECT_TRUE(hybrid.own_models);
  EXPECT_FALSE(lines[2].own_models);
  EXPECT_EQ(lines[2].points[1].workload.device_macs, 3010);
  EXPECT_EQ(lines[2].points[0].accuracy, 0.81) << "its own end";
  EXPECT_EQ(lines[4].points[0].workload.query_bytes, 3072);
}

TEST(PlanLines, have_the_baselines_rows_that_the_curve_has_not) {
  auto report = small_report();
  const eval::BaselineRow row{.name = "split_int8",
                              .variant = "conv5",
                              .coverage = 0.5,
                              .accuracy = around(0.6),
                              .device_macs = 500,
                              .cloud_macs = 1e8,
                              .query_bytes = 1000,
                              .share_sent = 0.5};
  auto later = row, known = row, other = row;
  later.coverage = 0.25;
  known.name = "entropy";
  other.variant = "conv6";
  report.baselines = eval::Baselines{.rows = {row, later, known, other}};
  const auto lines = lines_of(report, 3072).value();
  const auto* split = line_of(lines, "split_int8");
  ASSERT_NE(split, nullptr);
  EXPECT_EQ(split->variant, "conv5");
  ASSERT_EQ(split->points.size(), 2U);
  EXPECT_EQ(split->points[0].coverage, 0.25) << "ascending";
  EXPECT_EQ(split->points[1].workload.cloud_macs, 2e8) << "of one that is sent";
  EXPECT_EQ(split->points[1].workload.query_bytes, 1000) << "its own bytes";
  EXPECT_EQ(line_of(lines, "entropy")->points.size(), 3U) << "the curve has it already";
  EXPECT_EQ(lines.size(), 7U) << "a line a variant";
}

TEST(PlanLines, need_a_hybrid) {
  auto report = small_report();
  report.curve.clear();
  EXPECT_EQ(lines_of(report, 1).error().code, ErrorCode::kBadData);
  report = small_report();
  report.has_global = false;
  EXPECT_EQ(lines_of(report, 1).error().code, ErrorCode::kBadData);
}

TEST(PlanProfiles, of_a_file_that_is_not_there_are_an_error) {
  EXPECT_EQ(read_profiles("/nowhere/profiles.json").error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(read_profiles({}).value().devices.empty());
}

}  // namespace
}  // namespace hedge::workflow

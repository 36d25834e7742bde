#include "eval/verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hedge::eval {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Interval around(double value, double half = 0.005) { return {.value = value, .low = value - half, .high = value + half}; }

/// Base 80 %, global 90 %; at coverages 0.5, 0.7 and 1 the hybrid has the given accuracies.
EvaluationReport report_of(double at50, double at70) {
  EvaluationReport report;
  report.images = 10000;
  report.default_method = "hybrid";
  report.base = {.macs = 100, .accuracy = around(0.8)};
  report.global = {.macs = 1000, .accuracy = around(0.9)};
  report.global_over_base = around(0.1);
  for (const auto& [coverage, accuracy] : {std::pair{0.5, at50}, std::pair{0.7, at70}, std::pair{1.0, 0.8}})
    report.curve.push_back({.coverage = coverage,
                            .macs = 100 + (1 - coverage) * 1000,
                            .methods = {{.method = "hybrid", .accuracy = around(accuracy)}},
                            .over_base = around(accuracy - 0.8),
                            .over_global = around(accuracy - 0.9)});
  report.areas.push_back({.method = "hybrid", .to_entropy = around(0.02), .to_margin = around(0.01)});
  return report;
}

TEST(Verdict, recommends_the_highest_coverage_as_good_as_the_cloud) {
  const std::string text = verdict(report_of(0.91, 0.9));
  EXPECT_THAT(text, StartsWith("A hybrid is worth it at 70 % coverage: 90.0 %"));
  EXPECT_THAT(text, HasSubstr("10.00 points (95 %: +9.50 to +10.50) above the base alone (80.0 %)"));
  EXPECT_THAT(
      text, HasSubstr("not shown to differ from asking the cloud always (90.0 %): the difference is +0.00 points (95 %: -0.50 to +0.50)"));
  EXPECT_THAT(text, HasSubstr("sends 30 % of the images to the cloud"));
  EXPECT_THAT(text, HasSubstr("40 % of the cloud's MACs"));
  EXPECT_THAT(text, HasSubstr("its mean accuracy is 1.00 points (95 %: +0.50 to +1.50) above margin's and 2.00 points"));
}

TEST(Verdict, is_better_than_the_cloud_only_where_the_whole_interval_is) {
  EvaluationReport report = report_of(0.91, 0.906);
  EXPECT_THAT(verdict(report), HasSubstr("0.60 points (95 %: +0.10 to +1.10) above asking the cloud always (90.0 %)"));
  report.curve[1].over_global = around(0.006, 0.007);
  EXPECT_THAT(verdict(report), HasSubstr("not shown to differ"));
  EXPECT_THAT(verdict(report), Not(HasSubstr("above asking the cloud")));
}

TEST(Verdict, tells_no_share_of_macs_that_are_not_known) {
  EvaluationReport report = report_of(0.91, 0.9);
  report.base.macs = 0;
  EXPECT_THAT(verdict(report), Not(HasSubstr("MACs")));
  report.base.macs = 100;
  report.global.macs = 0;
  EXPECT_THAT(verdict(report), Not(HasSubstr("MACs")));
}

TEST(Verdict, else_the_highest_that_keeps_most_of_the_gain) {
  const std::string text = verdict(report_of(0.895, 0.88));
  EXPECT_THAT(text, StartsWith("A hybrid is worth it at 50 % coverage"));
  EXPECT_THAT(text, HasSubstr("95 % of what asking the cloud always adds"));
}

TEST(Verdict, says_so_where_the_hybrid_loses_the_gain) {
  EXPECT_THAT(verdict(report_of(0.85, 0.83)), StartsWith("A hybrid is not worth it"));
}

TEST(Verdict, query_nothing_where_the_global_is_not_better) {
  EvaluationReport report = report_of(0.8, 0.8);
  report.global.accuracy = around(0.79);
  report.global_over_base = around(-0.01);
  EXPECT_THAT(verdict(report), StartsWith("Query nothing"));
  report.global_over_base = Interval{};
  EXPECT_THAT(verdict(report), StartsWith("Query nothing"));
}

TEST(Verdict, is_cautious_where_the_interval_holds_zero) {
  EvaluationReport report = report_of(0.9, 0.9);
  report.global_over_base = around(0.1, 0.2);
  report.curve[1].over_base = around(0.1, 0.2);
  const std::string text = verdict(report);
  EXPECT_THAT(text, StartsWith("The global is not shown to be better"));
  EXPECT_THAT(text, HasSubstr("not shown to be worth it"));
}

TEST(Verdict, counts_the_computation) {
  EvaluationReport report = report_of(0.91, 0.9);
  report.curve[1].macs = 1100;
  EXPECT_THAT(verdict(report), StartsWith("A hybrid is not worth its computation"));
}

TEST(Verdict, says_when_a_free_score_suffices_or_is_better) {
  EvaluationReport report = report_of(0.91, 0.9);
  report.areas[0].to_margin = around(0.001);
  EXPECT_THAT(verdict(report), HasSubstr("A free score suffices"));
  report.areas[0].to_margin = around(-0.01);
  EXPECT_THAT(verdict(report),
              HasSubstr("Use margin, a free score, instead of the fitted router: the router's mean accuracy is 1.00 points"));
  EXPECT_THAT(verdict(report), HasSubstr("below margin's"));
  report.default_method = "margin";
  EXPECT_THAT(verdict(report), Not(HasSubstr("free score")));
}

}  // namespace
}  // namespace hedge::eval

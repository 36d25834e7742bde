#include <gtest/gtest.h>

#include "plan/report_plan.h"

namespace hedge::plan {
namespace {

const MeasuredLatency kMeasured{.executor = "test", .base_ms = 2, .router_ms = 0.5, .global_ms = 10};

/// The hybrid, a free score, and a method whose base is a larger network; each at coverages 0.5 and 1.
std::vector<Line> three_lines() {
  const auto line = [](const char* name, double device_macs, double router_macs, bool own) {
    Line one{.name = name, .own_models = own, .router_macs = router_macs};
    for (const double coverage : {0.5, 1.0})
      one.points.push_back(
          {.coverage = coverage,
           .accuracy = 0.7,
           .workload = {.device_macs = device_macs + router_macs, .cloud_macs = 100000, .query_bytes = 3072, .share_sent = 1 - coverage}});
    return one;
  };
  return {line("hybrid", 1000, 10, true), line("entropy", 1000, 0, true), line("larger", 3000, 10, false)};
}

Plan plan_of(const char* explored) {
  const auto profiles = default_profiles().value();
  const auto setting = choose_setting(profiles, "stm32h7a3", "wifi", "server").value();
  return make_plan(three_lines(), {.setting = setting, .query_bytes = 3072, .measured = kMeasured, .explored = explored}).value();
}

const Point& half_sent(const Plan& plan, const std::string& name) {
  for (const auto& line : plan.lines)
    if (line.name == name) return line.points.front();
  static const Point none;
  return none;
}

TEST(Measured, times_are_of_the_reports_own_models) {
  const auto plan = plan_of("hybrid");
  EXPECT_DOUBLE_EQ(half_sent(plan, "hybrid").measured_ms.value(), 2 + 0.5 + 5);
  EXPECT_DOUBLE_EQ(half_sent(plan, "entropy").measured_ms.value(), 2 + 5) << "a free score has no router to run";
  EXPECT_FALSE(half_sent(plan, "larger").measured_ms.has_value()) << "nobody has measured its base";
}

TEST(Measured, the_explorer_costs_what_its_method_costs) {
  EXPECT_DOUBLE_EQ(plan_of("hybrid").explored->measured_fixed_ms.value(), 2.5);
  EXPECT_DOUBLE_EQ(plan_of("entropy").explored->measured_fixed_ms.value(), 2);
  EXPECT_DOUBLE_EQ(plan_of("entropy").explored->measured_per_query_ms.value(), 10);
  EXPECT_FALSE(plan_of("larger").explored->measured_fixed_ms.has_value());
  EXPECT_FALSE(plan_of("nobody").explored.has_value());
}

}  // namespace
}  // namespace hedge::plan

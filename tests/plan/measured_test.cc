#include <gtest/gtest.h>

#include "plan/report_plan.h"

namespace hedge::plan {
namespace {

const MeasuredLatency kMeasured{.executor = "test", .base_ms = 2, .router_ms = 0.5, .global_ms = 10};

/// A report with the hybrid, a free score, and a method whose base is a larger network.
Json report_of_three(const char* default_method) {
  const auto interval = [](double value) { return Json{{"value", value}, {"low", value - 0.01}, {"high", value + 0.01}}; };
  Json report = {{"base", {{"macs", 1000}, {"accuracy", interval(0.5)}}},
                 {"global", {{"macs", 100000}, {"accuracy", interval(0.8)}}},
                 {"router", {{"macs", 10}}},
                 {"default_method", default_method},
                 {"methods", {{{"name", "larger"}, {"base_macs", 3000}, {"router_macs", 10}, {"global_macs", 100000}}}},
                 {"curve", Json::array()}};
  for (const double coverage : {0.5, 1.0})
    report["curve"].push_back({{"coverage", coverage}, {"hybrid", interval(0.7)}, {"entropy", interval(0.6)}, {"larger", interval(0.65)}});
  return report;
}

Json plan_of(const char* default_method) {
  const auto profiles = default_profiles().value();
  const auto setting = choose_setting(profiles, "stm32h7a3", "wifi", "server").value();
  return make_plan(report_of_three(default_method), {.setting = setting, .query_bytes = 3072, .measured = kMeasured}).value();
}

const Json& half_sent(const Json& plan, const std::string& name) {
  for (const auto& line : plan.at("lines"))
    if (line.at("name") == name)
      for (const auto& point : line.at("points"))
        if (point.at("coverage") == 0.5) return point;
  static const Json none;
  return none;
}

TEST(Measured, times_are_of_the_reports_own_models) {
  const auto plan = plan_of("hybrid");
  EXPECT_DOUBLE_EQ(half_sent(plan, "hybrid").at("measured_ms").get<double>(), 2 + 0.5 + 5);
  EXPECT_DOUBLE_EQ(half_sent(plan, "entropy").at("measured_ms").get<double>(), 2 + 5) << "a free score has no router to run";
  EXPECT_TRUE(half_sent(plan, "larger").at("measured_ms").is_null()) << "nobody has measured its base";
}

TEST(Measured, the_explorer_costs_what_its_method_costs) {
  EXPECT_DOUBLE_EQ(plan_of("hybrid").at("explorer").at("measured_ms").at("fixed").get<double>(), 2.5);
  EXPECT_DOUBLE_EQ(plan_of("entropy").at("explorer").at("measured_ms").at("fixed").get<double>(), 2);
  EXPECT_FALSE(plan_of("larger").at("explorer").contains("measured_ms"));
}

}  // namespace
}  // namespace hedge::plan

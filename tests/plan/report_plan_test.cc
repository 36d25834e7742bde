#include "plan/report_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hedge::plan {
namespace {

using testing::HasSubstr;

Setting poster() { return choose_setting(default_profiles().value(), "poster-mcu", "poster", "instant").value(); }

Json interval(double value) { return {{"value", value}, {"low", value - 0.01}, {"high", value + 0.01}}; }

/// A hybrid between 51.5 % on the device and 79.9 % in the cloud, straight between them; entropy three points below in between.
Json small_report() {
  Json report = {{"schema", 1},
                 {"base", {{"name", "b"}, {"macs", 12790096}, {"accuracy", interval(0.515)}}},
                 {"global", {{"name", "g"}, {"macs", 600000000}, {"accuracy", interval(0.799)}}},
                 {"router", {{"name", "gain"}, {"macs", 12790}}},
                 {"curve", Json::array()}};
  for (const double coverage : {0.3, 0.5, 0.8, 1.0}) {
    const double accuracy = 0.799 - 0.284 * coverage;
    report["curve"].push_back({{"coverage", coverage},
                               {"macs", 1},
                               {"hybrid", interval(accuracy)},
                               {"entropy", interval(coverage == 1 ? accuracy : accuracy - 0.03)}});
  }
  return report;
}

const Json* line_of(const Json& plan, const std::string& name) {
  for (const auto& line : plan.at("lines"))
    if (line.at("name") == name) return &line;
  return nullptr;
}

TEST(Cost, is_the_formula_term_by_term) {
  const Setting setting{.device = {.macs_per_ms = 100, .overhead_ms = 2, .power_mw = 50},
                        .link = {.rtt_ms = 10, .bytes_per_ms = 20, .session_mj = 7, .energy_uj_per_byte = 3, .wait_mw = 40},
                        .cloud = {.macs_per_ms = 1000, .overhead_ms = 1}};
  const Workload workload{.device_macs = 800, .cloud_macs = 4000, .query_bytes = 600, .share_sent = 0.25};
  // Device 2 + 8 ms; link 10 + 30 ms, cloud 1 + 4 ms.
  const Cost cost = cost_of(workload, setting);
  EXPECT_DOUBLE_EQ(cost.latency_ms, 10 + 0.25 * 45);
  EXPECT_DOUBLE_EQ(cost.energy_mj, 50 * 10 / 1000.0 + 0.25 * (7 + 600 * 3 / 1000.0 + 40 * 45 / 1000.0));
  const auto linear = linear_cost(workload, setting);
  EXPECT_DOUBLE_EQ(linear.at(0).latency_ms, 10);
  EXPECT_DOUBLE_EQ(linear.at(0.25).energy_mj, cost.energy_mj);
}

TEST(Cost, in_the_posters_setting_is_the_posters) {
  // Base alone 200 ms; 40 % sent: 200 + 0.4 * 2000 ms; 0.1 mJ a ms.
  const Workload workload{.device_macs = 12790096, .cloud_macs = 1e9, .query_bytes = 150528, .share_sent = 0.4};
  const Cost cost = cost_of(workload, poster());
  EXPECT_NEAR(cost.latency_ms, 1000, 0.01);
  EXPECT_NEAR(cost.energy_mj, 100, 0.01);
}

TEST(Plan, costs_each_method_at_each_coverage) {
  const auto plan = make_plan(small_report(), {.setting = poster(), .query_bytes = 150528});
  ASSERT_TRUE(plan.ok()) << plan.error().message();
  const auto* hybrid = line_of(*plan, "hybrid");
  ASSERT_NE(hybrid, nullptr);
  const auto& points = hybrid->at("points");
  ASSERT_EQ(points.size(), 5U) << "the curve's four and the cloud's end";
  EXPECT_EQ(points[0].at("coverage"), 0.0);
  EXPECT_EQ(points[0].at("accuracy"), 0.799);
  EXPECT_TRUE(points[0].at("low").is_null());
  EXPECT_EQ(points[3].at("low"), small_report()["curve"][2]["hybrid"]["low"]);
  const double device_ms = (12790096 + 12790) / (12790096 / 200.0);
  EXPECT_NEAR(points[3].at("latency_ms").get<double>(), device_ms + 0.2 * 2000, 1e-3) << "base and router, one in five sent";
  EXPECT_NEAR(line_of(*plan, "entropy")->at("points")[3].at("latency_ms").get<double>(), 600, 1e-3) << "a free score costs no MACs";
  EXPECT_NEAR(points[3].at("macs").get<double>(), 12790096 + 12790 + 0.2 * 600000000, 1e-3);
  EXPECT_NEAR(line_of(*plan, "on_cloud")->at("points")[0].at("latency_ms").get<double>(), 2000, 1e-3);
  EXPECT_NEAR(line_of(*plan, "on_device")->at("points")[0].at("energy_mj").get<double>(), 20, 1e-9);
  EXPECT_NEAR(plan->at("explorer").at("latency_ms").at("per_query").get<double>(), 2000, 1e-3);
}

TEST(Plan, orders_the_methods_beside_the_posters) {
  const auto plan = make_plan(small_report(), {.setting = poster(), .query_bytes = 1});
  ASSERT_TRUE(plan.ok());
  const auto& rows = plan->at("order").at("rows");
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[1].at("here")[0].at("name"), "hybrid");
  EXPECT_EQ(rows[1].at("here")[1].at("name"), "entropy");
  EXPECT_EQ(rows[1].at("here").back().at("name"), "on_device") << "more time than it takes changes nothing";
  EXPECT_EQ(rows[1].at("here").back().at("accuracy"), rows[0].at("here").back().at("accuracy"));
  EXPECT_EQ(rows[1].at("poster")[0].at("name"), "upper_bound");
  EXPECT_EQ(rows[1].at("poster")[1].at("name"), "hybrid");
  EXPECT_DOUBLE_EQ(rows[1].at("poster")[1].at("accuracy").get<double>(), 0.708) << "at 1000 ms";
  EXPECT_NEAR(rows[1].at("relative").get<double>(), 800.0 / 1800, 1e-12);
  // 44 % of the way: straight between the ends, at a share sent of (1000 - device) / 2000.
  const double device_ms = (12790096 + 12790) / (12790096 / 200.0);
  EXPECT_NEAR(rows[1].at("here")[0].at("accuracy").get<double>(), 0.515 + 0.284 * (1000 - device_ms) / 2000, 1e-4);
}

TEST(Plan, where_the_cloud_is_faster_there_is_no_order_to_compare) {
  const auto setting = choose_setting(default_profiles().value(), "poster-mcu", "wifi", "server").value();
  EXPECT_TRUE(make_plan(small_report(), {.setting = setting, .query_bytes = 1000})->at("order").is_null());
}

TEST(Plan, takes_the_baselines_rows_with_their_own_bytes_and_macs) {
  auto report = small_report();
  const Json row = {{"name", "split_int8"},      {"variant", "conv5"},       {"where", "edge-cloud"}, {"coverage", 0.5},
                    {"accuracy", interval(0.6)}, {"device_macs", 6395048.0}, {"cloud_macs", 1e8},     {"bytes_sent", 500.0},
                    {"bytes_a_query", 1000.0},   {"share_sent", 0.5}};
  auto known = row;
  known["name"] = "entropy";
  report["baselines"] = {{"picture_bytes", 3072}, {"rows", {row, known}}};
  const auto setting = choose_setting(default_profiles().value(), "poster-mcu", "wifi", "server").value();
  const auto plan = make_plan(report, {.setting = setting});
  ASSERT_TRUE(plan.ok()) << plan.error().message();
  EXPECT_EQ(plan->at("query_bytes"), 3072.0) << "the baselines say it";
  const auto* split = line_of(*plan, "split_int8");
  ASSERT_NE(split, nullptr);
  EXPECT_EQ(split->at("variant"), "conv5");
  EXPECT_NEAR(split->at("points")[0].at("latency_ms").get<double>(), 100 + 0.5 * (10 + 1000 / 500.0 + 2 + 2e8 / 1e8), 1e-6);
  EXPECT_EQ(line_of(*plan, "entropy")->at("points").size(), 5U) << "the curve has it already";
}

TEST(Plan, measured_times_are_those_of_models_that_run) {
  auto report = small_report();
  const MeasuredLatency measured{.executor = "test", .base_ms = 2, .router_ms = 0.5, .global_ms = 10};
  const auto plan = make_plan(report, {.setting = poster(), .query_bytes = 1, .measured = measured});
  ASSERT_TRUE(plan.ok()) << plan.error().message();
  EXPECT_DOUBLE_EQ(line_of(*plan, "hybrid")->at("points")[3].at("measured_ms").get<double>(), 2.5 + (1 - 0.8) * 10);
  EXPECT_DOUBLE_EQ(line_of(*plan, "entropy")->at("points")[3].at("measured_ms").get<double>(), 2 + (1 - 0.8) * 10);
  EXPECT_DOUBLE_EQ(line_of(*plan, "on_cloud")->at("points")[0].at("measured_ms").get<double>(), 10);
  EXPECT_EQ(
      make_plan(report, {.setting = poster(), .query_bytes = 1, .measured = MeasuredLatency{.base_ms = 0, .global_ms = 1}}).error().code,
      ErrorCode::kInvalidArgument);
}

TEST(Plan, refuses_reports_that_it_cannot_cost) {
  const auto code = [](const Json& report, double bytes = 100) {
    return make_plan(report, {.setting = poster(), .query_bytes = bytes}).error().code;
  };
  EXPECT_EQ(code(small_report(), 0), ErrorCode::kInvalidArgument) << "nobody says the bytes";
  EXPECT_EQ(code(small_report(), -1), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(Json::array()), ErrorCode::kBadData);
  auto report = small_report();
  report["base"]["macs"] = 0;
  EXPECT_EQ(code(report), ErrorCode::kBadData) << "on_device costs nothing: MACs not known";
  report = small_report();
  report["global"] = nullptr;
  EXPECT_EQ(code(report), ErrorCode::kBadData);
  report = small_report();
  report["curve"][1]["hybrid"]["value"] = "high";
  EXPECT_EQ(code(report), ErrorCode::kBadFormat);
  report = small_report();
  report["curve"] = Json::array();
  EXPECT_EQ(code(report), ErrorCode::kBadData);
  report = small_report();
  report["baselines"] = {{"rows", {{{"name", "split_f32"}}}}};
  EXPECT_EQ(code(report), ErrorCode::kBadFormat);
}

}  // namespace
}  // namespace hedge::plan

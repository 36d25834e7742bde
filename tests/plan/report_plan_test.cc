#include "plan/report_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/plan_json.h"

namespace hedge::plan {
namespace {

using testing::HasSubstr;

Setting paper() { return choose_setting(default_profiles().value(), "paper-mcu", "paper", "instant").value(); }

Point point(double coverage, double accuracy, const Workload& workload) {
  return {.coverage = coverage, .accuracy = accuracy, .low = accuracy - 0.01, .high = accuracy + 0.01, .workload = workload};
}

constexpr double kBaseMacs = 12790096, kRouterMacs = 12790, kGlobalMacs = 600000000;

/// A hybrid between 51.5 % on the device and 79.9 % in the cloud, straight between them; entropy three points below in between.
std::vector<Line> small_lines(double query_bytes = 150528) {
  Line hybrid{.name = "hybrid", .own_models = true, .router_macs = kRouterMacs}, entropy{.name = "entropy", .own_models = true};
  const auto workload = [&](double router, double coverage) {
    return Workload{.device_macs = kBaseMacs + router, .cloud_macs = kGlobalMacs, .query_bytes = query_bytes, .share_sent = 1 - coverage};
  };
  for (auto* line : {&hybrid, &entropy})
    line->points.push_back({.coverage = 0, .accuracy = 0.799, .workload = workload(line->router_macs, 0)});
  for (const double coverage : {0.3, 0.5, 0.8, 1.0}) {
    const double accuracy = 0.799 - 0.284 * coverage;
    hybrid.points.push_back(point(coverage, accuracy, workload(kRouterMacs, coverage)));
    entropy.points.push_back(point(coverage, coverage == 1 ? accuracy : accuracy - 0.03, workload(0, coverage)));
  }
  return {hybrid,
          entropy,
          {.name = "on_device", .points = {point(1, 0.515, {.device_macs = kBaseMacs})}},
          {.name = "on_cloud", .points = {point(0, 0.799, {.cloud_macs = kGlobalMacs, .query_bytes = query_bytes, .share_sent = 1})}}};
}

const Line* line_of(const Plan& plan, const std::string& name) {
  for (const auto& line : plan.lines)
    if (line.name == name) return &line;
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

TEST(Cost, in_the_papers_setting_is_the_papers) {
  // Base alone 200 ms; 40 % sent: 200 + 0.4 * 2000 ms; 0.1 mJ a ms.
  const Workload workload{.device_macs = 12790096, .cloud_macs = 1e9, .query_bytes = 150528, .share_sent = 0.4};
  const Cost cost = cost_of(workload, paper());
  EXPECT_NEAR(cost.latency_ms, 1000, 0.01);
  EXPECT_NEAR(cost.energy_mj, 100, 0.01);
}

TEST(Plan, costs_each_method_at_each_coverage) {
  const auto plan = make_plan(small_lines(), {.setting = paper(), .query_bytes = 150528});
  ASSERT_TRUE(plan.ok()) << plan.error().message();
  const auto* hybrid = line_of(*plan, "hybrid");
  ASSERT_NE(hybrid, nullptr);
  ASSERT_EQ(hybrid->points.size(), 5U) << "the curve's four and the cloud's end";
  const double device_ms = (kBaseMacs + kRouterMacs) / (kBaseMacs / 200.0);
  EXPECT_NEAR(hybrid->points[3].cost->latency_ms, device_ms + 0.2 * 2000, 1e-3) << "base and router, one in five sent";
  EXPECT_NEAR(line_of(*plan, "entropy")->points[3].cost->latency_ms, 600, 1e-3) << "a free score costs no MACs";
  EXPECT_NEAR(line_of(*plan, "on_cloud")->points[0].cost->latency_ms, 2000, 1e-3);
  EXPECT_NEAR(line_of(*plan, "on_device")->points[0].cost->energy_mj, 20, 1e-9);
  EXPECT_NEAR(plan->explored->cost.per_query.latency_ms, 2000, 1e-3);
  EXPECT_FALSE(plan->explored->measured_fixed_ms.has_value());
}

TEST(Plan, orders_the_methods_beside_the_papers) {
  const auto plan = make_plan(small_lines(1), {.setting = paper(), .query_bytes = 1});
  ASSERT_TRUE(plan.ok());
  const auto& rows = plan->order->rows;
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[1].here[0].name, "hybrid");
  EXPECT_EQ(rows[1].here[1].name, "entropy");
  EXPECT_EQ(rows[1].here.back().name, "on_device") << "more time than it takes changes nothing";
  EXPECT_EQ(rows[1].here.back().accuracy, rows[0].here.back().accuracy);
  EXPECT_EQ(rows[1].paper[0].name, "upper_bound");
  EXPECT_EQ(rows[1].paper[1].name, "hybrid");
  EXPECT_DOUBLE_EQ(rows[1].paper[1].accuracy, 0.708) << "at 1000 ms";
  EXPECT_NEAR(rows[1].relative, 800.0 / 1800, 1e-12);
  // 44 % of the way: straight between the ends, at a share sent of (1000 - device) / 2000.
  const double device_ms = (kBaseMacs + kRouterMacs) / (kBaseMacs / 200.0);
  EXPECT_NEAR(rows[1].here[0].accuracy, 0.515 + 0.284 * (1000 - device_ms) / 2000, 1e-4);
}

TEST(Plan, where_the_cloud_is_faster_there_is_no_order_to_compare) {
  const auto setting = choose_setting(default_profiles().value(), "paper-mcu", "wifi", "server").value();
  EXPECT_FALSE(make_plan(small_lines(1000), {.setting = setting, .query_bytes = 1000})->order.has_value());
}

TEST(Plan, a_cloud_that_takes_what_it_is_sent_costs_its_own_bytes_and_macs) {
  auto lines = small_lines(3072);
  lines.push_back({.name = "split_int8",
                   .variant = "conv5",
                   .points = {point(0.5, 0.6, {.device_macs = 6395048, .cloud_macs = 2e8, .query_bytes = 1000, .share_sent = 0.5})}});
  const auto setting = choose_setting(default_profiles().value(), "paper-mcu", "wifi", "server").value();
  const auto plan = make_plan(lines, {.setting = setting, .query_bytes = 3072});
  ASSERT_TRUE(plan.ok()) << plan.error().message();
  EXPECT_NEAR(line_of(*plan, "split_int8")->points[0].cost->latency_ms, 100 + 0.5 * (10 + 1000 / 500.0 + 2 + 2e8 / 1e8), 1e-6);
}

TEST(Plan, measured_times_are_those_of_models_that_run) {
  const MeasuredLatency measured{.executor = "test", .base_ms = 2, .router_ms = 0.5, .global_ms = 10};
  const auto plan = make_plan(small_lines(1), {.setting = paper(), .query_bytes = 1, .measured = measured});
  ASSERT_TRUE(plan.ok()) << plan.error().message();
  EXPECT_DOUBLE_EQ(line_of(*plan, "hybrid")->points[3].measured_ms.value(), 2.5 + (1 - 0.8) * 10);
  EXPECT_DOUBLE_EQ(line_of(*plan, "entropy")->points[3].measured_ms.value(), 2 + (1 - 0.8) * 10);
  EXPECT_DOUBLE_EQ(line_of(*plan, "on_cloud")->points[0].measured_ms.value(), 10);
  EXPECT_EQ(make_plan(small_lines(1), {.setting = paper(), .query_bytes = 1, .measured = MeasuredLatency{.base_ms = 0, .global_ms = 1}})
                .error()
                .code,
            ErrorCode::kInvalidArgument);
}

TEST(Plan, refuses_lines_that_it_cannot_cost) {
  const auto code = [](const std::vector<Line>& lines, double bytes = 100) {
    return make_plan(lines, {.setting = paper(), .query_bytes = bytes}).error().code;
  };
  EXPECT_EQ(code(small_lines(), 0), ErrorCode::kInvalidArgument) << "nobody says the bytes";
  EXPECT_EQ(code(small_lines(), -1), ErrorCode::kInvalidArgument);
  auto lines = small_lines();
  lines[2].points[0].workload.device_macs = 0;
  EXPECT_EQ(code(lines), ErrorCode::kBadData) << "on_device costs nothing: MACs not known";
  lines = small_lines();
  lines[1].points.clear();
  EXPECT_EQ(code(lines), ErrorCode::kBadData);
}

TEST(Plan, is_of_prices_alone_where_macs_or_bytes_are_not_known) {
  auto lines = small_lines();
  for (auto& line : lines)
    for (auto& point : line.points) point.workload.device_macs = point.workload.cloud_macs = 0;
  const QueryPrice price{.per_query = 0.002, .currency = "EUR"};
  const auto priced = make_plan(lines, {.setting = paper(), .query_bytes = 150528, .price = price});
  ASSERT_TRUE(priced.ok()) << priced.error().message();
  EXPECT_FALSE(priced->lines[0].points[1].cost.has_value());
  EXPECT_NEAR(*priced->lines[0].points[1].price, 2 * 0.7, 1e-12) << "of 1000 images";
  EXPECT_FALSE(priced->order || priced->explored);
  EXPECT_TRUE(to_json(*priced).at("lines")[0].at("points")[1].at("latency_ms").is_null());
  EXPECT_TRUE(make_plan(small_lines(), {.setting = paper(), .price = price}).ok()) << "no bytes";
  const auto both = make_plan(small_lines(), {.setting = paper(), .query_bytes = 150528, .price = price});
  EXPECT_TRUE(both->lines[0].points[1].cost && both->lines[0].points[1].price);
  EXPECT_FALSE(make_plan(lines, {.setting = paper(), .query_bytes = 150528}).ok()) << "neither MACs nor a price";
  EXPECT_EQ(make_plan(lines, {.setting = paper(), .price = QueryPrice{.per_query = -1}}).error().code, ErrorCode::kInvalidArgument);
}

TEST(Plan, as_json_is_the_section_of_a_report) {
  const auto plan = make_plan(small_lines(), {.setting = paper(), .query_bytes = 150528}).value();
  const auto json = to_json(plan);
  EXPECT_EQ(json.at("schema"), 1);
  EXPECT_EQ(json.at("query_bytes"), 150528.0);
  EXPECT_TRUE(json.at("measured").is_null());
  const auto& points = json.at("lines").at(0).at("points");
  EXPECT_TRUE(points.at(0).at("low").is_null()) << "the cloud's end has no interval";
  EXPECT_NEAR(points.at(3).at("macs").get<double>(), kBaseMacs + kRouterMacs + 0.2 * kGlobalMacs, 1e-3);
  EXPECT_EQ(json.at("order").at("rows").at(1).at("poster").at(1).at("name"), "hybrid");
  EXPECT_FALSE(json.at("explorer").contains("measured_ms"));
  EXPECT_THAT(json.at("setting").at("device").at("name").get<std::string>(), HasSubstr("paper"));
}

}  // namespace
}  // namespace hedge::plan

#include <gtest/gtest.h>

#include "eval/baselines_json.h"
#include "eval/evaluate_fixture.h"
#include "eval/report_json.h"

namespace hedge::eval {
namespace {

Baselines some_baselines() {
  Baselines baselines{.dataset = "d?split=test",
                      .split = "test",
                      .content_hash = "hash",
                      .images = 400,
                      .executor = "test",
                      .image_bytes = 3072,
                      .base = {.sha256 = "b", .macs = 10, .parameters = 3, .accuracy = {0.5, 0.4, 0.6}},
                      .global = {.sha256 = "g", .macs = 100, .parameters = 30, .accuracy = {0.9, 0.8, 1}},
                      .router = "gain",
                      .router_macs = 7,
                      .router_seeds = 3};
  baselines.rows.push_back({.name = "on_device", .where = Placement::kDevice, .coverage = 1, .accuracy = {0.5, 0.4, 0.6}});
  baselines.rows.push_back({.name = "early_exit",
                            .variant = "e",
                            .coverage = 0.5,
                            .accuracy = {0.6, 0.5, 0.7},
                            .to_hybrid = Interval{-0.1, -0.2, 0},
                            .hybrid_coverage = 0.4,
                            .cloud_macs = 50,
                            .bytes_sent = 1.5,
                            .query_bytes = 3,
                            .share_sent = 0.5,
                            .threshold = 0.1F});
  return baselines;
}

/// Everything that a report can hold.
EvaluationReport full_report(const routing::PredictionTable& table, EvaluateOptions options) {
  auto methods = two_methods(table);
  const routing::Fusion fusion{.adopted = true, .why = "it helps", .top_k = 2, .base_weight = 0.5, .fit_hash = "held", .images = 9};
  methods.push_back(with_fusion(methods[0], table, fusion).value());
  const routing::OperatingPoint point{.target_coverage = 0.8, .threshold = 0.1F, .coverage = 0.8, .accuracy = 0.9};
  const routing::PromisedPoint promised{.promise = {.kind = routing::PromiseKind::kAccuracy, .target = 0.7},
                                        .point = point,
                                        .exact = {.threshold = 0.3F, .coverage = 0.85, .accuracy = 0.91},
                                        .images = 10,
                                        .bound = 0.72};
  options.policy =
      PolicyUse{.policy = {.calibration_hash = "cal",
                           .calibration_size = 10,
                           .chosen = point,
                           .promise = promised,
                           .fusion = fusion,
                           .choice = routing::RouterChoice{.chosen = "gain", .why = "best", .candidates = {{"gain", 7, {1, 0, 2}}}}}};
  options.notes = {"lossy images"};
  options.copied =
      CopiedRows{.in_train = std::vector<std::uint8_t>(table.size()), .in_calibration = std::vector<std::uint8_t>(table.size())};
  options.copied->in_train[3] = options.copied->in_calibration[3] = 1;
  auto report = evaluate(table, methods, options).value();
  report.baselines = some_baselines();
  report.gallery = Gallery{.queried = {{.bytes = std::string("\0png", 4),
                                        .row = 3,
                                        .id = "a/3",
                                        .label = "x",
                                        .base = "y",
                                        .base_confidence = 0.5,
                                        .score = 0.25F,
                                        .global = "x",
                                        .helped = true}},
                           .spread = {{.jpeg = true, .bytes = "jpeg", .id = "b/1", .label = "x", .base = "x", .score = -1.5F}}};
  return report;
}

class ReadReport : public EvaluateTest {};

TEST_F(ReadReport, gives_back_what_was_written) {
  const auto report = full_report(table_, options_);
  const auto json = to_json(report);
  const auto read = report_from_json(json, "report.json");
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(to_json(*read).dump(1), json.dump(1));
  EXPECT_EQ(read->curve.size(), report.curve.size());
  EXPECT_EQ(read->methods[2].kind, MethodKind::kFused);
  EXPECT_EQ(read->operating_point->promise->exact_threshold, 0.3F);
  EXPECT_EQ(read->gallery->queried[0].bytes, report.gallery->queried[0].bytes);
  EXPECT_FALSE(read->global_over_base.has_value()) << "not in the file";
  EXPECT_FALSE(read->curve[0].over_base.has_value());
}

TEST_F(ReadReport, gives_back_a_report_without_a_global) {
  table_.global_logits = Tensor(DType::kF32, {0, table_.classes()});
  const auto json = to_json(evaluate(table_, {}, options_).value());
  const auto read = report_from_json(json, "report.json");
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_FALSE(read->has_global);
  EXPECT_EQ(to_json(*read).dump(1), json.dump(1));
}

TEST_F(ReadReport, takes_older_files_without_what_came_later) {
  auto json = to_json(evaluate(table_, two_methods(table_), options_).value());
  for (const char* key : {"methods", "default_method", "paired", "abstention", "per_class", "explorer", "baselines", "seeds"})
    json.erase(key);
  json["something_new"] = 1;
  const auto read = report_from_json(json, "report.json");
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(read->default_method, "hybrid");
  EXPECT_TRUE(read->methods.empty());
  json["methods"] = {{{"name", "hybrid"}, {"router_macs", 5}}};
  const auto described = report_from_json(json, "report.json").value();
  EXPECT_EQ(described.methods[0].base_macs, described.base.macs) << "its own models are not named: the report's";
}

TEST_F(ReadReport, refuses_what_is_none_and_says_where) {
  const auto good = to_json(full_report(table_, options_));
  const auto refused = [&](const char* part, const auto& change) {
    auto json = good;
    change(json);
    const auto read = report_from_json(json, "report.json");
    ASSERT_FALSE(read.ok()) << part;
    EXPECT_EQ(read.error().code, ErrorCode::kBadFormat) << part;
    EXPECT_NE(read.error().message().find(part), std::string::npos) << read.error().message();
  };
  refused("base", [](Json& json) { json["base"] = 1; });
  refused("curve[2]: hybrid", [](Json& json) { json["curve"][2]["hybrid"]["low"] = "low"; });
  refused("methods[0]: kind", [](Json& json) { json["methods"][0]["kind"] = "oracle"; });
  refused("areas", [](Json& json) { json["areas"] = Json::object(); });
  refused("paired: rows[0]", [](Json& json) { json["paired"]["rows"][0]["at"].erase(0); });
  refused("explorer", [](Json& json) { json["explorer"]["labels"].erase(0); });
  refused("operating_point: promise: kind", [](Json& json) { json["operating_point"]["promise"]["kind"] = "luck"; });
  refused("pictures_queried[0]", [](Json& json) { json["pictures_queried"][0]["png"] = "no base 64"; });
  refused("baselines: rows[1]: where", [](Json& json) { json["baselines"]["rows"][1]["where"] = "moon"; });
  refused("fusion", [](Json& json) { json["fusion"].erase("why"); });
  EXPECT_EQ(report_from_json(Json::array(), "x").error().code, ErrorCode::kBadFormat);
  auto newer = good;
  newer["schema"] = 2;
  EXPECT_EQ(report_from_json(newer, "x").error().code, ErrorCode::kUnsupported);
}

TEST(ReadBaselines, gives_back_what_was_written) {
  const auto json = to_json(some_baselines());
  const auto read = baselines_from_json(json, "baselines.json");
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(to_json(*read).dump(1), json.dump(1));
  EXPECT_EQ(read->rows[1].threshold, 0.1F);
  EXPECT_FALSE(read->rows[0].to_hybrid.has_value());
}

TEST(ReadBaselines, refuses_what_is_none) {
  auto json = to_json(some_baselines());
  json["rows"][0].erase("accuracy");
  const auto read = baselines_from_json(json, "baselines.json");
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(read.error().where, "baselines.json: rows[0]");
  json["schema"] = 9;
  EXPECT_EQ(baselines_from_json(json, "x").error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(read_baselines("/nowhere/baselines.json").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace hedge::eval

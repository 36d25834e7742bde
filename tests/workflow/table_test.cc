// Predictions made elsewhere: import, and what is done with a table's rows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "core/file.h"
#include "core/rng.h"
#include "core/testing.h"
#include "hedge/router.h"
#include "routing/splits.h"
#include "workflow/import_table.h"
#include "workflow/plan.h"
#include "workflow/table_facts.h"
#include "workflow/table_rows.h"

namespace hedge::workflow {
namespace {

using routing::PredictionTable;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

void expect_refused(const Result<PredictionTable>& table, ErrorCode code, const std::string& text) {
  ASSERT_FALSE(table.ok());
  EXPECT_EQ(table.error().code, code) << table.error().message();
  EXPECT_THAT(table.error().message(), HasSubstr(text));
}

class Tables : public ::testing::Test {
 protected:
  std::string file(const std::string& name, const std::string& text) const {
    const auto path = folder_ / name;
    EXPECT_TRUE(write_file_atomic(path, text).ok());
    return path.string();
  }
  [[nodiscard]] std::string at(const std::string& name) const { return (folder_ / name).string(); }

  /// Four images; the base's file has another order than the labels', the API's answers are names.
  [[nodiscard]] TableImport small() const {
    TableImport options;
    options.labels = file("labels.csv", "id,label\na,cat\nb,dog\nc,cow\nd,cat\n") + ":label";
    options.base.probabilities =
        file("base.csv", "id,p_cat,p_cow,p_dog\nd,0.2,0.7,0.1\nc,0.1,0.8,0.1\nb,0.3,0.3,0.4\na,0.5,0.25,0.25\n") + ":p_*";
    const auto api = file("api.csv", "image,answer,confidence\na,cat,0.9\nd,cat,0.8\nb,cat,0.4\nc,cow,1.0\n");
    options.global.top_classes = api + ":answer";
    options.global.top_probabilities = api + ":confidence";
    return options;
  }

  /// 400 images of 4 classes whose base is often unsure where it is wrong, as a CSV with ids from `first`; a priced global.
  [[nodiscard]] TableImport many(int first = 0, int count = 400) const {
    Rng rng(static_cast<std::uint64_t>(first) + 1);
    std::string rows = "id,label,base,base_confidence,api,api_confidence,track\n";
    for (int i = 0; i < count; ++i) {
      const auto label = rng.below(4);
      const double sure = 0.3 + 0.69 * rng.uniform();
      const auto base = rng.uniform() < sure ? label : (label + 1 + rng.below(3)) % 4;
      const auto api = rng.uniform() < 0.95 ? label : (label + 1) % 4;
      rows += std::to_string(first + i) + "," + std::to_string(label) + "," + std::to_string(base) + "," + std::to_string(sure) + "," +
              std::to_string(api) + ",0.9," + std::to_string(i / 4) + "\n";
    }
    const auto path = file("many.csv", rows);
    TableImport options;
    options.labels = path + ":label";
    options.base = {.top_classes = path + ":base", .top_probabilities = path + ":base_confidence", .name = "small"};
    options.global = {.top_classes = path + ":api", .top_probabilities = path + ":api_confidence", .name = "api"};
    options.dataset = "many";
    options.price = routing::Price{.per_query = 0.002, .currency = "EUR"};
    options.out = at("many.table");
    return options;
  }

  hedge::testing::TemporaryFolder folder_{"tables"};
};

TEST_F(Tables, are_made_of_files_in_another_order_by_their_ids) {
  const auto table = import_table(small());
  ASSERT_TRUE(table.ok()) << table.error().message();
  EXPECT_THAT(table->info.class_names, ElementsAre("cat", "cow", "dog")) << "the labels' texts, by the alphabet";
  const auto labels = table->labels.data<std::int64_t>();
  EXPECT_EQ(std::vector<std::int64_t>(labels.begin(), labels.end()), (std::vector<std::int64_t>{0, 2, 1, 0}));
  EXPECT_EQ(routing::argmax_rows(table->base_logits), (std::vector<std::int64_t>{0, 2, 1, 1}));
  EXPECT_EQ(routing::argmax_rows(table->global_logits), (std::vector<std::int64_t>{0, 0, 1, 0}));
  EXPECT_NEAR(table->base_logits.data<float>()[0], std::log(0.5), 1e-6);
  EXPECT_EQ(table->info.base_form, "probabilities");
  EXPECT_EQ(table->info.global_form, "top 1 of 3 classes, the rest spread evenly");
  EXPECT_EQ(table->image_hashes.num_elements(), 4);
}

TEST_F(Tables, may_have_the_bases_answers_as_features) {
  auto options = small();
  options.features = "answer";
  const auto table = import_table(options);
  ASSERT_TRUE(table.ok()) << table.error().message();
  const auto features = table->base_features.data<float>();
  EXPECT_EQ(std::vector<float>(features.begin(), features.begin() + 6), (std::vector<float>{1, 0, 0, 0, 0, 1}));
  EXPECT_EQ(table->info.features, "answer");
}

TEST_F(Tables, survive_writing_and_reading_with_all_that_an_import_says) {
  auto options = many();
  const auto table = import_table(options);
  ASSERT_TRUE(table.ok()) << table.error().message();
  const auto again = routing::read_table(options.out);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->info.price, options.price);
  EXPECT_EQ(again->info.base_name, "small");
  EXPECT_EQ(again->info.global_form, table->info.global_form);
  const auto facts = describe_table(*again);
  EXPECT_EQ(facts.rows, 400);
  EXPECT_THAT(to_text(facts), HasSubstr("2 EUR for 1000 queries"));
  EXPECT_EQ(to_json(facts).at("price").at("per_query"), 0.002);
}

TEST_F(Tables, are_the_same_images_and_models_where_ids_and_names_are) {
  const auto one = import_table(many()), again = import_table(many());
  ASSERT_TRUE(one.ok() && again.ok());
  EXPECT_EQ(one->info.content_hash, again->info.content_hash);
  EXPECT_EQ(one->info.base_hash, again->info.base_hash);
  const auto other = import_table(many(400));
  ASSERT_TRUE(other.ok());
  EXPECT_NE(one->info.content_hash, other->info.content_hash);
  EXPECT_EQ(one->info.base_hash, other->info.base_hash) << "by its name";
  auto nameless = many();
  nameless.base.name.clear();
  EXPECT_NE(import_table(nameless)->info.base_hash, one->info.base_hash);
}

TEST_F(Tables, are_refused_where_ids_do_not_match) {
  auto options = small();
  options.labels = file("labels.csv", "id,label\na,cat\nb,dog\nc,cow\ne,cat\n") + ":label";
  expect_refused(import_table(options), ErrorCode::kMismatch, "no \"e\"");
  options.common = true;
  const auto common = import_table(options);
  ASSERT_TRUE(common.ok()) << common.error().message();
  EXPECT_EQ(common->size(), 3U);
  options = small();
  options.labels = file("labels.csv", "id,label\na,cat\na,dog\nc,cow\nd,cat\n") + ":label";
  expect_refused(import_table(options), ErrorCode::kBadData, "twice");
  options.ids = "none";
  expect_refused(import_table(options), ErrorCode::kMismatch, "some parts have ids");
  options.base.ids = options.global.ids = "none";
  EXPECT_TRUE(import_table(options).ok()) << "all in one order";
  options.labels = file("labels.csv", "label\ncat\ndog\ncow\n");
  expect_refused(import_table(options), ErrorCode::kMismatch, "got 4, expected 3");
}

TEST_F(Tables, are_refused_where_predictions_are_none) {
  auto options = small();
  options.global.top_classes = file("a.csv", "id,answer\na,cat\nb,cat\nc,cow\nd,bird\n") + ":answer";
  options.global.top_probabilities = file("c.csv", "confidence\n1\n1\n1\n1\n");
  options.global.ids = at("a.csv") + ":id";
  expect_refused(import_table(options), ErrorCode::kBadData, "bird");
  options = small();
  options.base.probabilities = file("b.csv", "id,p_0,p_1,p_2\na,3,1,0\nb,1,0,0\nc,1,0,0\nd,1,0,0\n") + ":p_*";
  expect_refused(import_table(options), ErrorCode::kBadData, "logits");
  options.base.probabilities = file("b.csv", "id,p_0,p_1\na,1,0\nb,1,0\nc,1,0\nd,1,0\n") + ":p_*";
  expect_refused(import_table(options), ErrorCode::kMismatch, "2 columns, expected 3");
  options = small();
  options.base.logits = options.base.probabilities;
  expect_refused(import_table(options), ErrorCode::kInvalidArgument, "two ways");
  options = small();
  options.global.top_probabilities.clear();
  expect_refused(import_table(options), ErrorCode::kInvalidArgument, "belong together");
  options = small();
  options.labels = file("labels.csv", "id,label\na,1\nb,3\nc,2\nd,1\n") + ":label";
  options.classes = 3;
  expect_refused(import_table(options), ErrorCode::kMismatch, "--class-names");
}

TEST_F(Tables, may_count_classes_from_one_and_have_outputs_in_another_order) {
  auto options = small();
  options.class_names = file("names.txt", "cow\ncat\ndog\n");
  options.base.class_names = file("base_names.txt", "cat\ncow\ndog\n");
  const auto table = import_table(options);
  ASSERT_TRUE(table.ok()) << table.error().message();
  EXPECT_EQ(routing::argmax_rows(table->base_logits), (std::vector<std::int64_t>{1, 2, 0, 0}));
  auto counted = small();
  counted.labels = file("labels.csv", "id,label\na,1\nb,3\nc,2\nd,1\n") + ":label";
  counted.global = {};
  counted.first_class = 1;
  const auto from_one = import_table(counted);
  ASSERT_TRUE(from_one.ok()) << from_one.error().message();
  EXPECT_EQ(from_one->labels.data<std::int64_t>()[1], 2);
  counted.first_class = 0;
  expect_refused(import_table(counted), ErrorCode::kBadData, "0..2");
}

TEST_F(Tables, are_divided_into_parts_that_share_no_image) {
  ASSERT_TRUE(import_table(many()).ok());
  TableSplit options{.table = at("many.table"),
                     .parts = {{.name = "fit", .share = 0.5}, {.name = "calibration", .share = 0.2}, {.name = "test", .share = 0.3}}};
  const auto parts = split_table(options);
  ASSERT_TRUE(parts.ok()) << parts.error().message();
  EXPECT_EQ((*parts)[0].size(), 200U);
  EXPECT_EQ((*parts)[1].size(), 80U);
  EXPECT_EQ((*parts)[2].size(), 120U);
  EXPECT_TRUE(routing::check_calibration((*parts)[0].info, (*parts)[1].info).ok());
  EXPECT_FALSE(routing::same_or_overlapping((*parts)[0].info.dataset, (*parts)[2].info.dataset));
  EXPECT_EQ((*split_table(options))[0].info.content_hash, (*parts)[0].info.content_hash) << "the same seed";
  auto seeded = options;
  seeded.seed = 2;
  const auto other = split_table(seeded);
  EXPECT_TRUE(routing::same_or_overlapping((*other)[0].info.dataset, (*parts)[2].info.dataset)) << "another division may share images";
  options.stratified = true;
  const auto even = split_table(options);
  ASSERT_TRUE(even.ok());
  const auto count = [](const PredictionTable& table, std::int64_t label) {
    const auto labels = table.labels.data<std::int64_t>();
    return static_cast<double>(std::count(labels.begin(), labels.end(), label));
  };
  for (const std::int64_t label : {0, 1, 2, 3})
    EXPECT_NEAR(count((*even)[0], label), 0.5 * (count((*even)[0], label) + count((*even)[1], label) + count((*even)[2], label)), 1);
}

TEST_F(Tables, keep_groups_whole_when_they_are_divided) {
  auto options = many();
  options.groups = at("many.csv") + ":track";
  ASSERT_TRUE(import_table(options).ok());
  const auto parts = split_table({.table = at("many.table"), .parts = {{.name = "a", .share = 0.5}, {.name = "b", .share = 0.5}}});
  ASSERT_TRUE(parts.ok());
  for (const auto group : (*parts)[0].groups.data<std::int64_t>())
    for (const auto other : (*parts)[1].groups.data<std::int64_t>()) ASSERT_NE(group, other);
  EXPECT_EQ((*parts)[0].size() + (*parts)[1].size(), 400U);
}

TEST_F(Tables, are_divided_by_ids_and_joined_again) {
  ASSERT_TRUE(import_table(many()).ok());
  std::string first = "id\n", second = "id\n";
  for (int i = 0; i < 400; ++i) (i % 3 == 0 ? first : second) += std::to_string(i) + "\n";
  TableSplit options{.table = at("many.table"),
                     .parts = {{.name = "a", .ids = file("a.csv", first)}, {.name = "b", .ids = file("b.csv", second)}},
                     .out = at("parts")};
  const auto parts = split_table(options);
  ASSERT_TRUE(parts.ok()) << parts.error().message();
  EXPECT_EQ((*parts)[0].size(), 134U);
  const auto merged = merge_tables({.tables = {at("parts/a.table"), at("parts/b.table")}});
  ASSERT_TRUE(merged.ok()) << merged.error().message();
  EXPECT_EQ(merged->size(), 400U);
  EXPECT_EQ(merged->info.content_hash, routing::read_table(at("many.table"))->info.content_hash) << "whatever the order";
  expect_refused(merge_tables({.tables = {at("many.table"), at("parts/b.table")}}), ErrorCode::kBadData, "266 rows");
  options.parts[1].ids = file("b.csv", "id\n0\n");
  EXPECT_EQ(split_table(options).error().code, ErrorCode::kBadData) << "an id in two parts";
  options.parts[1].ids = file("b.csv", "id\n4000\n");
  EXPECT_EQ(split_table(options).error().code, ErrorCode::kNotFound);
}

TEST_F(Tables, refuse_parts_that_make_no_sense) {
  ASSERT_TRUE(import_table(many()).ok());
  const auto refused = [&](std::vector<TablePart> parts) {
    const auto made = split_table({.table = at("many.table"), .parts = std::move(parts)});
    EXPECT_FALSE(made.ok());
    return made ? ErrorCode::kInternal : made.error().code;
  };
  EXPECT_EQ(refused({}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused({{.name = "a", .share = 0.6}, {.name = "b", .share = 0.6}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused({{.name = "a", .share = 0.5}, {.name = "a", .share = 0.5}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused({{.name = "a/b", .share = 0.5}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused({{.name = "a", .share = 1e-6}}), ErrorCode::kBadData);
}

TEST_F(Tables, give_some_of_their_rows) {
  ASSERT_TRUE(import_table(many()).ok());
  const auto some = select_rows({.table = at("many.table"), .classes = {"0", "2-3"}, .random = 50});
  ASSERT_TRUE(some.ok()) << some.error().message();
  EXPECT_EQ(some->size(), 50U);
  for (const auto label : some->labels.data<std::int64_t>()) EXPECT_NE(label, 1);
  const auto named = select_rows({.table = at("many.table"), .ids = file("ids.csv", "id\n7\n3\n")});
  ASSERT_TRUE(named.ok());
  EXPECT_EQ(named->size(), 2U);
  expect_refused(select_rows({.table = at("many.table"), .classes = {"4"}}), ErrorCode::kNotFound, "0..3");
  expect_refused(select_rows({.table = at("many.table"), .random = 401}), ErrorCode::kInvalidArgument, "at most 400");
}

TEST_F(Tables, take_another_tables_global_for_the_same_images) {
  ASSERT_TRUE(import_table(many()).ok());
  auto other = many();
  other.global.top_classes = at("many.csv") + ":label";
  other.global.name = "oracle";
  other.out = at("oracle.table");
  ASSERT_TRUE(import_table(other).ok());
  const auto table = select_rows({.table = at("many.table"), .global_of = at("oracle.table")});
  ASSERT_TRUE(table.ok()) << table.error().message();
  EXPECT_EQ(describe_table(*table).global_accuracy, 1.0);
  EXPECT_EQ(table->info.global_name, "oracle");
  EXPECT_EQ(table->info.base_name, "small");
  auto shifted = many(400);
  shifted.out = at("shifted.table");
  ASSERT_TRUE(import_table(shifted).ok());
  expect_refused(select_rows({.table = at("many.table"), .global_of = at("shifted.table")}), ErrorCode::kMismatch, "no image of row 0");
}

TEST_F(Tables, are_fitted_judged_and_planned_with_in_money) {
  ASSERT_TRUE(import_table(many(0, 1500)).ok());
  const auto parts =
      split_table({.table = at("many.table"),
                   .parts = {{.name = "fit", .share = 0.4}, {.name = "calibration", .share = 0.2}, {.name = "test", .share = 0.4}},
                   .out = at("parts")});
  ASSERT_TRUE(parts.ok());
  FitOptions fitting{.table = at("parts/fit.table"),
                     .calibration = at("parts/calibration.table"),
                     .router = train::RouterKind::kMargin,
                     .out = at("hybrid")};
  fitting.point.price_per_1000 = 0.8;
  const auto fitted = fit(fitting);
  ASSERT_TRUE(fitted.ok()) << fitted.error().message();
  EXPECT_NEAR(fitted->policy.chosen.coverage, 0.6, 0.01) << "400 queries of 0.002 cost 0.8";
  EXPECT_GE(fitted->policy.chosen.coverage, 0.6);
  const EvaluateOptions judging{
      .table = at("parts/test.table"), .methods = {{.name = "hybrid", .router = at("hybrid")}}, .out = at("report"), .resamples = 100};
  ASSERT_TRUE(judge(judging).ok());
  const auto planned = plan({.report = at("report/report.json")});
  ASSERT_TRUE(planned.ok()) << planned.error().message();
  ASSERT_TRUE(planned->plan.price.has_value());
  EXPECT_EQ(planned->plan.price->currency, "EUR");
  for (const auto& line : planned->plan.lines)
    for (const auto& point : line.points) {
      EXPECT_FALSE(point.cost.has_value()) << "no MACs are known";
      EXPECT_NEAR(*point.price, 2 * (1 - point.coverage), 1e-9);
    }
  const auto own = judge({.table = at("parts/fit.table"), .methods = {{.name = "hybrid", .router = at("hybrid")}}});
  EXPECT_TRUE(own.ok()) << "a free score has learned nothing there";
  const auto seen = judge({.table = at("parts/calibration.table"), .methods = {{.name = "hybrid", .router = at("hybrid")}}});
  ASSERT_FALSE(seen.ok());
  EXPECT_EQ(seen.error().code, ErrorCode::kMismatch) << "it calibrated the threshold";
}

TEST_F(Tables, choose_and_fuse_on_the_images_that_are_learned_from_where_no_model_has_seen_them) {
  ASSERT_TRUE(import_table(many(0, 1000)).ok());
  const std::vector<TablePart> shares = {{.name = "fit", .share = 0.6}, {.name = "calibration", .share = 0.4}};
  ASSERT_TRUE(split_table({.table = at("many.table"), .parts = shares, .out = at("parts")}).ok());
  const FitOptions options{
      .table = at("parts/fit.table"), .calibration = at("parts/calibration.table"), .fuse = true, .training = {.epochs = 1, .threads = 1}};
  const auto fitted = fit(options);
  ASSERT_TRUE(fitted.ok()) << fitted.error().message();
  EXPECT_EQ(fitted->policy.calibration_size, 400) << "all calibration images set the threshold";
  EXPECT_EQ(fitted->policy.held_out_dataset, routing::read_table(options.table)->info.dataset);
  ASSERT_TRUE(fitted->policy.fusion.has_value());
  EXPECT_EQ(fitted->policy.fusion->images, 600);
  ASSERT_TRUE(fitted->policy.choice.has_value());
  EXPECT_NE(fitted->policy.choice->why.find("600 images, cross-fitted"), std::string::npos) << fitted->policy.choice->why;
}

TEST_F(Tables, that_are_few_to_learn_from_leave_choosing_to_a_share_of_the_calibration_images) {
  ASSERT_TRUE(import_table(many(0, 1000)).ok());
  const std::vector<TablePart> shares = {{.name = "fit", .share = 0.2}, {.name = "calibration", .share = 0.8}};
  ASSERT_TRUE(split_table({.table = at("many.table"), .parts = shares, .out = at("parts")}).ok());
  const auto fitted = fit({.table = at("parts/fit.table"), .calibration = at("parts/calibration.table"), .fuse = true});
  ASSERT_TRUE(fitted.ok()) << fitted.error().message();
  EXPECT_EQ(fitted->policy.calibration_size, 400);
  EXPECT_EQ(fitted->policy.fusion->images, 400);
}

TEST_F(Tables, need_a_price_where_one_is_aimed_at) {
  auto options = many();
  options.price.reset();
  ASSERT_TRUE(import_table(options).ok());
  ASSERT_TRUE(
      split_table(
          {.table = at("many.table"), .parts = {{.name = "fit", .share = 0.5}, {.name = "calibration", .share = 0.5}}, .out = at("parts")})
          .ok());
  FitOptions fitting{.table = at("parts/fit.table"), .calibration = at("parts/calibration.table"), .router = train::RouterKind::kMargin};
  fitting.point.price_per_1000 = 1;
  const auto fitted = fit(fitting);
  ASSERT_FALSE(fitted.ok());
  EXPECT_EQ(fitted.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(fitted.error().message(), HasSubstr("--price-per-query"));
  options.global = {};
  options.price = routing::Price{.per_query = 1};
  expect_refused(import_table(options), ErrorCode::kInvalidArgument, "no global");
}

}  // namespace
}  // namespace hedge::workflow

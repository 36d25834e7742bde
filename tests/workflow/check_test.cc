// A model whose right preparation is known, checked with right and wrong ones: what is found, what is not, and what --fix writes.
#include "workflow/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "data/recipe_text.h"
#include "hedge/dataset.h"
#include "model/sidecar.h"
#include "workflow/bundle.h"
#include "workflow/colour_model.h"
#include "workflow/evaluate.h"
#include "workflow/predict.h"
#include "workflow/routers.h"

namespace hedge::workflow {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const std::vector<std::string> kNames = {"red", "green", "blue", "yellow", "cyan", "magenta"};

class Check : public ::testing::Test {
 protected:
  static std::string labels_of(const std::vector<std::string>& names) { return Json(names).dump(); }
  std::string model(const std::string& name, const std::map<std::string, std::string>& metadata = {}) {
    return testing::make_colour_model(folder_ / name, testing::first_colours(6), metadata);
  }
  std::string right_model(const std::string& name = "m.onnx") { return model(name, {{graph::kLabelsKey, labels_of(kNames)}}); }
  std::filesystem::path file(const std::string& name, const std::string& text) {
    EXPECT_TRUE(write_file_atomic(folder_ / name, text).ok());
    return folder_ / name;
  }
  CheckedModel checked(const ModelOptions& model, bool fix = false) {
    const auto report = check({.models = {model}, .data = data_, .fix = fix, .threads = 1});
    EXPECT_TRUE(report.ok()) << (report.ok() ? "" : report.error().message());
    if (!report) return {};
    alarms_ = report->alarms();
    return report->models.at(0);
  }
  static std::vector<std::string> kinds(const CheckedModel& model, Weight weight) {
    std::vector<std::string> kinds;
    for (const auto& finding : model.findings)
      if (finding.weight == weight) kinds.push_back(finding.kind);
    return kinds;
  }
  static const TriedConvention* tried(const CheckedModel& model, const std::string& key) {
    const auto found = std::find_if(model.tried.begin(), model.tried.end(), [&](const auto& one) { return one.key == key; });
    return found == model.tried.end() ? nullptr : &*found;
  }

  hedge::testing::TemporaryFolder folder_{"workflow_check"};
  std::string data_ = testing::make_colour_images(folder_, kNames, 30);
  std::vector<std::string> alarms_;
};

TEST_F(Check, finds_nothing_wrong_with_a_right_model) {
  const auto model = checked({.path = right_model(), .recipe = testing::kRightRecipe});
  EXPECT_THAT(alarms_, IsEmpty());
  EXPECT_THAT(kinds(model, Weight::kAlarm), IsEmpty());
  EXPECT_GT(model.as_stated.accuracy.value, 0.9);
  ASSERT_GE(model.tried.size(), 10U);
  EXPECT_EQ(model.tried[0].compared, Compared::kStated);
  EXPECT_EQ(model.tried[0].images, 180);
  EXPECT_DOUBLE_EQ(model.tried[0].accuracy.value, model.as_stated.accuracy.value);
  for (const auto& one : model.tried) EXPECT_NE(one.compared, Compared::kClearlyBetter) << one.key;
  const auto* squash = tried(model, "fit=squash,resize=0");
  ASSERT_NE(squash, nullptr);
  EXPECT_EQ(squash->compared, Compared::kNoDifference) << "the images have the input's size";
}

TEST_F(Check, finds_another_mean_and_std) {
  const auto model = checked({.path = right_model(), .recipe = "crop=8,mean=0,std=0.00392157"});
  ASSERT_TRUE(model.better_recipe.has_value());
  EXPECT_EQ(model.better_recipe->normalization.mean, (std::vector<float>{0.5F, 0.5F, 0.5F}));
  EXPECT_THAT(kinds(model, Weight::kAlarm), Contains("better-convention"));
  const auto* right = tried(model, "mean=0.5,std=0.5");
  ASSERT_NE(right, nullptr);
  EXPECT_EQ(right->compared, Compared::kClearlyBetter);
  EXPECT_GT(right->better, right->worse + 20);
  EXPECT_THAT(model.findings[0].text, HasSubstr("mean=0.5"));
}

TEST_F(Check, finds_the_other_order_of_channels) {
  const auto model = checked({.path = right_model(), .recipe = "crop=8,mean=0.5,std=0.5,order=bgr"});
  ASSERT_TRUE(model.better_recipe.has_value());
  EXPECT_EQ(model.better_recipe->channel_order, data::ChannelOrder::kRgb);
  EXPECT_THAT(model.findings[0].text, HasSubstr("RGB"));
}

TEST_F(Check, finds_two_mistakes_one_after_the_other) {
  const auto model = checked({.path = right_model(), .recipe = "crop=8,mean=0,std=0.00392157,order=bgr"});
  ASSERT_TRUE(model.better_recipe.has_value());
  EXPECT_EQ(model.better_recipe->channel_order, data::ChannelOrder::kRgb);
  EXPECT_EQ(model.better_recipe->normalization.std, (std::vector<float>{0.5F, 0.5F, 0.5F}));
}

TEST_F(Check, finds_classes_that_are_shifted_by_one) {
  const auto shifted = file("shifted.json", R"(["magenta","red","green","blue","yellow","cyan"])");
  const auto model = checked({.path = this->model("m.onnx"), .recipe = testing::kRightRecipe, .labels = shifted});
  EXPECT_THAT(kinds(model, Weight::kAlarm), Contains("class-order"));
  EXPECT_EQ(model.better_labels, kNames);
  EXPECT_LT(model.as_stated.accuracy.value, 0.1);
}

TEST_F(Check, finds_two_exchanged_classes_and_names_them) {
  const auto exchanged = file("exchanged.json", R"(["red","cyan","blue","yellow","green","magenta"])");
  const auto model = checked({.path = this->model("m.onnx"), .recipe = testing::kRightRecipe, .labels = exchanged});
  EXPECT_THAT(kinds(model, Weight::kAlarm), Contains("exchanged-classes"));
  EXPECT_EQ(model.better_labels, kNames);
  const auto named =
      std::find_if(model.findings.begin(), model.findings.end(), [](const auto& f) { return f.kind == "exchanged-classes"; });
  ASSERT_NE(named, model.findings.end());
  EXPECT_THAT(named->text, HasSubstr("\"cyan\" and \"green\""));
}

TEST_F(Check, a_wrong_recipe_and_shifted_classes_are_found_together) {
  const auto shifted = file("shifted.json", R"(["magenta","red","green","blue","yellow","cyan"])");
  const auto model = checked({.path = this->model("m.onnx"), .recipe = "crop=8,mean=0.5,std=0.5,order=bgr", .labels = shifted});
  EXPECT_EQ(model.better_labels, kNames);
  ASSERT_TRUE(model.better_recipe.has_value());
  EXPECT_EQ(model.better_recipe->channel_order, data::ChannelOrder::kRgb);
}

TEST_F(Check, names_that_contradict_the_files_own_are_an_alarm) {
  const auto exchanged = file("exchanged.json", R"(["red","cyan","blue","yellow","green","magenta"])");
  const auto model = checked({.path = right_model(), .recipe = testing::kRightRecipe, .labels = exchanged});
  EXPECT_THAT(kinds(model, Weight::kAlarm), Contains("names-contradict"));
  const auto* own = tried(model, "names=own");
  ASSERT_NE(own, nullptr);
  EXPECT_EQ(own->compared, Compared::kClearlyBetter);
}

TEST_F(Check, names_that_the_images_prove_right_against_the_files_own_are_none) {
  const auto path = model("wrong.onnx", {{graph::kLabelsKey, R"(["red","cyan","blue","yellow","green","magenta"])"}});
  const auto model = checked({.path = path, .recipe = testing::kRightRecipe, .labels = file("right.json", labels_of(kNames))});
  EXPECT_THAT(alarms_, IsEmpty());
  EXPECT_THAT(kinds(model, Weight::kNote), Contains("names-contradict"));
}

TEST_F(Check, few_images_raise_no_alarm) {
  const auto shifted = file("shifted.json", R"(["magenta","red","green","blue","yellow","cyan"])");
  const auto report = check({.models = {{.path = model("m.onnx"), .recipe = testing::kRightRecipe, .labels = shifted}},
                             .data = data_ + "?split=all&limit=6",
                             .threads = 1});
  ASSERT_TRUE(report.ok()) << report.error().message();
  EXPECT_THAT(report->alarms(), IsEmpty());
  EXPECT_THAT(kinds(report->models[0], Weight::kNote), Contains("few-images"));
}

TEST_F(Check, a_model_that_always_answers_the_same_is_at_chance) {
  const auto path =
      testing::make_colour_model(folder_ / "grey.onnx", std::vector<std::size_t>(6, 6), {{graph::kLabelsKey, labels_of(kNames)}});
  const auto model = checked({.path = path, .recipe = testing::kRightRecipe});
  EXPECT_THAT(kinds(model, Weight::kAlarm), Contains("at-chance"));
  EXPECT_THAT(model.findings[0].text, HasSubstr("always answers \"red\""));
}

TEST_F(Check, a_fix_is_written_beside_the_model_and_nothing_is_lost) {
  const auto path = right_model();
  file("m.onnx.hedge.json", R"({"schema": 1, "recipe": "crop=8,mean=0,std=0.00392157", "features": "pool", "macs": 12})");
  const auto model = checked({.path = path}, true);
  EXPECT_THAT(model.fixed, HasSubstr("m.onnx.hedge.json"));
  EXPECT_THAT(alarms_, IsEmpty()) << "mended";
  const auto sidecar = model::read_sidecar(path);
  ASSERT_TRUE(sidecar.ok()) << sidecar.error().message();
  EXPECT_EQ(sidecar->features, "pool");
  EXPECT_EQ(sidecar->macs, 12);
  ASSERT_TRUE(sidecar->recipe.has_value());
  EXPECT_EQ(sidecar->recipe->normalization.mean, (std::vector<float>{0.5F, 0.5F, 0.5F}));
  EXPECT_THAT(kinds(checked({.path = path}), Weight::kAlarm), IsEmpty());
}

TEST_F(Check, exchanged_names_are_mended_too) {
  const auto path = this->model("m.onnx");
  file("m.onnx.hedge.json",
       R"({"schema": 1, "recipe": "crop=8,mean=0.5,std=0.5", "labels": ["red","cyan","blue","yellow","green","magenta"]})");
  checked({.path = path}, true);
  EXPECT_EQ(model::read_sidecar(path)->labels, kNames);
  EXPECT_THAT(kinds(checked({.path = path}), Weight::kAlarm), IsEmpty());
}

TEST_F(Check, guesses_a_recipe_that_nobody_says_and_says_so) {
  const auto model = checked({.path = right_model()});
  EXPECT_THAT(kinds(model, Weight::kAlarm), Contains("no-recipe"));
  ASSERT_TRUE(model.better_recipe.has_value());
  EXPECT_EQ(model.better_recipe->height, 8);
}

TEST_F(Check, outputs_in_another_order_of_numbers_are_found) {
  std::vector<std::string> numbers;
  for (int i = 1; i <= 12; ++i) numbers.push_back("class" + std::to_string(i));
  const hedge::testing::TemporaryFolder folder("workflow_check_numbers");
  const auto data = testing::make_colour_images(folder, numbers, 20);
  const auto listed = data::open_dataset(data)->dataset->class_names();
  // The model's outputs are in the order that the data set's are not, and it names none.
  const bool by_number = listed == numbers;
  auto order = testing::first_colours(12);
  if (by_number) std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return numbers[a] < numbers[b]; });
  const auto path = testing::make_colour_model(folder / "m.onnx", order, {});
  const auto report = check({.models = {{.path = path, .recipe = testing::kRightRecipe}}, .data = data, .threads = 1});
  ASSERT_TRUE(report.ok()) << report.error().message();
  EXPECT_THAT(kinds(report->models[0], Weight::kAlarm), Contains("class-order"));
  std::vector<std::string> right;
  for (const auto colour : order) right.push_back(numbers[colour]);
  EXPECT_EQ(report->models[0].better_labels, right);
}

TEST_F(Check, tells_of_the_data_set) {
  EXPECT_TRUE(write_file_atomic(folder_ / "images/tiny/1.png", read_file(folder_ / "images/red/1.png").value()).ok());
  const auto labels = file("seven.json", R"(["red","green","blue","yellow","cyan","magenta","tiny"])");
  const auto path = testing::make_colour_model(folder_ / "seven.onnx", testing::first_colours(7), {});
  const auto report = check({.models = {{.path = path, .recipe = testing::kRightRecipe, .labels = labels}}, .data = data_, .threads = 1});
  ASSERT_TRUE(report.ok()) << report.error().message();
  std::vector<std::string> kinds;
  for (const auto& finding : report->data_findings) kinds.push_back(finding.kind);
  EXPECT_THAT(kinds, Contains("tiny-classes"));
  const auto json = to_json(*report);
  EXPECT_EQ(json.at("schema"), 1);
  EXPECT_EQ(json.at("models").at(0).at("tried").at(0).at("compared"), "stated");
  EXPECT_EQ(json.at("alarms").size(), report->alarms().size());
}

TEST_F(Check, refuses_what_it_cannot_do) {
  EXPECT_EQ(check({.data = data_}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(check({.models = {{.path = right_model()}}, .data = data_, .images = 0}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(check({.models = {{.path = folder_ / "none.onnx"}}, .data = data_}).error().code, ErrorCode::kNotFound);
  const auto stopped = check({.models = {{.path = right_model()}}, .data = data_}, {.should_stop = [] { return true; }});
  EXPECT_EQ(stopped.error().code, ErrorCode::kCancelled);
}

/// The quiet part: in other verbs.
class QuietCheck : public Check {
 protected:
  /// Base and global under a recipe; the names are right or, of the base, shifted.
  PairOptions pair(const std::string& recipe, bool shifted = false) {
    PairOptions pair;
    pair.base = {.path = model("base.onnx"), .recipe = recipe, .labels = file("names.json", labels_of(kNames))};
    if (shifted) pair.base.labels = file("shifted.json", R"(["magenta","red","green","blue","yellow","cyan"])");
    pair.global = {.path = right_model("global.onnx"), .recipe = testing::kRightRecipe};
    pair.threads = 1;
    return pair;
  }
  FitOptions fit_options(const PairOptions& pair) {
    return {.data = data_, .pair = pair, .router = train::RouterKind::kMargin, .out = folder_ / "fitted"};
  }
};

TEST_F(QuietCheck, a_right_pair_goes_through_without_a_word) {
  std::vector<std::string> said;
  const auto predicted = predict({.data = data_ + "?split=all", .pair = pair(testing::kRightRecipe)},
                                 {.log = [&](LogLevel, const std::string& line) { said.push_back(line); }});
  ASSERT_TRUE(predicted.ok()) << predicted.error().message();
  EXPECT_THAT(predicted->risks, IsEmpty());
  EXPECT_THAT(said, Not(Contains(HasSubstr("conventions"))));
}

TEST_F(QuietCheck, a_base_at_chance_ends_predicting_and_the_better_convention_is_named) {
  const auto wrong = pair(testing::kRightRecipe, true);
  const auto predicted = predict({.data = data_ + "?split=all", .pair = wrong, .out = folder_ / "all.table"});
  ASSERT_FALSE(predicted.ok());
  EXPECT_EQ(predicted.error().code, ErrorCode::kAlarm);
  EXPECT_THAT(predicted.error().message(), HasSubstr("not above chance"));
  EXPECT_THAT(predicted.error().message(), HasSubstr("--accept-risk"));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "all.table")) << "what was computed is kept";
}

TEST_F(QuietCheck, an_accepted_risk_is_recorded_in_table_policy_and_report) {
  auto wrong = pair(testing::kRightRecipe, true);
  EXPECT_EQ(fit(fit_options(wrong)).error().code, ErrorCode::kAlarm);
  wrong.accept_risk = true;
  const auto fitted = fit(fit_options(wrong));
  ASSERT_TRUE(fitted.ok()) << fitted.error().message();
  EXPECT_THAT(fitted->policy.accepted_risks, Contains(HasSubstr("not above chance")));
  const auto folder = read_fitted(folder_ / "fitted");
  ASSERT_TRUE(folder.ok()) << folder.error().message();
  EXPECT_EQ(folder->policy.accepted_risks, fitted->policy.accepted_risks);
  const auto table = routing::read_table(folder_ / "fitted/test.table");
  ASSERT_TRUE(table.ok()) << table.error().message();
  EXPECT_THAT(table->info.accepted_risks, Not(IsEmpty()));
  const auto report = evaluate({.table = folder_ / "fitted/test.table",
                                .methods = {{.name = "hybrid", .router = (folder_ / "fitted").string()}},
                                .out = folder_ / "report",
                                .resamples = 100});
  ASSERT_TRUE(report.ok()) << report.error().message();
  EXPECT_THAT(read_file(folder_ / "report/report.json").value(), HasSubstr("Risk accepted: "));
}

TEST_F(QuietCheck, fitting_on_tables_says_that_a_model_is_at_chance) {
  auto wrong = pair(testing::kRightRecipe, true);
  ASSERT_EQ(predict({.data = data_ + "?split=train", .pair = wrong, .out = folder_ / "fit.table"}).error().code, ErrorCode::kAlarm);
  wrong.accept_risk = true;
  const auto fit_table = folder_ / "fit.table";
  FitOptions options{.table = fit_table, .calibration = fit_table, .router = train::RouterKind::kMargin};
  EXPECT_EQ(fit(options).error().code, ErrorCode::kAlarm);
  options.pair.accept_risk = true;
  EXPECT_EQ(fit(options).error().code, ErrorCode::kMismatch) << "the risk is passed, and what comes next is seen: both tables are one";
}

TEST_F(QuietCheck, a_bundle_runs_its_models_as_it_holds_them) {
  auto right = pair(testing::kRightRecipe);
  const auto fitted = fit(fit_options(right));
  ASSERT_TRUE(fitted.ok()) << fitted.error().message();
  BundleOptions options{.base = right.base, .global = right.global, .fitted = folder_ / "fitted", .out = folder_ / "bundle"};
  const auto good = bundle(options);
  ASSERT_TRUE(good.ok()) << good.error().message();
  options.base.recipe = "crop=8,mean=0,std=0.00392157";
  options.out = folder_ / "other";
  const auto wrong = bundle(options);
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().code, ErrorCode::kAlarm) << wrong.error().message();
  EXPECT_FALSE(std::filesystem::exists(folder_ / "other"));
  options.accept_risk = true;
  ASSERT_TRUE(bundle(options).ok());
  EXPECT_THAT(read_file(folder_ / "other/policy.json").value(), HasSubstr("accepted_risks"));
}

}  // namespace
}  // namespace hedge::workflow

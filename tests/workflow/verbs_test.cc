// Each verb called as a library: a whole hybrid on tiny data, what is refused, stopping, and what is said on the way.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "core/file.h"
#include "core/json.h"
#include "core/rng.h"
#include "eval/baselines_json.h"
#include "eval/report_json.h"
#include "graph/graph.h"
#include "hedge/image.h"
#include "hedge/router.h"
#include "hedge/workflow.h"
#include "model/model_graph.h"
#include "workflow/adapt.h"
#include "workflow/bundle.h"
#include "workflow/compare.h"
#include "workflow/evaluate.h"
#include "workflow/exits.h"
#include "workflow/plan.h"
#include "workflow/predict.h"
#include "workflow/shift.h"
#include "workflow/train.h"

namespace hedge::workflow {
namespace {

/// A sink that remembers.
struct Listener {
  std::vector<std::string> said, done;

  RunContext context() {
    return {.log = [this](LogLevel, const std::string& line) { said.push_back(line); },
            .progress = [this](const ProgressUpdate& update) { done.push_back(update.what); }};
  }
  static bool has(const std::vector<std::string>& lines, const std::string& part) {
    return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) { return line.find(part) != std::string::npos; });
  }
};

/// Stops at once.
RunContext stopped() {
  return {.should_stop = [] { return true; }};
}

train::TrainOptions quick(std::int64_t epochs) {
  return {.epochs = epochs, .batch = 32, .precision = train::Precision::kF32, .layout = train::Layout::kNchw, .threads = 1};
}

class Verbs : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::filesystem::temp_directory_path() / ("hedge_verbs_" + std::to_string(::getpid()));
    make_images(120);
    const auto base = train({.data = data(), .net = "mobile:2,depth=1", .out = at("base.onnx"), .training = quick(2)});
    ASSERT_TRUE(base.ok()) << base.error().message();
    const auto global = train({.data = data(), .net = "resnet:6,1", .out = at("global.onnx"), .training = quick(4)});
    ASSERT_TRUE(global.ok()) << global.error().message();
    const auto fitted = fit(fit_options("hybrid"));
    ASSERT_TRUE(fitted.ok()) << fitted.error().message();
    ASSERT_EQ(fitted->test_table, at("hybrid/test.table"));
  }
  static void TearDownTestSuite() { std::filesystem::remove_all(folder_); }

  static std::filesystem::path at(const std::string& name) { return folder_ / name; }
  static std::string data(const std::string& split = "") { return "folder:" + at("images").string() + split; }
  static PairOptions pair() {
    PairOptions options;
    options.base.path = at("base.onnx");
    options.global.path = at("global.onnx");
    options.threads = 1;
    return options;
  }
  /// Images predicted into the folder `name`, and a gain router.
  static FitOptions fit_options(const std::string& name) {
    return {.data = data(), .pair = pair(), .router = train::RouterKind::kGain, .training = {.epochs = 3, .threads = 1}, .out = at(name)};
  }
  static EvaluateOptions evaluate_options() {
    return {
        .table = at("hybrid/test.table"), .methods = {{.name = "hybrid", .router = at("hybrid").string()}}, .images = 3, .resamples = 100};
  }

  /// 3 classes of 16x16 images: a bright band whose place is the class, under noise that hides some of them.
  static void make_images(int a_class) {
    Rng rng(11);
    for (std::size_t label = 0; label < 3; ++label)
      for (int i = 0; i < a_class; ++i) {
        data::Image image{.height = 16, .width = 16, .channels = 1, .pixels = std::vector<std::uint8_t>(256)};
        const auto contrast = rng.below(90);
        for (std::size_t p = 0; p < 256; ++p)
          image.pixels[p] = static_cast<std::uint8_t>((p / 16 / 5 == label ? 60 + contrast : 60) + rng.below(100));
        const auto path = at("images") / ("class" + std::to_string(label)) / (std::to_string(i) + ".png");
        ASSERT_TRUE(write_file_atomic(path, data::encode_png(image).value()).ok());
      }
  }

  static inline std::filesystem::path folder_;
};

TEST_F(Verbs, training_says_what_it_made_and_goes_on_from_its_checkpoint) {
  Listener listener;
  TrainOptions options{.data = data(), .net = "mobile:2,depth=1", .out = at("again.onnx"), .training = quick(2)};
  const auto trained = train(options, listener.context());
  ASSERT_TRUE(trained.ok()) << trained.error().message();
  EXPECT_GT(trained->macs, 0);
  EXPECT_TRUE(Listener::has(listener.said, "training mobile:2,depth=1"));
  EXPECT_FALSE(listener.done.empty());
  const auto again = train(options);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->summary.resumed_from_epoch, 2);
  EXPECT_EQ(again->sha256, trained->sha256);
  options.out = at("other.onnx");
  EXPECT_EQ(train(options, stopped()).error().code, ErrorCode::kCancelled);
  options.model = at("base.onnx");
  EXPECT_EQ(train(options).error().code, ErrorCode::kInvalidArgument) << "a new network and a model";
  options.net = "";
  options.model = at("nowhere.onnx");
  EXPECT_EQ(train(options).error().code, ErrorCode::kNotFound);
}

TEST_F(Verbs, a_training_under_a_recipe_says_so_in_its_model_and_keeps_its_teachers_predictions) {
  TrainOptions options{.data = data(), .net = "mobile:2,depth=1", .out = at("taught.onnx"), .training = quick(1)};
  options.recipe = train::Recipe::kAuto;
  options.insist = [](train::TrainOptions& training) { training.averaging = train::Averaging::kNone; };
  options.teacher = TeacherOptions{.model = at("global.onnx")};
  const auto trained = train(options);
  ASSERT_TRUE(trained.ok()) << trained.error().message();
  EXPECT_EQ(trained->recipe, train::Recipe::kMobile);
  const auto json = parse_json(model::read_model_graph(at("taught.onnx"), {})->graph.metadata.at(graph::kTrainingKey), "");
  ASSERT_TRUE(json.ok());
  EXPECT_EQ(json->at("recipe"), "mobile");
  EXPECT_EQ(json->at("averaging"), "none") << "what was insisted on";
  const auto kept = std::filesystem::last_write_time(at("taught.onnx.teacher"));
  ASSERT_TRUE(train(options).ok());
  EXPECT_EQ(std::filesystem::last_write_time(at("taught.onnx.teacher")), kept) << "made once";
}

TEST_F(Verbs, another_optimiser_than_the_recipes_has_the_rate_and_decay_that_were_asked_for) {
  const auto rates = [&](const std::string& out, train::Optimizer optimizer) {
    TrainOptions options{.data = data(), .net = "resnet:2,1", .out = at(out), .training = quick(1)};
    options.training.learning_rate = 0.007;
    options.training.weight_decay = 0.03;
    options.recipe = train::Recipe::kSmall;
    options.insist = [optimizer](train::TrainOptions& training) { training.optimizer = optimizer; };
    EXPECT_TRUE(train(options).ok());
    return parse_json(model::read_model_graph(at(out), {})->graph.metadata.at(graph::kTrainingKey), "").value();
  };
  const auto own = rates("adamw.onnx", train::Optimizer::kAdamW), recipes = rates("muon.onnx", train::Optimizer::kMuon);
  EXPECT_EQ(own.at("learning_rate"), 0.007);
  EXPECT_EQ(own.at("weight_decay"), 0.03);
  EXPECT_NE(recipes.at("learning_rate"), 0.007);
}

TEST_F(Verbs, a_network_that_is_trained_further_cannot_start_anew) {
  TrainOptions options{.data = data(), .model = at("base.onnx"), .out = at("further.onnx"), .training = quick(1)};
  options.training.identity = true;
  const auto refused = train(options);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  options.training.identity = false;
  options.recipe = train::Recipe::kAuto;
  const auto further = train(options);
  ASSERT_TRUE(further.ok()) << further.error().message();
  EXPECT_EQ(further->recipe, train::Recipe::kPlain);
}

/// Before any file is looked at: there the error would be kNotFound.
TEST_F(Verbs, what_trains_asks_first_whether_there_is_a_gpu_to_train_on) {
  const auto expected = train::prepare_device(train::Device::kCuda).ok() ? ErrorCode::kNotFound : ErrorCode::kUnavailable;
  auto training = quick(1);
  training.device = train::Device::kCuda;
  const auto trained =
      train({.data = "folder:" + at("none").string(), .net = "mobile:2,depth=1", .out = at("gpu.onnx"), .training = training});
  ASSERT_FALSE(trained.ok());
  EXPECT_EQ(trained.error().code, expected) << trained.error().message();
  const auto exits =
      add_exits({.data = "folder:" + at("none").string(), .network = at("none.onnx"), .out = at("gpu.onnx"), .training = training});
  ASSERT_FALSE(exits.ok());
  EXPECT_EQ(exits.error().code, expected) << exits.error().message();
  AdaptOptions adapting{
      .data = "folder:" + at("none").string(), .base = at("none.onnx"), .global = at("none.onnx"), .router = at("none.onnx")};
  adapting.out = at("gpu");
  adapting.training = training;
  const auto adapted = adapt(adapting);
  ASSERT_FALSE(adapted.ok());
  EXPECT_EQ(adapted.error().code, expected) << adapted.error().message();
}

TEST_F(Verbs, predictions_are_those_of_the_splits_that_fitting_made) {
  Listener listener;
  const auto predicted = predict({.data = data("?split=test"), .pair = pair(), .out = at("test.table")}, listener.context());
  ASSERT_TRUE(predicted.ok()) << predicted.error().message();
  EXPECT_TRUE(predicted->skipped.empty());
  EXPECT_EQ(read_file(at("test.table")).value(), read_file(at("hybrid/test.table")).value());
  EXPECT_FALSE(listener.done.empty());
  EXPECT_EQ(predict({.data = data("?split=test"), .pair = pair()}, stopped()).error().code, ErrorCode::kCancelled);
  EXPECT_EQ(predict({.data = "folder:/nowhere?split=test", .pair = pair()}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(predict_splits({.data = data("?split=test"), .pair = pair(), .out = at("x")}).error().code, ErrorCode::kInvalidArgument);
  auto alone = pair();
  alone.global = {};
  EXPECT_EQ(predict_splits({.data = data(), .pair = alone, .out = at("x")}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_FALSE(predict({.data = data("?split=test"), .pair = alone})->table.has_global());
}

TEST_F(Verbs, fitting_gives_the_same_from_files_and_from_memory) {
  FitOptions options = fit_options("from_files");
  options.data.clear();
  options.table = at("hybrid/fit.table");
  options.calibration = at("hybrid/calibration.table");
  const auto from_files = fit(options);
  ASSERT_TRUE(from_files.ok()) << from_files.error().message();
  EXPECT_EQ(read_file(from_files->router_path).value(), read_file(at("hybrid/router.onnx")).value());
  EXPECT_EQ(from_files->router_onnx, read_file(from_files->router_path).value());
  options.out.clear();
  const auto in_memory =
      fit({.fit = routing::read_table(options.table).value(), .calibration = routing::read_table(options.calibration).value()}, options);
  ASSERT_TRUE(in_memory.ok()) << in_memory.error().message();
  EXPECT_EQ(in_memory->policy.to_json(), from_files->policy.to_json());
  EXPECT_TRUE(in_memory->router_path.empty()) << "nothing is written without a folder";
}

TEST_F(Verbs, a_shift_is_judged_beside_the_images_as_they_are_and_recalibrated) {
  auto promised = fit_options("promised");
  promised.data.clear();
  promised.table = at("hybrid/fit.table");
  promised.calibration = at("hybrid/calibration.table");
  promised.router = train::RouterKind::kMargin;
  promised.point.promise = routing::Promise{.kind = routing::PromiseKind::kCoverage, .target = 0.5, .delta = 0.1};
  const auto margin = fit(promised);
  ASSERT_TRUE(margin.ok()) << margin.error().message();
  ShiftOptions options{.data = data(), .pair = pair(), .recalibrate = 24};
  options.methods = {{.name = "gain", .router = at("hybrid").string()}, {.name = "margin", .router = at("promised").string()}};
  options.corruptions = {{data::CorruptionKind::kNoise, 5}};
  const auto report = measure_shift(options);
  ASSERT_TRUE(report.ok()) << report.error().message();
  const auto test = routing::read_table(at("hybrid/test.table")).value();
  EXPECT_EQ(report->images, test.size());
  ASSERT_EQ(report->rows.size(), 2U);
  EXPECT_FALSE(report->rows[0].corruption.has_value());
  EXPECT_NEAR(report->rows[0].base.value, routing::outcomes(test)->base_accuracy(), 1e-12);
  ASSERT_EQ(report->rows[1].methods.size(), 2U);
  const auto& gain = report->rows[1].methods[0];
  EXPECT_EQ(gain.unchanged.threshold, report->policies[0].chosen.threshold);
  EXPECT_FALSE(gain.standing.has_value()) << "it promises nothing";
  EXPECT_TRUE(report->rows[1].methods[1].standing.has_value());
  // By hand: the same corrupted images, predicted, at the policy's threshold.
  const auto noisy = predict({.data = data("?split=test&corrupt=noise:5"), .pair = pair()});
  ASSERT_TRUE(noisy.ok()) << noisy.error().message();
  const auto scores = routing::free_score(routing::FreeScore::kMargin, noisy->table.base_logits);
  const auto stay = std::count_if(scores.begin(), scores.end(), [&](float s) { return s <= margin->policy.chosen.threshold; });
  EXPECT_NEAR(report->rows[1].methods[1].unchanged.coverage.value, static_cast<double>(stay) / static_cast<double>(scores.size()), 1e-12);
  EXPECT_NE(report->rows[1].base.value, report->rows[0].base.value);
  const auto json = to_json(*report);
  EXPECT_EQ(json.at("rows").at(1).at("corruption"), "noise:5");
  EXPECT_EQ(json.at("methods").at(1).at("promise"), "coverage>=0.5");
  EXPECT_TRUE(json.at("rows").at(1).at("methods").at(0).contains("recalibrated"));
  options.recalibrate = 0;
  EXPECT_FALSE(measure_shift(options)->rows[1].methods[0].recalibrated.has_value());
}

TEST_F(Verbs, a_shift_is_refused_where_it_cannot_be_judged) {
  ShiftOptions options{.data = data(), .pair = pair(), .methods = {{.name = "gain", .router = at("hybrid").string()}}};
  const auto code_of = [](const ShiftOptions& wrong) { return measure_shift(wrong).error().code; };
  auto wrong = options;
  wrong.data = data("?split=test");
  EXPECT_EQ(code_of(wrong), ErrorCode::kInvalidArgument);
  wrong.data = data("?corrupt=blur:1");
  EXPECT_EQ(code_of(wrong), ErrorCode::kInvalidArgument);
  wrong = options;
  wrong.methods.clear();
  EXPECT_EQ(code_of(wrong), ErrorCode::kInvalidArgument);
  wrong = options;
  wrong.pair.global = {};
  EXPECT_EQ(code_of(wrong), ErrorCode::kInvalidArgument);
  wrong = options;
  std::swap(wrong.pair.base, wrong.pair.global);
  wrong.pair.base.features = "auto";
  EXPECT_EQ(code_of(wrong), ErrorCode::kMismatch) << "a policy of another base";
}

TEST_F(Verbs, fitting_chooses_fuses_and_promises) {
  FitOptions options{.table = at("hybrid/fit.table"),
                     .calibration = at("hybrid/calibration.table"),
                     .fuse = true,
                     .training = {.epochs = 2, .threads = 1}};
  options.point.promise = routing::Promise{.kind = routing::PromiseKind::kCoverage, .target = 0.5, .delta = 0.1};
  Listener listener;
  const auto fitted = fit(options, listener.context());
  ASSERT_TRUE(fitted.ok()) << fitted.error().message();
  EXPECT_TRUE(fitted->policy.choice.has_value());
  EXPECT_TRUE(fitted->policy.fusion.has_value());
  EXPECT_TRUE(fitted->policy.promise.has_value());
  EXPECT_GE(fitted->policy.chosen.coverage, 0.5);
  EXPECT_TRUE(Listener::has(listener.said, "auto chose"));
  EXPECT_TRUE(Listener::has(listener.said, "held out for choosing"));
}

TEST_F(Verbs, fitting_refuses_what_contradicts_itself) {
  const auto code = [](const FitOptions& options) { return fit(options).error().code; };
  EXPECT_EQ(code({}), ErrorCode::kInvalidArgument) << "nothing to fit on";
  const FitOptions tables{.table = at("hybrid/fit.table"), .calibration = at("hybrid/calibration.table")};
  auto options = tables;
  options.cross_fit = 3;
  EXPECT_EQ(code(options), ErrorCode::kInvalidArgument) << "cross-fitting has no calibration of its own";
  options = tables;
  options.router = train::RouterKind::kGain;
  options.calibrate_temperature = true;
  EXPECT_EQ(code(options), ErrorCode::kInvalidArgument);
  options = tables;
  options.calibration = options.table;
  EXPECT_EQ(code(options), ErrorCode::kMismatch) << "a threshold from the images that were fitted on";
  options = {.table = at("hybrid/fit.table"), .cross_fit = 3};
  EXPECT_EQ(code(options), ErrorCode::kMismatch) << "cross-fitting on the training split";
  options = tables;
  options.router = train::RouterKind::kMargin;
  options.point.accuracy = 1;
  EXPECT_EQ(code(options), ErrorCode::kUnreachable);
}

TEST_F(Verbs, evaluating_gives_the_report_that_its_file_gives_back) {
  auto options = evaluate_options();
  options.out = at("report");
  options.methods.push_back({.name = "margin_again", .router = "margin"});
  const auto report = evaluate(options);
  ASSERT_TRUE(report.ok()) << report.error().message();
  EXPECT_EQ(report->default_method, "hybrid");
  EXPECT_EQ(report->images, static_cast<std::int64_t>(routing::read_table(options.table)->size()));
  ASSERT_TRUE(report->gallery.has_value());
  EXPECT_LE(report->gallery->queried.size(), 3U);
  const auto read = eval::read_report(at("report/report.json"));
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(eval::to_json(*read).dump(), eval::to_json(*report).dump());
  EXPECT_EQ(read_file(at("report/report.html"))->substr(0, 15), "<!doctype html>");
}

TEST_F(Verbs, evaluating_counts_copies_of_the_judged_images_in_other_splits) {
  const auto root = at("copies");
  std::filesystem::copy(at("images"), root, std::filesystem::copy_options::recursive);
  const auto spec = "folder:" + root.string();
  const auto test = predict({.data = spec + "?split=test", .pair = pair(), .out = at("copies.table")});
  ASSERT_TRUE(test.ok()) << test.error().message();
  const auto judged = data::open_dataset(spec + "?split=test"), train = data::open_dataset(spec + "?split=train");
  ASSERT_TRUE(judged.ok() && train.ok());
  for (std::size_t i = 0; i < 5; ++i)  // train images get the content of test images
    std::filesystem::copy_file(root / judged->dataset->id(i), root / train->dataset->id(i),
                               std::filesystem::copy_options::overwrite_existing);
  auto options = evaluate_options();
  options.table = at("copies.table");
  options.methods = {{.name = "margin_score", .router = "margin"}};
  const auto report = evaluate(options);
  ASSERT_TRUE(report.ok()) << report.error().message();
  ASSERT_TRUE(report->copies.has_value());
  EXPECT_EQ(report->copies->images, 5);
  EXPECT_EQ(report->copies->in_train, 5);
  EXPECT_TRUE(report->copies->base.has_value());
  EXPECT_NE(report->verdict.find("5 of the 36 images are exact copies of images in other splits"), std::string::npos) << report->verdict;
}

TEST_F(Verbs, a_promise_with_groups_rests_on_one_image_of_each) {
  Listener listener;
  FitOptions options = fit_options("grouped");
  options.data = data("?group=(.*).[.]");
  // Models of the same split: those of the suite have seen images that are calibration images here.
  options.pair.base.path = at("grouped_base.onnx");
  options.pair.global.path = at("grouped_global.onnx");
  ASSERT_TRUE(train({.data = options.data, .net = "mobile:2,depth=1", .out = options.pair.base.path, .training = quick(2)}).ok());
  ASSERT_TRUE(train({.data = options.data, .net = "resnet:6,1", .out = options.pair.global.path, .training = quick(4)}).ok());
  options.point.promise = routing::Promise{.kind = routing::PromiseKind::kCoverage, .target = 0.1, .delta = 0.4};
  const auto fitted = fit(options, listener.context());
  ASSERT_TRUE(fitted.ok()) << fitted.error().message();
  EXPECT_GT(fitted->policy.calibration_groups, 1);
  EXPECT_LT(fitted->policy.calibration_groups, fitted->policy.calibration_size);
  EXPECT_EQ(fitted->policy.promise->images, fitted->policy.calibration_groups);
  EXPECT_TRUE(Listener::has(listener.said, "groups of the calibration images"));
  const auto table = routing::read_table(at("grouped/calibration.table"));
  ASSERT_TRUE(table.ok());
  EXPECT_TRUE(table->has_groups());
}

TEST_F(Verbs, judging_is_the_evaluation_in_brief) {
  const auto options = evaluate_options();
  const auto report = evaluate(options);
  const auto judgement = judge(options);
  ASSERT_TRUE(report.ok() && judgement.ok()) << judgement.error().message();
  EXPECT_EQ(judgement->images, report->images);
  EXPECT_EQ(judgement->base_accuracy.value, report->base.accuracy.value);
  EXPECT_EQ(judgement->global_accuracy->low, report->global.accuracy.low);
  EXPECT_EQ(judgement->verdict, report->verdict);
  ASSERT_EQ(judgement->coverages.size(), report->curve.size());
  ASSERT_EQ(judgement->methods.size(), report->curve.front().methods.size());
  const auto& last = judgement->methods.back();
  ASSERT_EQ(last.accuracy.size(), report->curve.size());
  EXPECT_EQ(last.accuracy.back().value, report->curve.back().methods.back().accuracy.value);
  EXPECT_EQ(last.area.value, report->area_of(last.name)->area.value);
  EXPECT_EQ(judgement->operating_point->threshold, report->operating_point->threshold);

  const auto in_memory = judge(routing::read_table(options.table).value(), options);
  ASSERT_TRUE(in_memory.ok()) << in_memory.error().message();
  EXPECT_EQ(in_memory->verdict, judgement->verdict);
}

TEST_F(Verbs, evaluating_refuses_images_that_something_was_made_with) {
  auto options = evaluate_options();
  options.table = at("hybrid/calibration.table");
  EXPECT_EQ(evaluate(options).error().code, ErrorCode::kMismatch);
  options = evaluate_options();
  options.default_method = "nobody";
  EXPECT_EQ(evaluate(options).error().code, ErrorCode::kNotFound);
  options = evaluate_options();
  options.methods.push_back({.name = "hybrid", .router = at("hybrid").string(), .table = at("hybrid/test.table")});
  EXPECT_EQ(evaluate(options).error().code, ErrorCode::kInvalidArgument) << "seeds of other models and of none";
  options = evaluate_options();
  options.methods[0].router = at("nowhere").string();
  EXPECT_EQ(evaluate(options).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(evaluate(evaluate_options(), stopped()).error().code, ErrorCode::kCancelled);
}

TEST_F(Verbs, exits_and_comparing_give_the_other_ways_to_share_the_work) {
  for (const auto place : {HeadPlace::kStages, HeadPlace::kCuts}) {
    const auto name = place == HeadPlace::kStages ? "exits.onnx" : "cuts.onnx";
    ExitsOptions options{.data = data(), .network = at("global.onnx"), .out = at(name), .at = place, .training = quick(1)};
    const auto exits = add_exits(options);
    ASSERT_TRUE(exits.ok()) << exits.error().message();
    EXPECT_EQ(exits->macs.size(), exits->tensors.size() + 1);
    options.out = at("stopped.onnx");
    EXPECT_EQ(add_exits(options, stopped()).error().code, ErrorCode::kCancelled);
  }
  CompareOptions options{.table = at("hybrid/test.table"),
                         .hybrids = {at("hybrid")},
                         .global = at("global.onnx"),
                         .exits = at("exits.onnx"),
                         .split = at("cuts.onnx"),
                         .also = {{"again", at("hybrid/test.table")}},
                         .calibrate_images = 50,
                         .threads = 1,
                         .judging = {.resamples = 100},
                         .out = at("baselines.json")};
  Listener listener;
  const auto baselines = compare(options, listener.context());
  ASSERT_TRUE(baselines.ok()) << baselines.error().message();
  for (const char* name : {"hybrid", "on_device", "on_cloud", "upper_bound", "entropy", "early_exit", "split_f32", "split_int8", "again"})
    EXPECT_TRUE(std::any_of(baselines->rows.begin(), baselines->rows.end(), [&](const auto& row) { return row.name == name; })) << name;
  EXPECT_EQ(baselines->image_bytes, 256);
  EXPECT_TRUE(Listener::has(listener.done, "early exits"));
  EXPECT_EQ(eval::to_json(eval::read_baselines(at("baselines.json")).value()).dump(), eval::to_json(*baselines).dump());
  EXPECT_EQ(compare(options, stopped()).error().code, ErrorCode::kCancelled);
  options.calibrate = data("?split=test");
  EXPECT_EQ(compare(options).error().code, ErrorCode::kMismatch) << "scales from the judged images";
  options.exits = at("global.onnx");
  options.split.clear();
  EXPECT_EQ(compare(options).error().code, ErrorCode::kMismatch) << "a network without exits";

  auto judged = evaluate_options();
  judged.baselines = at("baselines.json");
  judged.out = at("planned");
  ASSERT_TRUE(evaluate(judged).ok());
  const auto planned =
      plan({.report = at("planned/report.json"),
            .here = MeasureOptions{.base = {.path = at("base.onnx")}, .global = {.path = at("global.onnx")}, .router = at("hybrid")}});
  ASSERT_TRUE(planned.ok()) << planned.error().message();
  EXPECT_GT(planned->plan.measured->base_ms, 0);
  EXPECT_EQ(planned->plan.query_bytes, 256) << "as the baselines say";
  const auto document = read_json(at("planned/report.json")).value();
  EXPECT_TRUE(document.contains("plan"));
  EXPECT_TRUE(document.contains("explorer_pictures")) << "the rest of the report stays";
  EXPECT_EQ(plan({.report = at("planned/report.json"), .device = "abacus"}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(plan({.report = at("nowhere.json")}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(plan({.report = at("planned/report.json"), .here = MeasureOptions{.base = {.path = at("base.onnx")}}}).error().code,
            ErrorCode::kInvalidArgument);
}

TEST_F(Verbs, adapting_judges_each_arm_beside_the_control) {
  AdaptOptions options{.data = data(),
                       .base = at("base.onnx"),
                       .global = at("global.onnx"),
                       .router = at("hybrid/router.onnx"),
                       .out = at("adapted"),
                       .seeds = 1,
                       .resamples = 100,
                       .training = quick(1)};
  options.rounds.rounds = 1;
  options.rounds.router.epochs = 2;
  const auto report = adapt(options);
  ASSERT_TRUE(report.ok()) << report.error().message();
  std::vector<std::string> names;
  for (const auto& row : report->hybrids) names.push_back(row.name);
  EXPECT_EQ(names, (std::vector<std::string>{"before", "adapted", "control"}));
  EXPECT_EQ(report->hybrids[0].to_before.value, 0);
  const Json written = to_json(*report);
  const auto& free = written.at("hybrids")[1].at("free");
  EXPECT_TRUE(routing::free_score_named(free.at("score").get<std::string>()).has_value());
  EXPECT_EQ(free.at("at").size(), kFreeCoverages.size());
  EXPECT_LE(free.at("at").at("0.90").at("to_control").at("low"), free.at("at").at("0.90").at("to_control").at("high"));
  EXPECT_EQ(report->hybrids[2].free.difference.value, 0) << "the control against itself";
  EXPECT_EQ(read_json(at("adapted/adapt.json"))->dump(), written.dump());
  EXPECT_TRUE(std::filesystem::exists(at("adapted/adapted/test.table")));
  options.judge = data("?split=train");
  EXPECT_EQ(adapt(options).error().code, ErrorCode::kMismatch) << "judged on what is trained on";
  options.judge.clear();
  options.seeds = 0;
  EXPECT_EQ(adapt(options).error().code, ErrorCode::kInvalidArgument);
  options.seeds = 1;
  options.out = at("stopped");
  EXPECT_EQ(adapt(options, stopped()).error().code, ErrorCode::kCancelled);
}

TEST_F(Verbs, bundling_packs_what_was_fitted_and_refuses_another_global) {
  BundleOptions options{.base = {.path = at("base.onnx")},
                        .global = {.path = at("global.onnx")},
                        .fitted = at("hybrid"),
                        .out = at("bundle"),
                        .strict = true};
  const auto bundled = bundle(options);
  ASSERT_TRUE(bundled.ok()) << bundled.error().message();
  EXPECT_EQ(bundled->classes_by, edge::ClassesBy::kName);
  EXPECT_TRUE(bundled->notes.empty());
  const auto read = edge::read_bundle(options.out);
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(read->policy.chosen.threshold, bundled->threshold);
  EXPECT_EQ(read->labels, (std::vector<std::string>{"class0", "class1", "class2"}));
  ASSERT_TRUE(read->policy.classes.has_value()) << "kept from predicting to bundling";
  EXPECT_EQ(read->policy.classes->names, read->labels);
  EXPECT_EQ(read->handshake ? read->handshake->images.size() : 0, bundled->handshake);
  options.global.path = at("base.onnx");
  const auto other = bundle(options);
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().code, ErrorCode::kMismatch);
  EXPECT_NE(other.error().message().find("another global"), std::string::npos) << other.error().message();
}

}  // namespace
}  // namespace hedge::workflow

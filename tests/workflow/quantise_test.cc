#include "workflow/quantise.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "codegen/lower.h"
#include "infer/openvino/openvino_executor.h"
#include "workflow/calibration.h"
#include "workflow/import_tflite.h"
#include "workflow/tiny_model.h"

namespace hedge::workflow {
namespace {

using ::testing::HasSubstr;

class Quantise : public ::testing::Test {
 protected:
  [[nodiscard]] QuantiseOptions options() const {
    return {.model = model_, .out = folder_ / "int8.onnx", .data = images_, .test = images_, .images = 20, .threads = 1};
  }

  hedge::testing::TemporaryFolder folder_{"workflow_quantise"};
  std::string images_ = testing::make_images(folder_, 10);
  std::string model_ = testing::make_model(folder_);
};

TEST_F(Quantise, writes_a_model_and_tells_its_noise_and_accuracy) {
  std::set<std::string> seen;
  const auto report = quantise(options(), {.progress = [&](const ProgressUpdate& update) { seen.insert(update.what); }});
  ASSERT_TRUE(report.ok()) << report.error().message();
  const auto graph = graph::read_onnx(folder_ / "int8.onnx");
  ASSERT_TRUE(graph.ok()) << graph.error().message();
  EXPECT_TRUE(std::any_of(graph->nodes.begin(), graph->nodes.end(), [](const auto& node) { return node.op == "QuantizeLinear"; }));
  EXPECT_EQ(graph->metadata.at(graph::kPreprocessKey), testing::tiny_recipe().to_json());
  ASSERT_TRUE(report->noise && report->accuracy);
  EXPECT_GT(report->noise->front().signal_to_noise_db, 30);
  EXPECT_EQ(report->accuracy->images, 30);
  EXPECT_GE(report->accuracy->agreement, 0.8) << "int8 answers as floats do, up to images between two classes";
  EXPECT_EQ(seen, (std::set<std::string>{"ranges", "histograms", "compare"}));
  const auto json = to_json(*report);
  EXPECT_EQ(json.at("method"), "mse");
  EXPECT_EQ(json.at("accuracy").at("data"), images_);
  EXPECT_EQ(json.at("tensors").size(), report->noise->size());
}

/// Squared error of the int8 model's logits to the floats', over the images. What is added to all logits of an image counts for nothing.
double error_of(const std::filesystem::path& small, const std::string& floats, const std::string& spec) {
  const auto images = data::open_dataset(spec).value().dataset;
  const CalibrationImages batches(*images, {.recipe = testing::tiny_recipe(), .input = "image", .count = images->size()});
  const auto a = infer::make_openvino_executor(graph::read_onnx(floats).value(), {.threads = 1}).value();
  const auto network = codegen::lower(graph::read_onnx(small).value()).value();
  const auto b = codegen::make_host_executor(network, codegen::Arithmetic::kExact, "image").value();
  double sum = 0;
  for (std::size_t i = 0; i < batches.batches(); ++i) {
    const auto batch = batches.batch(i).value();
    const NamedView view{"image", batch.at("image").view()};
    const auto x = a->run({&view, 1}).value(), y = b->run({&view, 1}).value();
    const auto p = x[0].data<float>(), q = y[0].data<float>();
    for (std::size_t row = 0; row < p.size(); row += 3) {
      double d[3];
      for (std::size_t k = 0; k < 3; ++k) d[k] = static_cast<double>(p[row + k]) - static_cast<double>(q[row + k]);
      const double mean = (d[0] + d[1] + d[2]) / 3;
      for (const double one : d) sum += (one - mean) * (one - mean);
    }
  }
  return sum;
}

TEST_F(Quantise, fine_tuning_brings_int8_closer_to_the_floats) {
  auto rough = options();
  rough.tuning = {.rounding = false, .biases = false};
  ASSERT_TRUE(quantise(rough, {}).ok());
  const double before = error_of(rough.out, model_, images_);
  rough.fine_tuning = {.epochs = 40, .learning_rate = 1e-3, .batch = 10};
  const auto report = quantise(rough, {});
  ASSERT_TRUE(report.ok()) << report.error().message();
  EXPECT_LT(error_of(rough.out, model_, images_), 0.7 * before);
  rough.data.clear();
  rough.table = "rows.table";
  const auto router = quantise(rough, {});
  ASSERT_FALSE(router.ok());
  EXPECT_THAT(router.error().message(), HasSubstr("--fine-tune"));
}

TEST_F(Quantise, needs_just_one_of_images_and_a_table) {
  for (const auto& [data, table] : {std::pair{std::string(), std::string()}, {images_, std::string("rows.table")}}) {
    auto wrong = options();
    wrong.data = data;
    wrong.table = table;
    const auto report = quantise(wrong, {});
    ASSERT_FALSE(report.ok());
    EXPECT_EQ(report.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST_F(Quantise, refuses_a_model_whose_images_nobody_can_prepare) {
  testing::make_model(folder_, false);
  const auto report = quantise(options(), {});
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(report.error().message(), HasSubstr("--recipe"));
  auto said = options();
  said.recipe = "crop=12,channels=1,mean=0.5,std=0.25";
  EXPECT_TRUE(quantise(said, {}).ok());
}

TEST_F(Quantise, stops_on_request_and_writes_nothing) {
  int polls = 0;
  const auto report = quantise(options(), {.should_stop = [&] { return ++polls > 2; }});
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kCancelled);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "int8.onnx"));
}

TEST_F(Quantise, warns_of_too_few_calibration_images) {
  const auto report = quantise(options(), {});
  ASSERT_TRUE(report.ok()) << report.error().message();
  EXPECT_THAT(report->warnings, ::testing::Contains(HasSubstr("20 images")));
}

TEST_F(Quantise, a_least_accuracy_that_is_not_met_leaves_no_model) {
  auto strict = options();
  strict.least_accuracy = 1.0;
  const auto report = quantise(strict, {});
  ASSERT_TRUE(report.ok()) << report.error().message();
  ASSERT_TRUE(report->refused.has_value());
  EXPECT_EQ(report->refused->code, ErrorCode::kUnreachable);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "int8.onnx"));
  EXPECT_EQ(to_json(*report).at("written"), false);
  strict.least_accuracy = 0.0;
  EXPECT_FALSE(quantise(strict, {})->refused.has_value());
  strict.test = "";
  EXPECT_EQ(quantise(strict, {}).error().code, ErrorCode::kInvalidArgument);
}

/// A comparison of 1000 images.
QuantiseReport with_difference(double difference, double half_width) {
  QuantiseReport report;
  report.accuracy = codegen::AccuracyReport{.images = 1000,
                                            .float_accuracy = 0.9,
                                            .int8_accuracy = 0.9 + difference,
                                            .difference = difference,
                                            .low = difference - half_width,
                                            .high = difference + half_width};
  return report;
}

TEST(Gate, refuses_a_loss_that_is_surely_more_than_five_points) {
  auto report = with_difference(-0.08, 0.02);
  judge_loss({}, report);
  ASSERT_TRUE(report.refused.has_value());
  EXPECT_EQ(report.refused->code, ErrorCode::kAlarm);
  EXPECT_THAT(report.refused->what, HasSubstr("8.0 points"));
  auto accepted = with_difference(-0.08, 0.02);
  judge_loss({.accept_risk = true}, accepted);
  EXPECT_FALSE(accepted.refused.has_value());
  EXPECT_EQ(accepted.accepted_risks.size(), 1U);
}

TEST(Gate, warns_of_smaller_losses_and_of_images_that_cannot_tell) {
  auto small = with_difference(-0.02, 0.01);
  judge_loss({}, small);
  EXPECT_FALSE(small.refused.has_value());
  EXPECT_THAT(small.warnings, ::testing::ElementsAre(HasSubstr("2.0 points")));
  auto unsure = with_difference(-0.06, 0.08);
  judge_loss({}, unsure);
  EXPECT_FALSE(unsure.refused.has_value());
  EXPECT_THAT(unsure.warnings, ::testing::ElementsAre(HasSubstr("cannot tell")));
  auto none = with_difference(0.001, 0.004);
  judge_loss({}, none);
  EXPECT_TRUE(none.warnings.empty());
}

TEST(SpreadOver, takes_all_where_there_are_fewer_and_else_from_all_over) {
  EXPECT_EQ(spread_over(3, 10), (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_EQ(spread_over(10, 4), (std::vector<std::size_t>{0, 2, 5, 7}));
  EXPECT_TRUE(spread_over(0, 4).empty());
}

TEST(ImportTflite, tells_what_the_input_holds_beside_what_the_recipe_makes) {
  const hedge::testing::TemporaryFolder folder("workflow_import");
  ImportOptions options{.model = std::string(HEDGE_SOURCE_DIR) + "/tests/fuzz/seeds/fuzz_tflite/small.tflite", .out = folder / "int8.onnx"};
  const auto plain = import_tflite(options);
  ASSERT_TRUE(plain.ok()) << plain.error().message();
  EXPECT_GT(plain->layers, 0U);
  EXPECT_GT(plain->macs, 0);
  EXPECT_LT(plain->held.low, plain->held.high);
  EXPECT_FALSE(plain->made.has_value());
  EXPECT_FALSE(plain->cut_off);
  const auto graph = graph::read_onnx(options.out);
  ASSERT_TRUE(graph.ok()) << graph.error().message();
  const auto channels = graph->inputs.at(0).shape.at(1);
  options.recipe = "crop=8,channels=" + std::to_string(channels) + ",mean=0.5,std=0.001";
  const auto wrong = import_tflite(options);
  ASSERT_TRUE(wrong.ok()) << wrong.error().message();
  EXPECT_TRUE(wrong->cut_off) << wrong->held.low << " to " << wrong->held.high;
}

}  // namespace
}  // namespace hedge::workflow

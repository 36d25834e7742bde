#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "core/file.h"
#include "graph/operators.h"
#include "graph/passes.h"
#include "workflow/internal/transfer.h"
#include "workflow/tiny_model.h"
#include "workflow/train.h"

namespace hedge::workflow {
namespace {

using ::testing::HasSubstr;

bool same_bits(const Tensor& a, const Tensor& b) { return a.shape() == b.shape() && std::memcmp(a.bytes(), b.bytes(), a.num_bytes()) == 0; }

class Transfer : public ::testing::Test {
 protected:
  Transfer() {
    options_.data = testing::make_images(folder_, 20);
    for (int label = 0; label < 3; ++label)  // other classes than the model's
      std::filesystem::rename(folder_ / "images" / ("class" + std::to_string(label)),
                              folder_ / "images" / ("sign" + std::to_string(label)));
    options_.from = TransferOptions{.model = {.path = testing::make_model(folder_)}, .head_epochs = 5};
    options_.out = folder_ / "new.onnx";
    options_.recipe = train::Recipe::kAuto;
    options_.insist = [](train::TrainOptions& training) {
      training.epochs = 2;
      training.batch = 16;
    };
    options_.training.threads = 1;
    options_.training.batch = 16;
    options_.training.precision = train::Precision::kF32;
    options_.training.layout = train::Layout::kNchw;
  }

  [[nodiscard]] RunContext listening() {
    return {.log = [this](LogLevel, const std::string& line) {
      classifiers_ += line.find("a new classifier of 3 classes") != std::string::npos ? 1 : 0;
    }};
  }
  [[nodiscard]] graph::Graph written() const { return graph::read_onnx(options_.out).value(); }
  [[nodiscard]] graph::Graph source() const { return graph::read_onnx(options_.from->model.path).value(); }

  hedge::testing::TemporaryFolder folder_{"workflow_transfer"};
  TrainOptions options_;
  int classifiers_ = 0;
};

TEST_F(Transfer, with_a_new_last_layer_alone_changes_no_other) {
  options_.from->head_only = true;
  const auto trained = train(options_, listening());
  ASSERT_TRUE(trained.ok()) << trained.error().message();
  const auto before = source(), after = written();
  EXPECT_THAT(after.metadata.at(graph::kLabelsKey), HasSubstr("sign2"));
  EXPECT_THAT(after.metadata.at(graph::kTrainedOnKey), HasSubstr("images"));
  EXPECT_TRUE(after.metadata.contains(graph::kPreprocessKey));
  const auto tensor = graph::find_features(after).value();
  const auto old = graph::cut_at(before, tensor).value().head;
  for (const auto& [name, value] : old.initializers) EXPECT_TRUE(same_bits(value, after.initializers.at(name))) << name;
  bool fitted = false;
  for (const float weight : after.initializers.at(after.nodes.back().inputs[1]).data<float>()) fitted = fitted || weight != 0;
  EXPECT_TRUE(fitted);
  EXPECT_EQ(classifiers_, 1);
}

TEST_F(Transfer, that_was_stopped_goes_on_to_the_same_bits) {
  const auto straight = train(options_, listening());
  ASSERT_TRUE(straight.ok()) << straight.error().message();
  EXPECT_EQ(straight->recipe, train::Recipe::kTransfer);
  EXPECT_EQ(straight->summary.epochs, 2);
  options_.out = folder_ / "stopped.onnx";
  int asked = 0;
  auto context = listening();
  context.should_stop = [&] { return classifiers_ == 2 && ++asked > 5; };
  EXPECT_EQ(train(options_, context).error().code, ErrorCode::kCancelled);
  ASSERT_EQ(classifiers_, 2);
  const auto resumed = train(options_, listening());
  ASSERT_TRUE(resumed.ok()) << resumed.error().message();
  EXPECT_EQ(classifiers_, 2) << "the start was kept";
  EXPECT_EQ(resumed->sha256, straight->sha256);
}

TEST_F(Transfer, fits_the_last_layer_anew_where_the_kept_one_answers_another_question) {
  options_.from->head_only = true;
  ASSERT_TRUE(train(options_, listening()).ok());
  ASSERT_TRUE(train(options_, listening()).ok());
  EXPECT_EQ(classifiers_, 1);
  options_.from->head_epochs = 6;
  ASSERT_TRUE(train(options_, listening()).ok());
  EXPECT_EQ(classifiers_, 2);
  options_.size = 16;
  ASSERT_TRUE(train(options_, listening()).ok());
  EXPECT_EQ(classifiers_, 3);
  EXPECT_EQ(written().inputs[0].shape, (Shape{-1, 1, 16, 16}));
  ASSERT_TRUE(write_file_atomic(folder_ / "new.onnx.start", "not a model").ok());
  ASSERT_TRUE(train(options_, listening()).ok());
  EXPECT_EQ(classifiers_, 4);
  std::filesystem::rename(folder_ / "images" / "sign0", folder_ / "images" / "a_sign");  // the same images, another class
  ASSERT_TRUE(train(options_, listening()).ok());
  EXPECT_EQ(classifiers_, 5);
}

TEST_F(Transfer, asks_for_the_recipe_of_a_model_that_has_none) {
  options_.from->model.path = testing::make_model(folder_, false);
  options_.from->head_only = true;
  const auto refused = train(options_);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(refused.error().message(), HasSubstr("--recipe"));
  options_.from->model.recipe = "crop=12,channels=1,mean=0.5,std=0.25";
  const auto trained = train(options_);
  ASSERT_TRUE(trained.ok()) << trained.error().message();
  EXPECT_TRUE(written().metadata.contains(graph::kPreprocessKey)) << "the trained model says it itself";
}

TEST_F(Transfer, is_refused_beside_another_start_and_at_rates_that_are_none) {
  auto options = options_;
  options.net = "mobile:4,depth=1";
  EXPECT_EQ(train(options).error().code, ErrorCode::kInvalidArgument);
  for (const double rate : {0.0, -1.0, 1.5, std::nan("")}) {
    options = options_;
    options.from->first_rate = rate;
    EXPECT_EQ(train(options).error().code, ErrorCode::kInvalidArgument) << rate;
  }
  options = options_;
  options.from->head_epochs = 0;
  EXPECT_EQ(train(options).error().code, ErrorCode::kInvalidArgument);
}

TEST(RatesByDepth, rise_from_the_first_layer_to_the_last) {
  const auto graph = graph::build_zoo("mobile:4,depth=1", {1, 12, 12}, 3, 1).value();
  const auto rates = internal::rates_by_depth(graph, 0.01);
  double last = 0, largest = 0;
  for (const auto& node : graph.nodes) {
    if (node.op != "Conv" && node.op != "Gemm" && node.op != "BatchNormalization") continue;
    const double rate = rates.at(node.inputs[1]);
    EXPECT_GE(rate, last) << node.name;
    EXPECT_TRUE(last > 0 || rate == 0.01) << rate;
    last = rate;
    largest = std::max(largest, rate);
  }
  EXPECT_DOUBLE_EQ(last, 1.0);
  EXPECT_DOUBLE_EQ(largest, 1.0);
}

}  // namespace
}  // namespace hedge::workflow

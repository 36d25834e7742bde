#include "train/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <dlfcn.h>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "core/file.h"
#include "graph/zoo.h"
#include "train/bars.h"
#include "train/internal/schedule.h"

namespace hedge::train {
namespace {

class Training : public ::testing::Test {
 protected:
  Training() : folder_(std::filesystem::temp_directory_path() / ("hedge_training_" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_);
    recipe_ = {.channels = 1, .height = 12, .width = 12, .normalization = {.mean = {0.4F}, .std = {0.2F}}};
    options_.epochs = 3;
    options_.batch = 16;
    options_.threads = 1;
    options_.precision = Precision::kF32;
    options_.layout = Layout::kNchw;
    options_.optimizer = Optimizer::kSgd;
    options_.learning_rate = 0.05;
    options_.weight_decay = 5e-4;
  }
  ~Training() override { std::filesystem::remove_all(folder_); }

  static graph::Graph network() { return graph::build_zoo("resnet:4,1", {1, 12, 12}, 2, 3).value(); }
  Result<Trained> train(const TrainHooks& hooks = {}) { return train_classifier(network(), bars_, recipe_, options_, hooks); }

  static void expect_same_bits(const graph::Graph& a, const graph::Graph& b) {
    ASSERT_EQ(a.initializers.size(), b.initializers.size());
    for (const auto& [name, tensor] : a.initializers) {
      const auto& other = b.initializers.at(name);
      ASSERT_EQ(tensor.num_bytes(), other.num_bytes());
      EXPECT_EQ(std::memcmp(tensor.bytes(), other.bytes(), tensor.num_bytes()), 0) << name;
    }
  }

  std::filesystem::path folder_;
  Bars bars_{130};  // 8 batches of 16, and two images that are left out
  data::Preprocess recipe_;
  TrainOptions options_;
};

TEST_F(Training, learns_a_task_that_can_be_learned) {
  options_.epochs = 8;
  const auto trained = train();
  ASSERT_TRUE(trained.ok()) << trained.error().message();
  EXPECT_GT(trained->summary.final_accuracy, 0.95);
  EXPECT_LT(trained->summary.final_loss, 0.4);
}

TEST_F(Training, stops_on_request_and_resumes_to_the_same_bits) {
  const auto straight = train();
  ASSERT_TRUE(straight.ok());
  options_.checkpoint = folder_ / "run.checkpoint";
  options_.csv = folder_ / "run.csv";
  int steps = 0;
  const auto stopped = train({.should_stop = [&steps] { return ++steps > 12; }});  // in the second epoch: 8 steps each
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().code, ErrorCode::kCancelled);
  const auto resumed = train();
  ASSERT_TRUE(resumed.ok()) << resumed.error().message();
  EXPECT_EQ(resumed->summary.resumed_from_epoch, 1);
  expect_same_bits(straight->graph, resumed->graph);
  const auto csv = read_file(options_.csv);
  ASSERT_TRUE(csv.ok());
  EXPECT_EQ(std::count(csv->begin(), csv->end(), '\n'), 4);  // the header and a line an epoch, none doubled
}

TEST_F(Training, resumes_adamw_in_bf16_channels_last_to_the_same_bits) {
  options_.optimizer = Optimizer::kAdamW;
  options_.learning_rate = 0.002;
  options_.precision = Precision::kBf16;
  options_.layout = Layout::kChannelsLast;
  options_.label_smoothing = 0.1;
  options_.augmentation = {.pad_crop = 1, .flip = true};
  const auto straight = train();
  ASSERT_TRUE(straight.ok()) << straight.error().message();
  options_.checkpoint = folder_ / "run.checkpoint";
  int steps = 0;
  ASSERT_FALSE(train({.should_stop = [&steps] { return ++steps > 20; }}).ok());
  const auto resumed = train();
  ASSERT_TRUE(resumed.ok()) << resumed.error().message();
  EXPECT_EQ(resumed->summary.resumed_from_epoch, 2);
  expect_same_bits(straight->graph, resumed->graph);
}

TEST_F(Training, a_finished_run_that_is_run_again_tells_what_it_reached) {
  options_.checkpoint = folder_ / "run.checkpoint";
  const auto first = train(), again = train();
  ASSERT_TRUE(first.ok() && again.ok());
  EXPECT_EQ(again->summary.resumed_from_epoch, 3);
  EXPECT_DOUBLE_EQ(again->summary.final_loss, first->summary.final_loss);
  EXPECT_DOUBLE_EQ(again->summary.final_accuracy, first->summary.final_accuracy);
  expect_same_bits(first->graph, again->graph);
}

TEST_F(Training, refuses_the_checkpoint_of_a_network_that_differs_in_a_stride_alone) {
  options_.checkpoint = folder_ / "run.checkpoint";
  ASSERT_TRUE(train().ok());
  const auto strided = graph::build_zoo("resnet:4,1,stem_stride=2", {1, 12, 12}, 2, 3).value();
  const auto other = train_classifier(strided, bars_, recipe_, options_);
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().code, ErrorCode::kMismatch);
  options_.fresh = true;
  EXPECT_TRUE(train_classifier(strided, bars_, recipe_, options_).ok());
}

TEST_F(Training, strict_fails_on_an_image_that_cannot_be_decoded_and_otherwise_leaves_it_out) {
  class Holed final : public data::Dataset {
   public:
    [[nodiscard]] std::size_t size() const override { return bars_.size(); }
    [[nodiscard]] const std::vector<std::string>& class_names() const override { return bars_.class_names(); }
    [[nodiscard]] std::int64_t label(std::size_t index) const override { return bars_.label(index); }
    [[nodiscard]] std::string id(std::size_t index) const override { return bars_.id(index); }
    [[nodiscard]] Result<data::Image> image(std::size_t index) const override {
      if (index == 5) return Error{.code = ErrorCode::kBadFormat, .what = "truncated", .where = "5"};
      return bars_.image(index);
    }
    [[nodiscard]] const std::string& content_hash() const override { return bars_.content_hash(); }
    [[nodiscard]] const std::string& spec() const override { return bars_.spec(); }

   private:
    Bars bars_{64};
  };
  options_.epochs = 1;
  const Holed holed;
  EXPECT_TRUE(train_classifier(network(), holed, recipe_, options_).ok());
  options_.strict = true;
  EXPECT_EQ(train_classifier(network(), holed, recipe_, options_).error().code, ErrorCode::kBadFormat);
}

TEST_F(Training, refuses_the_checkpoint_of_another_run) {
  options_.checkpoint = folder_ / "run.checkpoint";
  ASSERT_TRUE(train().ok());
  options_.learning_rate = 0.01;
  const auto other = train();
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().code, ErrorCode::kMismatch);
}

TEST_F(Training, names_a_damaged_checkpoint) {
  options_.checkpoint = folder_ / "run.checkpoint";
  ASSERT_TRUE(train().ok());
  auto bytes = read_file(options_.checkpoint);
  ASSERT_TRUE(bytes.ok());
  ASSERT_TRUE(write_file_atomic(options_.checkpoint, bytes->substr(0, bytes->size() / 2)).ok());
  const auto damaged = train();
  ASSERT_FALSE(damaged.ok());
  EXPECT_EQ(damaged.error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(damaged.error().where, options_.checkpoint.string());
}

TEST_F(Training, reports_a_loss_that_is_not_finite) {
  auto graph = network();
  for (auto& [name, tensor] : graph.initializers)
    if (tensor.shape().size() == 4)
      for (auto& w : tensor.data<float>()) w = 1e38F;
  const auto result = train_classifier(graph, bars_, recipe_, options_);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::kBadData);
}

TEST_F(Training, rejects_options_and_networks_that_do_not_fit) {
  options_.epochs = 0;
  EXPECT_EQ(train().error().code, ErrorCode::kInvalidArgument);
  options_.epochs = 1;
  options_.learning_rate = std::nan("");
  EXPECT_EQ(train().error().code, ErrorCode::kInvalidArgument);
  options_.learning_rate = 0.05;
  const auto three_classes = graph::build_zoo("resnet:4,1", {1, 12, 12}, 3, 3).value();
  EXPECT_EQ(train_classifier(three_classes, bars_, recipe_, options_).error().code, ErrorCode::kMismatch);
  recipe_.height = 16;
  EXPECT_EQ(train().error().code, ErrorCode::kMismatch);
}

TEST_F(Training, measures_precision_and_layout_where_they_are_left_open_without_touching_the_result) {
  options_.precision = Precision::kF32;
  options_.layout = Layout::kAuto;
  const auto measured = train();
  ASSERT_TRUE(measured.ok()) << measured.error().message();
  options_.layout = measured->summary.layout;
  const auto fixed = train();
  ASSERT_TRUE(fixed.ok());
  expect_same_bits(measured->graph, fixed->graph);
}

TEST_F(Training, tells_progress_with_an_estimate) {
  std::vector<ProgressUpdate> updates;
  ASSERT_TRUE(train({.progress = [&updates](const ProgressUpdate& update) { updates.push_back(update); }}).ok());
  ASSERT_GE(updates.size(), 3U);
  EXPECT_DOUBLE_EQ(updates.back().done, updates.back().total);
  EXPECT_THAT(updates.back().note, ::testing::HasSubstr("epoch 3/3"));
  EXPECT_THAT(updates.back().note, ::testing::HasSubstr("images/s"));
}

TEST(Schedule, warms_up_linearly_and_falls_to_zero_as_a_cosine) {
  const TrainOptions options{.epochs = 5, .learning_rate = 2.0, .warmup_epochs = 1.0};
  EXPECT_NEAR(internal::learning_rate_at(options, 0.0), 0.0, 0.01);
  EXPECT_NEAR(internal::learning_rate_at(options, 0.5), 1.0, 0.01);
  EXPECT_DOUBLE_EQ(internal::learning_rate_at(options, 1.0), 2.0);
  EXPECT_NEAR(internal::learning_rate_at(options, 3.0), 1.0, 1e-12);
  EXPECT_NEAR(internal::learning_rate_at(options, 5.0), 0.0, 1e-12);
  EXPECT_FALSE((TrainOptions{.epochs = 1, .warmup_epochs = 1.0}.validate().ok()));
  const TrainOptions second{.epochs = 2, .learning_rate = 2.0, .warmup_epochs = 1.0, .first_epoch = 3, .schedule_epochs = 5};
  EXPECT_TRUE(second.validate().ok());
  EXPECT_DOUBLE_EQ(internal::learning_rate_at(second, 4.0), internal::learning_rate_at(options, 4.0));
  EXPECT_FALSE((TrainOptions{.epochs = 3, .first_epoch = 3, .schedule_epochs = 5}.validate().ok()));
}

/// Debian's libtorch calls whatever libblas.so.3 is, and the reference one is many times slower: the set-up must have chosen OpenBLAS
/// (scripts/setup.sh). A libtorch from elsewhere has its own in itself.
TEST(Blas, is_not_the_reference_one) {
  void* const product = ::dlsym(RTLD_DEFAULT, "sgemm_");  // what libtorch's own call is bound to
  ASSERT_NE(product, nullptr) << "no BLAS is loaded";
  Dl_info library{};
  ASSERT_NE(::dladdr(product, &library), 0);
  EXPECT_THAT(std::filesystem::canonical(library.dli_fname).string(),
              ::testing::AnyOf(::testing::HasSubstr("openblas"), ::testing::HasSubstr("libtorch_cpu")))
      << library.dli_fname << ": install libopenblas0-openmp (make setup)";
}

}  // namespace
}  // namespace hedge::train

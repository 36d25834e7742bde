#include "eval/predict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "core/file.h"
#include "core/testing.h"
#include "eval/eval_testing.h"

namespace hedge::eval {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Gray 2x2 images whose pixels are all their index; those in `broken` cannot be decoded.
class FakeDataset final : public data::Dataset {
 public:
  explicit FakeDataset(std::size_t size, std::set<std::size_t> broken = {}) : size_(size), broken_(std::move(broken)) {}
  [[nodiscard]] std::size_t size() const override { return size_; }
  [[nodiscard]] const std::vector<std::string>& class_names() const override { return names_; }
  [[nodiscard]] std::int64_t label(std::size_t index) const override { return static_cast<std::int64_t>(index % 3); }
  [[nodiscard]] std::string id(std::size_t index) const override { return "fake/" + std::to_string(index); }
  [[nodiscard]] Result<data::Image> image(std::size_t index) const override {
    if (broken_.count(index) > 0) return Error{.code = ErrorCode::kBadFormat, .what = "truncated", .where = id(index)};
    return data::Image{.height = 2, .width = 2, .channels = 1, .pixels = std::vector<std::uint8_t>(4, static_cast<std::uint8_t>(index))};
  }
  [[nodiscard]] const std::string& content_hash() const override { return hash_; }
  [[nodiscard]] const std::string& spec() const override { return spec_; }

 private:
  std::size_t size_;
  std::set<std::size_t> broken_;
  std::vector<std::string> names_ = {"a", "b", "c"};
  std::string hash_ = "hash";
  std::string spec_ = "fake?split=test&limit=9";
};

data::Preprocess recipe() { return {.channels = 1, .height = 2, .width = 2, .normalization = {.mean = {0}, .std = {1}}}; }

/// Logits [first pixel, 0, 1], the pixel in 0..255 whatever the input; features: the batch dimension and two more, to be flattened.
FakeExecutor pixel_model(DType input, std::int64_t batch, bool with_features, float poison_at = -1) {
  const bool raw = input == DType::kU8;
  std::vector<TensorSpec> outputs = {{"logits", DType::kF32, {batch, 3}}};
  if (with_features) outputs.push_back({"features", DType::kF32, {batch, 2, 1}});
  return {{{"image", input, raw ? Shape{batch, 2, 2, 1} : Shape{batch, 1, 2, 2}}},
          outputs,
          [=](const std::vector<TensorView>& views) -> Result<std::vector<Tensor>> {
            const std::int64_t rows = views[0].shape[0];
            Tensor logits(DType::kF32, {rows, 3});
            Tensor features(DType::kF32, {rows, 2, 1});
            for (std::size_t i = 0; i < static_cast<std::size_t>(rows); ++i) {
              const float pixel = raw ? views[0].data<std::uint8_t>()[4 * i] : std::round(views[0].data<float>()[4 * i] * 255);
              logits.data<float>()[3 * i] = pixel == poison_at ? std::numeric_limits<float>::infinity() : pixel;
              logits.data<float>()[3 * i + 2] = 1;
              features.data<float>()[2 * i + 1] = pixel;
            }
            if (!with_features) return std::vector<Tensor>{logits};
            return std::vector<Tensor>{logits, features};
          }};
}

std::vector<float> first_logits(const Tensor& logits) {
  std::vector<float> values;
  for (std::size_t i = 0; i < static_cast<std::size_t>(logits.shape()[0]); ++i) values.push_back(logits.data<float>()[3 * i]);
  return values;
}

TEST(Predict, fills_the_table_for_f32_and_u8_models) {
  const FakeDataset dataset(7);
  const FakeExecutor base = pixel_model(DType::kF32, -1, true);
  const FakeExecutor global = pixel_model(DType::kU8, -1, false);
  const auto table = predict({.dataset = &dataset,
                              .base = {.executor = &base, .recipe = recipe(), .sha256 = "b", .macs = 5, .parameters = 6},
                              .global = {.executor = &global, .recipe = recipe(), .sha256 = "g", .macs = 7, .parameters = 8},
                              .batch = 3});
  ASSERT_TRUE(table.ok()) << table.error().message();
  EXPECT_THAT(first_logits(table->base_logits), ElementsAre(0, 1, 2, 3, 4, 5, 6));
  EXPECT_THAT(first_logits(table->global_logits), ElementsAre(0, 1, 2, 3, 4, 5, 6));
  EXPECT_EQ(table->base_features.shape(), (Shape{7, 2}));
  EXPECT_EQ(table->base_features.data<float>()[13], 6);
  EXPECT_EQ(table->labels.data<std::int64_t>()[5], 2);
  EXPECT_EQ(table->info.dataset, "fake?split=test&limit=9");
  EXPECT_EQ(table->info.split, "test");
  EXPECT_EQ(table->info.content_hash, "hash");
  EXPECT_EQ(table->info.base_hash, "b");
  EXPECT_EQ(table->info.global_hash, "g");
  EXPECT_EQ(table->info.executor, "fake f32");
  EXPECT_THAT(table->info.class_names, ElementsAre("a", "b", "c"));
  EXPECT_EQ(table->info.base_macs, 5);
  EXPECT_EQ(table->info.global_parameters, 8);
}

TEST(Predict, without_a_global_and_without_features) {
  const FakeDataset dataset(4);
  const FakeExecutor base = pixel_model(DType::kU8, -1, false);
  const auto table = predict({.dataset = &dataset, .base = {.executor = &base, .recipe = recipe()}});
  ASSERT_TRUE(table.ok()) << table.error().message();
  EXPECT_FALSE(table->has_global());
  EXPECT_EQ(table->features(), 0);
  EXPECT_EQ(table->size(), 4U);
}

TEST(Predict, honours_a_fixed_batch) {
  const FakeDataset dataset(7, {2});
  const FakeExecutor base = pixel_model(DType::kF32, 4, true);
  const auto table = predict({.dataset = &dataset, .base = {.executor = &base, .recipe = recipe()}});
  ASSERT_TRUE(table.ok()) << table.error().message();
  EXPECT_THAT(first_logits(table->base_logits), ElementsAre(0, 1, 3, 4, 5, 6));
}

TEST(Predict, leaves_out_broken_images_for_both_and_lists_them) {
  const FakeDataset dataset(6, {0, 4});
  const FakeExecutor base = pixel_model(DType::kF32, -1, false);
  const FakeExecutor global = pixel_model(DType::kU8, 1, false);
  PredictReport report;
  std::vector<std::string> warnings;
  const auto table = predict({.dataset = &dataset,
                              .base = {.executor = &base, .recipe = recipe()},
                              .global = {.executor = &global, .recipe = recipe()},
                              .batch = 4,
                              .workers = 2,
                              .log = [&](LogLevel, const std::string& message) { warnings.push_back(message); },
                              .report = &report});
  ASSERT_TRUE(table.ok()) << table.error().message();
  EXPECT_THAT(first_logits(table->base_logits), ElementsAre(1, 2, 3, 5));
  EXPECT_THAT(first_logits(table->global_logits), ElementsAre(1, 2, 3, 5));
  EXPECT_THAT(report.indices, ElementsAre(1, 2, 3, 5));
  ASSERT_EQ(report.skipped.size(), 2U);
  ASSERT_EQ(warnings.size(), 1U) << "one line a reason";
  EXPECT_THAT(warnings[0], HasSubstr("skipped 2"));
  EXPECT_THAT(warnings[0], HasSubstr("fake/4"));
}

TEST(Predict, strict_refuses_broken_images_and_nothing_left_is_an_error) {
  const FakeExecutor base = pixel_model(DType::kF32, -1, false);
  const FakeDataset one_broken(6, {4});
  EXPECT_EQ(predict({.dataset = &one_broken, .base = {.executor = &base, .recipe = recipe()}, .strict = true}).error().code,
            ErrorCode::kBadFormat);
  const FakeDataset all_broken(2, {0, 1});
  EXPECT_EQ(predict({.dataset = &all_broken, .base = {.executor = &base, .recipe = recipe()}}).error().code, ErrorCode::kBadData);
}

TEST(Predict, the_table_says_which_features_it_holds_and_what_the_models_were_trained_on) {
  const FakeDataset dataset(6);
  const FakeExecutor base = pixel_model(DType::kF32, -1, true);
  const FakeExecutor global = pixel_model(DType::kF32, -1, false);
  PredictInputs inputs{
      .dataset = &dataset,
      .base = {.executor = &base, .recipe = recipe(), .features = "pool", .trained_on = "fake?split=train", .trained_on_hash = "b"},
      .global = {.executor = &global, .recipe = recipe(), .trained_on = "more?split=all", .trained_on_hash = "g"}};
  const auto table = predict(inputs);
  ASSERT_TRUE(table.ok()) << table.error().message();
  EXPECT_EQ(table->info.features, "pool");
  EXPECT_EQ(table->info.base_trained_on, "fake?split=train");
  EXPECT_EQ(table->info.base_trained_on_hash, "b");
  EXPECT_EQ(table->info.global_trained_on, "more?split=all");
  EXPECT_EQ(table->info.global_trained_on_hash, "g");
  inputs.global.executor = nullptr;
  EXPECT_EQ(predict(inputs)->info.global_trained_on, "") << "no global";
}

TEST(Predict, names_the_image_of_a_logit_that_is_not_finite) {
  const FakeDataset dataset(6);
  const FakeExecutor base = pixel_model(DType::kF32, -1, false, 5);
  const auto table = predict({.dataset = &dataset, .base = {.executor = &base, .recipe = recipe()}, .batch = 4});
  ASSERT_FALSE(table.ok());
  EXPECT_EQ(table.error().code, ErrorCode::kBadData);
  EXPECT_THAT(table.error().where, HasSubstr("fake/5"));
}

TEST(Predict, refuses_what_does_not_fit) {
  const FakeDataset dataset(6);
  const auto nothing = [](const std::vector<TensorView>&) -> Result<std::vector<Tensor>> {
    return std::vector<Tensor>{Tensor(DType::kF32, {6, 4})};
  };
  const auto code = [&](std::vector<TensorSpec> inputs, std::vector<TensorSpec> outputs) {
    const FakeExecutor base(std::move(inputs), std::move(outputs), nothing);
    return predict({.dataset = &dataset, .base = {.executor = &base, .recipe = recipe()}}).error().code;
  };
  const TensorSpec image = {"image", DType::kF32, {-1, 1, 2, 2}};
  const TensorSpec logits = {"logits", DType::kF32, {-1, 4}};
  EXPECT_EQ(code({image}, {logits}), ErrorCode::kMismatch) << "4 classes for 3";
  EXPECT_EQ(code({image}, {{"probabilities", DType::kF32, {-1, 3}}}), ErrorCode::kNotFound);
  EXPECT_EQ(code({{"image", DType::kF32, {-1, 3, 32, 32}}}, {logits}), ErrorCode::kMismatch);
  EXPECT_EQ(code({{"image", DType::kI64, {-1, 1, 2, 2}}}, {logits}), ErrorCode::kUnsupported);
  EXPECT_EQ(code({image, image}, {logits}), ErrorCode::kUnsupported);
  EXPECT_EQ(predict({}).error().code, ErrorCode::kInvalidArgument);
  const FakeExecutor base = pixel_model(DType::kF32, -1, false);
  EXPECT_EQ(predict({.dataset = &dataset, .base = {.executor = &base, .recipe = recipe()}, .batch = 0}).error().code,
            ErrorCode::kInvalidArgument);
}

TEST(Predict, moves_outputs_to_the_tables_classes) {
  const FakeDataset dataset(6);  // its classes a, b, c are the table's 2, 0, 1
  const FakeExecutor base = pixel_model(DType::kF32, -1, false);
  const FakeExecutor global = pixel_model(DType::kU8, -1, false);
  PredictInputs inputs{.dataset = &dataset,
                       .base = {.executor = &base, .recipe = recipe()},
                       .global = {.executor = &global, .recipe = recipe(), .columns = {2, 1, 0}},
                       .classes = {.names = {"x", "y", "z"}, .of_dataset = {2, 0, 1}}};
  const auto table = predict(inputs);
  ASSERT_TRUE(table.ok()) << table.error().message();
  EXPECT_THAT(table->info.class_names, ElementsAre("x", "y", "z"));
  EXPECT_THAT(first_logits(table->base_logits), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(first_logits(table->global_logits), ElementsAre(1, 1, 1, 1, 1, 1)) << "its third output is the first class";
  const auto labels = table->labels.data<std::int64_t>();
  EXPECT_THAT(std::vector<std::int64_t>(labels.begin(), labels.end()), ElementsAre(2, 0, 1, 2, 0, 1));
  inputs.global.columns = {0, 1, 3};
  EXPECT_EQ(predict(inputs).error().code, ErrorCode::kMismatch) << "an output that is not there";
  inputs.global.columns = {0, 1};
  EXPECT_EQ(predict(inputs).error().code, ErrorCode::kMismatch) << "a class without an output";
  inputs.global.columns = {};
  inputs.classes.of_dataset = {0, 1, 3};
  EXPECT_EQ(predict(inputs).error().code, ErrorCode::kInvalidArgument);
}

/// A pixel model that counts its calls and can be told to fail from a call on, as if the process were killed there.
struct CountingModel {
  int calls = 0;
  int fail_from = 1 << 30;
  FakeExecutor inner = pixel_model(DType::kU8, -1, true);
  FakeExecutor executor{inner.inputs(), inner.outputs(), [this](const std::vector<TensorView>& views) -> Result<std::vector<Tensor>> {
                          if (++calls >= fail_from) return Error{.code = ErrorCode::kInternal, .what = "killed"};
                          const NamedView input{"image", views[0]};
                          return inner.run({&input, 1});
                        }};
};

TEST(PredictionCache, a_killed_prediction_goes_on_and_gives_the_same_table) {
  const hedge::testing::TemporaryFolder folder("prediction_cache");
  const FakeDataset dataset(2500, {7, 1500});
  CountingModel model;
  const PredictInputs plain{.dataset = &dataset, .base = {.executor = &model.executor, .recipe = recipe(), .sha256 = "b"}, .batch = 256};
  const auto expected = predict(plain);
  ASSERT_TRUE(expected.ok()) << expected.error().message();
  PredictInputs inputs = plain;
  inputs.cache = folder.path();
  model.calls = 0;
  model.fail_from = 6;  // in the second part of 1024 images
  EXPECT_FALSE(predict(inputs).ok());
  model.fail_from = 1 << 30;
  model.calls = 0;
  const auto second = predict(inputs);
  ASSERT_TRUE(second.ok()) << second.error().message();
  EXPECT_EQ(model.calls, 6) << "1024 images and 452, in batches of 256";
  model.calls = 0;
  const auto third = predict(inputs);
  ASSERT_TRUE(third.ok());
  EXPECT_EQ(model.calls, 0) << "all found";
  for (const auto* table : {&*second, &*third}) {
    EXPECT_EQ(first_logits(table->base_logits), first_logits(expected->base_logits));
    EXPECT_TRUE(std::ranges::equal(table->base_features.data<float>(), expected->base_features.data<float>()));
    EXPECT_TRUE(std::ranges::equal(table->labels.data<std::int64_t>(), expected->labels.data<std::int64_t>()));
  }
}

TEST(PredictionCache, is_not_taken_for_another_model_recipe_or_image_and_not_when_damaged) {
  const hedge::testing::TemporaryFolder folder("prediction_cache_keys");
  const FakeDataset dataset(10, {3});
  CountingModel model;
  PredictReport report;
  PredictInputs inputs{.dataset = &dataset,
                       .base = {.executor = &model.executor, .recipe = recipe(), .sha256 = "b"},
                       .cache = folder.path(),
                       .report = &report};
  const auto calls = [&] {
    model.calls = 0;
    EXPECT_TRUE(predict(inputs).ok());
    return model.calls;
  };
  EXPECT_EQ(calls(), 1);
  EXPECT_EQ(calls(), 0);
  EXPECT_EQ(report.skipped.size(), 1U) << "the list of broken images is kept, too";
  inputs.strict = true;
  EXPECT_EQ(predict(inputs).error().code, ErrorCode::kBadFormat) << "strict looks again";
  inputs.strict = false;
  inputs.base.sha256 = "another";
  EXPECT_EQ(calls(), 1);
  inputs.base.recipe.normalization.mean = {0.5F};
  EXPECT_EQ(calls(), 1);
  inputs.base.features = "pool";
  EXPECT_EQ(calls(), 1);
  inputs.base.form = "probs, probabilities, NCHW";
  EXPECT_EQ(calls(), 1) << "a file that is understood otherwise gives other numbers";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path())) {
    if (entry.is_regular_file()) {
      ASSERT_TRUE(write_file_atomic(entry.path(), "damaged").ok());
    }
  }
  std::vector<std::string> warnings;
  inputs.log = [&](LogLevel, const std::string& message) { warnings.push_back(message); };
  EXPECT_EQ(calls(), 1);
  ASSERT_FALSE(warnings.empty());
  EXPECT_THAT(warnings[0], HasSubstr("predicted again"));
}

TEST(PredictionCache, stops_between_parts_when_asked_and_keeps_what_was_done) {
  const hedge::testing::TemporaryFolder folder("prediction_cache_stop");
  const FakeDataset dataset(2000);
  CountingModel model;
  int asked = 0;
  PredictInputs inputs{.dataset = &dataset, .base = {.executor = &model.executor, .recipe = recipe()}, .cache = folder.path()};
  inputs.should_stop = [&] { return ++asked == 2; };
  EXPECT_EQ(predict(inputs).error().code, ErrorCode::kCancelled);
  EXPECT_EQ(model.calls, 4);
  EXPECT_TRUE(predict(inputs).ok());
  EXPECT_EQ(model.calls, 8);
}

/// Half a second later at each look.
class StepClock final : public Clock {
 public:
  [[nodiscard]] TimePoint now() const override { return now_ += std::chrono::milliseconds(500); }

 private:
  mutable TimePoint now_;
};

TEST(Predict, tells_how_far_it_is) {
  const FakeDataset dataset(8);
  const FakeExecutor base = pixel_model(DType::kF32, -1, false);
  const StepClock clock;
  std::vector<ProgressUpdate> updates;
  const auto table = predict({.dataset = &dataset,
                              .base = {.executor = &base, .recipe = recipe()},
                              .batch = 2,
                              .progress = [&](const ProgressUpdate& update) { updates.push_back(update); },
                              .clock = &clock});
  ASSERT_TRUE(table.ok());
  ASSERT_EQ(updates.size(), 4U);
  EXPECT_EQ(updates[0].done, 2);
  EXPECT_EQ(updates[0].total, 8);
  EXPECT_DOUBLE_EQ(updates[0].eta_s, 1.5);
  EXPECT_EQ(updates[0].note, "4 images/s");
  EXPECT_EQ(updates[3].eta_s, 0);
}

}  // namespace
}  // namespace hedge::eval

#include "eval/split_run.h"

#include <gtest/gtest.h>

#include "eval/eval_testing.h"

namespace hedge::eval {
namespace {

/// Six gray 2 x 2 images, one of them bright; class 1 is the bright one.
class Dots final : public data::Dataset {
 public:
  [[nodiscard]] std::size_t size() const override { return 6; }
  [[nodiscard]] const std::vector<std::string>& class_names() const override { return names_; }
  [[nodiscard]] std::int64_t label(std::size_t index) const override { return index == 4 ? 1 : 0; }
  [[nodiscard]] std::string id(std::size_t index) const override { return std::to_string(index); }
  [[nodiscard]] Result<data::Image> image(std::size_t index) const override {
    return data::Image{.height = 2,
                       .width = 2,
                       .channels = 1,
                       .pixels = std::vector<std::uint8_t>(4, index == 4 ? 255 : static_cast<std::uint8_t>(10 * index))};
  }
  [[nodiscard]] const std::string& content_hash() const override { return hash_; }
  [[nodiscard]] const std::string& spec() const override { return hash_; }

 private:
  std::vector<std::string> names_ = {"dark", "bright"};
  std::string hash_ = "dots";
};

constexpr std::int64_t kChannels = 3;

/// The cut tensor [n, 3, 2, 2] repeats the image; the exit head always says "dark", with entropy falling from image to image.
Result<std::vector<Tensor>> device_half(const std::vector<TensorView>& in) {
  const auto n = in[0].shape[0];
  Tensor cut(DType::kF32, {n, kChannels, 2, 2}), exit(DType::kF32, {n, 2});
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < kChannels * 4; ++j)
      cut.data<float>()[static_cast<std::size_t>(i * kChannels * 4 + j)] = in[0].data<float>()[static_cast<std::size_t>(i * 4 + j % 4)];
    exit.data<float>()[static_cast<std::size_t>(2 * i)] = 1.0F + static_cast<float>(i);
  }
  return std::vector<Tensor>{cut, exit};
}

/// "bright" where the tensor's first number is above 0.5.
Result<std::vector<Tensor>> cloud_half(const std::vector<TensorView>& in) {
  const auto n = in[0].shape[0];
  Tensor logits(DType::kF32, {n, 2});
  for (std::int64_t i = 0; i < n; ++i) {
    const float first = in[0].data<float>()[static_cast<std::size_t>(i * kChannels * 4)];
    logits.data<float>()[static_cast<std::size_t>(2 * i + 1)] = first - 0.5F;
  }
  return std::vector<Tensor>{logits};
}

class SplitRun : public ::testing::Test {
 protected:
  Dots dots_;
  ImageRun images_{
      .dataset = &dots_, .recipe = {.channels = 1, .height = 2, .width = 2, .normalization = {.mean = {0}, .std = {1}}}, .batch = 4};
  FakeExecutor device_{
      {{"image", DType::kF32, {-1, 1, 2, 2}}}, {{"cut", DType::kF32, {-1, kChannels, 2, 2}}, {"exit1", DType::kF32, {-1, 2}}}, device_half};
  FakeExecutor cloud_{{{"cut", DType::kF32, {-1, kChannels, 2, 2}}}, {{"logits", DType::kF32, {-1, 2}}}, cloud_half};
};

TEST_F(SplitRun, a_query_sends_the_tensors_elements_in_f32_or_in_a_byte_each) {
  const auto methods = run_split({&device_, &cloud_}, int8_code(0, 1).value(), images_);
  ASSERT_TRUE(methods.ok()) << methods.error().message();
  constexpr std::int64_t kElements = kChannels * 2 * 2;
  EXPECT_EQ(methods->f32.query_bytes, kElements * 4);
  EXPECT_EQ(methods->int8.query_bytes, kElements);
}

TEST_F(SplitRun, the_device_answers_by_its_exit_and_the_cloud_by_what_it_received) {
  const auto methods = run_split({&device_, &cloud_}, int8_code(0, 1).value(), images_).value();
  const std::vector<std::uint8_t> all_dark = {1, 1, 1, 1, 0, 1}, right(6, 1);
  EXPECT_EQ(methods.f32.outcomes.base_right, all_dark);
  EXPECT_EQ(methods.f32.outcomes.global_right, right);
  EXPECT_EQ(methods.int8.outcomes.global_right, right);
  ASSERT_EQ(methods.f32.scores.size(), 1U);
  ASSERT_EQ(methods.f32.scores[0].size(), 6U);
  EXPECT_GT(methods.f32.scores[0][0], methods.f32.scores[0][3]);
  // A code too narrow for the bright image clips it: the cloud really runs on what was quantised.
  const auto clipped = run_split({&device_, &cloud_}, int8_code(0, 0.3F).value(), images_).value();
  EXPECT_EQ(clipped.int8.outcomes.global_right, all_dark);
  EXPECT_EQ(clipped.f32.outcomes.global_right, right);
}

TEST_F(SplitRun, the_code_spans_what_the_images_show) {
  const auto code = measure_code(device_, images_, 1000);
  ASSERT_TRUE(code.ok());
  EXPECT_FLOAT_EQ(code->scale, 1.0F / 255);
  EXPECT_EQ(code->zero_point, -128);
  const auto dark = measure_code(device_, images_, 4);  // the first batch alone: up to 30/255
  ASSERT_TRUE(dark.ok());
  EXPECT_NEAR(dark->scale, 30.0 / 255 / 255, 1e-7);
}

TEST_F(SplitRun, exits_give_answers_and_entropies_at_each) {
  FakeExecutor network({{"image", DType::kF32, {-1, 1, 2, 2}}}, {{"logits", DType::kF32, {-1, 2}}, {"exit1", DType::kF32, {-1, 2}}},
                       [](const std::vector<TensorView>& in) -> Result<std::vector<Tensor>> {
                         HEDGE_TRY(auto half, device_half(in));
                         HEDGE_TRY(auto logits, cloud_half({half[0].view()}));
                         return std::vector<Tensor>{logits[0], half[1]};
                       });
  const auto method = run_exits(network, {"exit1"}, {10, 20}, images_);
  ASSERT_TRUE(method.ok()) << method.error().message();
  EXPECT_EQ(method->right[0], (std::vector<std::uint8_t>{1, 1, 1, 1, 0, 1}));
  EXPECT_EQ(method->right[1], std::vector<std::uint8_t>(6, 1));
  ASSERT_EQ(method->entropy.size(), 1U);
  EXPECT_EQ(method->entropy[0].size(), 6U);
  EXPECT_EQ(run_exits(network, {"exit9"}, {10, 20}, images_).error().code, ErrorCode::kNotFound);
}

TEST_F(SplitRun, refuses_halves_that_are_none) {
  EXPECT_EQ(run_split({&cloud_, &cloud_}, {}, images_).error().code, ErrorCode::kMismatch);
  EXPECT_EQ(measure_code(cloud_, images_, 10).error().code, ErrorCode::kMismatch);
}

TEST(Int8, comes_back_within_half_a_step_and_holds_zero_exactly) {
  Rng rng(3);
  for (const auto& [low, high] : {std::pair(-1.5F, 2.5F), std::pair(0.0F, 6.0F), std::pair(-3.0F, -0.5F)}) {
    const auto code = int8_code(low, high).value();
    std::vector<float> values = {0.0F};
    for (int i = 0; i < 200; ++i) values.push_back(low + (high - low) * static_cast<float>(rng.uniform()));
    const auto back = decode_int8(encode_int8(values, code), code);
    EXPECT_EQ(back[0], 0.0F);
    for (std::size_t i = 0; i < values.size(); ++i)
      EXPECT_NEAR(back[i], values[i], 0.501F * code.scale + (i > 0 ? 0.5F * code.scale : 0)) << low << " " << high;
  }
  EXPECT_EQ(int8_code(std::nanf(""), 1).error().code, ErrorCode::kBadData);
  EXPECT_EQ(int8_code(2, 1).error().code, ErrorCode::kBadData);
  EXPECT_EQ(encode_int8(std::vector<float>{100.0F, -100.0F}, int8_code(0, 1).value()), (std::vector<std::int8_t>{127, -128}));
}

}  // namespace
}  // namespace hedge::eval

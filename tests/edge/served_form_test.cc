#include "edge/served_form.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace hedge::edge {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::HasSubstr;

constexpr float kNear = 1e-5F;  // of f32 arithmetic on numbers of about 1

/// A global of 2 x 1 images of three channels, ImageNet's mean and std.
GlobalInfo global_of(ModelForm form = {}) {
  return {.name = "global",
          .preprocess = {.channels = 3, .height = 2, .width = 1, .normalization = {.mean = {0.5F, 0.5F, 0.5F}, .std = {0.5F, 0.25F, 0.5F}}},
          .form = std::move(form)};
}

const data::Image kImage{.height = 2, .width = 1, .channels = 3, .pixels = {0, 51, 255, 102, 153, 204}};

std::vector<int> integers(const Tensor& tensor) {
  std::vector<int> values;
  for (std::size_t i = 0; i < tensor.num_bytes(); ++i) {
    const auto byte = std::to_integer<std::uint8_t>(tensor.bytes()[i]);
    values.push_back(tensor.dtype() == DType::kI8 ? static_cast<std::int8_t>(byte) : byte);
  }
  return values;
}

TEST(ServedForm, finds_the_layout_by_the_servers_shape) {
  EXPECT_FALSE(find_served_input({"x", DType::kU8, {-1, 2, 1, 3}}, global_of())->channels_first);
  EXPECT_TRUE(find_served_input({"x", DType::kF32, {-1, 3, 2, 1}}, global_of())->channels_first);
  const auto other = find_served_input({"x", DType::kF32, {-1, 3, 4, 4}}, global_of());
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().code, ErrorCode::kMismatch);
  EXPECT_EQ(find_served_input({"x", DType::kI64, {-1, 2, 1, 3}}, global_of()).error().code, ErrorCode::kMismatch);
}

TEST(ServedForm, takes_the_bundles_layout_where_the_shape_leaves_it_open_or_refuses) {
  const TensorSpec open{"x", DType::kF32, {-1, -1, -1, -1}};
  EXPECT_EQ(find_served_input(open, global_of()).error().code, ErrorCode::kMismatch);
  EXPECT_TRUE(find_served_input(open, global_of({.layout = model::Layout::kNchw}))->channels_first);
  EXPECT_FALSE(find_served_input(open, global_of({.layout = model::Layout::kNhwc}))->channels_first);
  EXPECT_FALSE(find_served_input({"x", DType::kU8, {-1, -1, -1, -1}}, global_of())->channels_first) << "as hedge-cloud serves it";
}

TEST(ServedForm, sends_pixels_as_they_are_and_normalised_floats_by_plane) {
  EXPECT_THAT(integers(served_image(kImage, global_of(), {})), ElementsAre(0, 51, 255, 102, 153, 204));
  EXPECT_THAT(integers(served_image(kImage, global_of(), {.dtype = DType::kU8, .channels_first = true})),
              ElementsAre(0, 102, 51, 153, 255, 204));
  const auto floats = served_image(kImage, global_of(), {.dtype = DType::kF32, .channels_first = true});
  EXPECT_EQ(floats.shape(), (Shape{1, 3, 2, 1}));
  EXPECT_THAT(std::vector<float>(floats.data<float>().begin(), floats.data<float>().end()),
              ElementsAre(FloatNear(-1, kNear), FloatNear(-0.2F, kNear), FloatNear(-1.2F, kNear), FloatNear(0.4F, kNear),
                          FloatNear(1, kNear), FloatNear(0.6F, kNear)));
}

TEST(ServedForm, quantises_the_recipes_numbers_only_where_the_input_is_for_their_range) {
  const ServedInput i8{.dtype = DType::kI8};
  EXPECT_THAT(integers(served_image(kImage, global_of(), i8)), ElementsAre(-128, -77, 127, -26, 25, 76)) << "a range that is not known";
  // The recipe makes -2 to 2; a step is 4 / 255: (real + 2) * 255 / 4 - 128.
  EXPECT_THAT(integers(served_image(kImage, global_of({.least = -2, .most = 2}), i8)), ElementsAre(-64, -77, 63, -13, 25, 38));
  EXPECT_THAT(integers(served_image(kImage, global_of({.least = 0, .most = 1}), i8)), ElementsAre(-128, -77, 127, -26, 25, 76))
      << "a quantisation that is not of this recipe";
}

TEST(ServedForm, takes_probabilities_back_to_logits) {
  const auto logits = served_logits(std::vector<float>{0.5F, 0.25F, 0.25F, 0}, model::OutputKind::kProbabilities);
  ASSERT_TRUE(logits.ok()) << logits.error().message();
  EXPECT_THAT(*logits, ElementsAre(FloatNear(std::log(0.5F), kNear), FloatNear(std::log(0.25F), kNear), FloatNear(std::log(0.25F), kNear),
                                   FloatNear(std::log(1e-30F), 1e-3F)));
  const auto single = served_logits(std::vector<float>{0.75F}, model::OutputKind::kSigmoid);
  ASSERT_TRUE(single.ok()) << single.error().message();
  EXPECT_THAT(*single, ElementsAre(0, FloatNear(std::log(3.0F), kNear)));
  EXPECT_THAT(served_logits(std::vector<float>{3, -1}, model::OutputKind::kLogits).value(), ElementsAre(3, -1));
}

TEST(ServedForm, refuses_numbers_that_are_not_of_the_bundles_kind) {
  for (const auto& values : {std::vector<float>{3, -1}, std::vector<float>{0.5F, 0.1F}}) {
    const auto refused = served_logits(values, model::OutputKind::kProbabilities);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::kMismatch);
    EXPECT_THAT(refused.error().message(), HasSubstr("probabilities"));
  }
  EXPECT_FALSE(served_logits(std::vector<float>{1.5F}, model::OutputKind::kSigmoid).ok());
}

}  // namespace
}  // namespace hedge::edge

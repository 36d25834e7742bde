#include "hedge/executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace hedge {
namespace {

using ::testing::HasSubstr;

class MatchInputs : public ::testing::Test {
 protected:
  const std::vector<TensorSpec> specs_ = {{"image", DType::kU8, {-1, 4}}, {"scale", DType::kF32, {1}}};
  const Tensor image_{DType::kU8, {3, 4}};
  const Tensor scale_{DType::kF32, {1}};

  [[nodiscard]] Result<std::vector<TensorView>> match(const std::vector<NamedView>& inputs) const { return match_inputs(specs_, inputs); }
};

TEST_F(MatchInputs, gives_the_order_of_the_specs) {
  const auto views = match({{"scale", scale_}, {"image", image_}});
  ASSERT_TRUE(views.ok());
  ASSERT_EQ(views->size(), 2U);
  EXPECT_EQ((*views)[0].bytes, image_.bytes());
  EXPECT_EQ((*views)[1].bytes, scale_.bytes());
}

TEST(MatchBatches, wants_one_number_of_images_from_every_input_that_takes_any) {
  const std::vector<TensorSpec> specs = {
      {.name = "image", .shape = {-1, 2}}, {.name = "scale", .shape = {3}}, {.name = "bias", .shape = {-1}}};
  const Tensor image(DType::kF32, {2, 2}), scale(DType::kF32, {3}), two(DType::kF32, {2}), three(DType::kF32, {3});
  EXPECT_TRUE(match_inputs(specs, std::vector<NamedView>{{"image", image}, {"scale", scale}, {"bias", two}}).ok());
  const auto error = match_inputs(specs, std::vector<NamedView>{{"bias", three}, {"image", image}, {"scale", scale}}).error();
  EXPECT_EQ(error.code, ErrorCode::kMismatch);
  EXPECT_EQ(error.where, "bias");
  EXPECT_EQ(error.got, "3");
}

TEST_F(MatchInputs, names_a_missing_input) {
  const auto error = match({{"image", image_}}).error();
  EXPECT_EQ(error.code, ErrorCode::kNotFound);
  EXPECT_EQ(error.where, "scale");
}

TEST_F(MatchInputs, refuses_an_unknown_input_and_lists_the_names) {
  const auto error = match({{"image", image_}, {"scale", scale_}, {"other", scale_}}).error();
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(error.got, "other");
  EXPECT_THAT(error.expected, HasSubstr("image, scale"));
}

TEST_F(MatchInputs, refuses_an_input_given_twice) {
  const auto error = match({{"image", image_}, {"image", image_}, {"scale", scale_}}).error();
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(error.where, "image");
}

TEST_F(MatchInputs, refuses_another_element_type) {
  const Tensor wrong(DType::kF32, {3, 4});
  const auto error = match({{"image", wrong}, {"scale", scale_}}).error();
  EXPECT_EQ(error.code, ErrorCode::kMismatch);
  EXPECT_EQ(error.got, "f32");
  EXPECT_EQ(error.expected, "u8");
}

TEST_F(MatchInputs, refuses_another_shape_or_rank) {
  for (const Shape& shape : {Shape{3, 5}, Shape{4}, Shape{1, 3, 4}}) {
    const Tensor wrong(DType::kU8, shape);
    const auto error = match({{"image", wrong}, {"scale", scale_}}).error();
    EXPECT_EQ(error.code, ErrorCode::kMismatch) << to_string(shape);
    EXPECT_EQ(error.where, "image");
    EXPECT_EQ(error.expected, "[-1, 4]");
  }
}

TEST(FindSpec, gives_the_index_or_the_names_there_are) {
  const std::vector<TensorSpec> specs = {{"a", DType::kF32, {}}, {"b", DType::kF32, {}}};
  EXPECT_EQ(find_spec(specs, "b").value(), 1U);
  const auto error = find_spec(specs, "c").error();
  EXPECT_EQ(error.code, ErrorCode::kNotFound);
  EXPECT_THAT(error.expected, HasSubstr("a, b"));
}

}  // namespace
}  // namespace hedge

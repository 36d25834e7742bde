#include "hedge/tensor.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace hedge {
namespace {

TEST(Tensor, starts_at_zero_on_a_64_byte_boundary) {
  for (const std::int64_t n : {1, 3, 17, 1000}) {
    const Tensor tensor(DType::kF32, {n});
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.bytes()) % 64, 0U);
    for (const float value : tensor.data<float>()) EXPECT_EQ(value, 0.0F);
  }
}

TEST(Tensor, counts_elements_and_bytes_by_type) {
  const std::pair<DType, std::size_t> sizes[] = {{DType::kF32, 4}, {DType::kU8, 1},  {DType::kI8, 1},
                                                 {DType::kI32, 4}, {DType::kI64, 8}, {DType::kBool, 1}};
  for (const auto& [dtype, size] : sizes) {
    const Tensor tensor(dtype, {2, 3});
    EXPECT_EQ(size_of(dtype), size) << to_string(dtype);
    EXPECT_EQ(tensor.num_elements(), 6);
    EXPECT_EQ(tensor.num_bytes(), 6 * size);
  }
}

TEST(Tensor, a_scalar_has_one_element_and_an_empty_dimension_none) {
  EXPECT_EQ(Tensor(DType::kF32, {}).num_elements(), 1);
  EXPECT_EQ(Tensor(DType::kF32, {4, 0, 2}).num_bytes(), 0U);
  EXPECT_EQ(Tensor().num_elements(), 0);
}

TEST(Tensor, copies_are_independent) {
  Tensor first = Tensor::of<float>({2}, {1, 2});
  Tensor second = first;
  second.data<float>()[0] = 9;
  EXPECT_EQ(first.data<float>()[0], 1);
  const Tensor third(first.view());
  first.data<float>()[1] = 7;
  EXPECT_EQ(third.data<float>()[1], 2);
}

TEST(Tensor, reshaping_keeps_the_bytes) {
  const Tensor tensor = Tensor::of<std::int32_t>({2, 3}, {1, 2, 3, 4, 5, 6}).reshaped({3, 2});
  EXPECT_EQ(tensor.shape(), (Shape{3, 2}));
  EXPECT_EQ(tensor.data<std::int32_t>()[5], 6);
}

TEST(Shape, checked_product_refuses_negative_and_huge_dimensions) {
  EXPECT_EQ(checked_num_elements({2, 3, 4}).value(), 24);
  EXPECT_EQ(checked_num_elements({}).value(), 1);
  EXPECT_EQ(checked_num_elements({std::int64_t{1} << 40}).value(), std::int64_t{1} << 40);
  EXPECT_EQ(checked_num_elements({-1}).error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(checked_num_elements({(std::int64_t{1} << 40) + 1}).error().code, ErrorCode::kBadFormat);
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(checked_num_elements({kMost, kMost}).error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(checked_num_elements({0, kMost, kMost}).value(), 0);
}

TEST(Shape, fits_only_the_same_rank_with_free_dimensions) {
  EXPECT_TRUE(fits({5, 3}, {-1, 3}));
  EXPECT_TRUE(fits({5, 3}, {5, 3}));
  EXPECT_FALSE(fits({5, 4}, {-1, 3}));
  EXPECT_FALSE(fits({5}, {-1, 3}));
  EXPECT_FALSE(fits({5, 3, 1}, {-1, 3}));
  EXPECT_TRUE(fits({}, {}));
}

TEST(Shape, prints_as_a_list) {
  EXPECT_EQ(to_string(Shape{2, -1, 3}), "[2, -1, 3]");
  EXPECT_EQ(to_string(Shape{}), "[]");
}

}  // namespace
}  // namespace hedge

#include "hedge/tensor.h"

#include <cstring>

namespace hedge {

std::size_t size_of(DType dtype) {
  switch (dtype) {
    case DType::kF32:
    case DType::kI32: return 4;
    case DType::kU8:
    case DType::kI8:
    case DType::kBool: return 1;
    case DType::kI64: return 8;
  }
  return 0;
}

const char* to_string(DType dtype) {
  switch (dtype) {
    case DType::kF32: return "f32";
    case DType::kU8: return "u8";
    case DType::kI8: return "i8";
    case DType::kI32: return "i32";
    case DType::kI64: return "i64";
    case DType::kBool: return "bool";
  }
  return "unknown";
}

std::int64_t num_elements(const Shape& shape) {
  std::int64_t n = 1;
  for (auto d : shape) {
    assert(d >= 0);
    n *= d;
  }
  return n;
}

Result<std::int64_t> checked_num_elements(const Shape& shape) {
  constexpr std::int64_t kMost = std::int64_t{1} << 40;
  std::int64_t n = 1;
  for (auto d : shape) {
    if (d < 0 || (d > 0 && n > kMost / d))
      return Error{.code = ErrorCode::kBadFormat,
                   .what = "the shape is not usable",
                   .got = to_string(shape),
                   .expected = "dimensions >= 0 and at most 2^40 elements"};
    n *= d;
  }
  return n;
}

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

bool fits(const Shape& shape, const Shape& spec) {
  if (shape.size() != spec.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (spec[i] != -1 && spec[i] != shape[i]) return false;
  return true;
}

Tensor::Tensor(DType dtype, Shape shape)
    : dtype_(dtype), shape_(std::move(shape)), storage_(static_cast<std::size_t>(hedge::num_elements(shape_)) * size_of(dtype_)) {}

Tensor::Tensor(const TensorView& view) : Tensor(view.dtype, view.shape) {
  if (!storage_.empty()) std::memcpy(storage_.data(), view.bytes, storage_.size());
}

Tensor Tensor::reshaped(Shape shape) && {
  assert(hedge::num_elements(shape) == num_elements());
  Tensor result = std::move(*this);
  result.shape_ = std::move(shape);
  return result;
}

}  // namespace hedge

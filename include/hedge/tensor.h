#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hedge/api.h"
#include "hedge/result.h"

namespace hedge {

/// Element types. The values are stable: they appear in files.
enum class DType : std::uint8_t { kF32 = 1, kU8 = 2, kI8 = 3, kI32 = 4, kI64 = 5, kBool = 6 };

HEDGE_API std::size_t size_of(DType dtype);
/// "f32", "u8", …
HEDGE_API const char* to_string(DType dtype);

template <typename T>
constexpr DType dtype_of();
template <>
constexpr DType dtype_of<float>() {
  return DType::kF32;
}
template <>
constexpr DType dtype_of<std::uint8_t>() {
  return DType::kU8;
}
template <>
constexpr DType dtype_of<std::int8_t>() {
  return DType::kI8;
}
template <>
constexpr DType dtype_of<std::int32_t>() {
  return DType::kI32;
}
template <>
constexpr DType dtype_of<std::int64_t>() {
  return DType::kI64;
}

/// Dimensions, outermost first. -1 is a dynamic dimension where a specification allows one; a Tensor has none.
using Shape = std::vector<std::int64_t>;

/// Product of the dimensions (1 for a scalar). Precondition: no negative dimension.
HEDGE_API std::int64_t num_elements(const Shape& shape);
/// num_elements with a check: kBadFormat where a dimension is negative or the product exceeds 2^40.
HEDGE_API Result<std::int64_t> checked_num_elements(const Shape& shape);
/// "[2, 3, -1]"
HEDGE_API std::string to_string(const Shape& shape);
/// Whether `shape` fits `spec`: the same rank, and each dimension equal or -1 in `spec`.
HEDGE_API bool fits(const Shape& shape, const Shape& spec);

/// A borrowed, dense, row-major tensor. Who made it must outlive it.
struct TensorView {
  DType dtype = DType::kF32;
  Shape shape;
  const std::byte* bytes = nullptr;

  [[nodiscard]] std::size_t num_bytes() const { return static_cast<std::size_t>(num_elements(shape)) * size_of(dtype); }
  template <typename T>
  [[nodiscard]] std::span<const T> data() const {
    assert(dtype == dtype_of<T>());
    return {reinterpret_cast<const T*>(bytes), static_cast<std::size_t>(num_elements(shape))};
  }
};

/// An owned, dense, row-major tensor; its storage is aligned to 64 bytes and starts at zero. A value: copying copies.
class HEDGE_API Tensor {
 public:
  Tensor() = default;
  Tensor(DType dtype, Shape shape);
  /// Copies `view`.
  explicit Tensor(const TensorView& view);
  template <typename T>
  static Tensor of(Shape shape, std::span<const T> values) {
    Tensor tensor(dtype_of<T>(), std::move(shape));
    auto out = tensor.data<T>();
    assert(out.size() == values.size());
    for (std::size_t i = 0; i < values.size(); ++i) out[i] = values[i];
    return tensor;
  }
  template <typename T>
  static Tensor of(Shape shape, const std::vector<T>& values) {
    return of<T>(std::move(shape), std::span<const T>(values));
  }

  [[nodiscard]] DType dtype() const { return dtype_; }
  [[nodiscard]] const Shape& shape() const { return shape_; }
  [[nodiscard]] std::size_t num_bytes() const { return storage_.size(); }
  [[nodiscard]] std::int64_t num_elements() const { return hedge::num_elements(shape_); }
  [[nodiscard]] std::byte* bytes() { return storage_.data(); }
  [[nodiscard]] const std::byte* bytes() const { return storage_.data(); }

  template <typename T>
  [[nodiscard]] std::span<T> data() {
    assert(dtype_ == dtype_of<T>());
    return {reinterpret_cast<T*>(storage_.data()), storage_.size() / sizeof(T)};
  }
  template <typename T>
  [[nodiscard]] std::span<const T> data() const {
    assert(dtype_ == dtype_of<T>());
    return {reinterpret_cast<const T*>(storage_.data()), storage_.size() / sizeof(T)};
  }

  /// The same bytes under another shape. Precondition: as many elements.
  [[nodiscard]] Tensor reshaped(Shape shape) &&;
  [[nodiscard]] TensorView view() const { return {dtype_, shape_, storage_.data()}; }
  operator TensorView() const { return view(); }  // NOLINT(google-explicit-constructor)

 private:
  template <typename T>
  struct Aligned64 {
    using value_type = T;
    Aligned64() = default;
    template <typename U>
    Aligned64(const Aligned64<U>&) {}  // NOLINT(google-explicit-constructor)
    T* allocate(std::size_t n) { return static_cast<T*>(::operator new (n * sizeof(T), std::align_val_t{64})); }
    void deallocate(T* p, std::size_t) { ::operator delete (p, std::align_val_t{64}); }
    bool operator==(const Aligned64&) const { return true; }
  };
  DType dtype_ = DType::kF32;
  Shape shape_ = {0};
  std::vector<std::byte, Aligned64<std::byte>> storage_;
};

}  // namespace hedge

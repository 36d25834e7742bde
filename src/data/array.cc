#include "data/array.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace hedge::data {
namespace {

/// A value of type T at `bytes`, whose byte order is swapped where `swap`.
template <typename T>
T load(const char* bytes, bool swap) {
  char own[sizeof(T)];
  for (std::size_t i = 0; i < sizeof(T); ++i) own[i] = bytes[swap ? sizeof(T) - 1 - i : i];
  T value;
  std::memcpy(&value, own, sizeof(T));
  return value;
}

float from_half(std::uint16_t bits) {
  constexpr int kMantissaBits = 10, kBias = 15, kInfinity = 31;
  const int exponent = (bits >> kMantissaBits) & kInfinity;
  const auto mantissa = static_cast<float>(bits & 0x3FF) / 1024.0F;
  const float sign = (bits & 0x8000) != 0 ? -1.0F : 1.0F;
  if (exponent == kInfinity) return mantissa == 0 ? sign * std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
  if (exponent == 0) return sign * std::ldexp(mantissa, 1 - kBias);
  return sign * std::ldexp(1 + mantissa, exponent - kBias);
}

float from_bfloat(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

template <typename Stored, typename To, typename Convert>
void fill(std::string_view bytes, bool swap, Tensor& tensor, Convert convert) {
  auto out = tensor.data<To>();
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = convert(load<Stored>(bytes.data() + i * sizeof(Stored), swap));
}

template <typename Stored>
Tensor integers(std::string_view bytes, bool swap, const Shape& shape) {
  Tensor tensor(DType::kI64, shape);
  fill<Stored, std::int64_t>(bytes, swap, tensor, [](Stored value) { return static_cast<std::int64_t>(value); });
  return tensor;
}

template <typename Stored, typename Convert>
Tensor floats(std::string_view bytes, bool swap, const Shape& shape, Convert convert) {
  Tensor tensor(DType::kF32, shape);
  fill<Stored, float>(bytes, swap, tensor, convert);
  return tensor;
}

}  // namespace

std::size_t size_of(Element element) {
  switch (element) {
    case Element::kI8:
    case Element::kU8:
    case Element::kBool: return 1;
    case Element::kF16:
    case Element::kBf16:
    case Element::kI16:
    case Element::kU16: return 2;
    case Element::kF32:
    case Element::kI32:
    case Element::kU32: return 4;
    case Element::kF64:
    case Element::kI64:
    case Element::kU64: return 8;
  }
  return 0;
}

Result<Tensor> decode_numbers(std::string_view bytes, const ElementLayout& layout, const Shape& shape, std::string_view where) {
  const auto count = checked_num_elements(shape);
  if (!count || bytes.size() != static_cast<std::uint64_t>(*count) * size_of(layout.element))
    return Error{.code = ErrorCode::kBadFormat,
                 .what = "the array's size does not fit its shape",
                 .where = std::string(where),
                 .got = std::to_string(bytes.size()) + " bytes",
                 .expected = to_string(shape) + " elements of " + std::to_string(size_of(layout.element)) + " bytes"};
  const bool swap = layout.big_endian;
  switch (layout.element) {
    case Element::kF16: return floats<std::uint16_t>(bytes, swap, shape, from_half);
    case Element::kBf16: return floats<std::uint16_t>(bytes, swap, shape, from_bfloat);
    case Element::kF32: return floats<float>(bytes, swap, shape, [](float value) { return value; });
    case Element::kF64: return floats<double>(bytes, swap, shape, [](double value) { return static_cast<float>(value); });
    case Element::kI8: return integers<std::int8_t>(bytes, swap, shape);
    case Element::kI16: return integers<std::int16_t>(bytes, swap, shape);
    case Element::kI32: return integers<std::int32_t>(bytes, swap, shape);
    case Element::kI64: return integers<std::int64_t>(bytes, swap, shape);
    case Element::kU8:
    case Element::kBool: return integers<std::uint8_t>(bytes, swap, shape);
    case Element::kU16: return integers<std::uint16_t>(bytes, swap, shape);
    case Element::kU32: return integers<std::uint32_t>(bytes, swap, shape);
    case Element::kU64: break;
  }
  Tensor tensor = integers<std::uint64_t>(bytes, swap, shape);
  for (const auto value : tensor.data<std::int64_t>())
    if (value < 0)
      return Error{.code = ErrorCode::kBadData,
                   .what = "a number is too large",
                   .where = std::string(where),
                   .got = std::to_string(static_cast<std::uint64_t>(value)),
                   .expected = "less than 2^63"};
  return tensor;
}

}  // namespace hedge::data

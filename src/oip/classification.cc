#include "oip/classification.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

namespace hedge::oip {
namespace {

template <typename T>
double load(const std::byte* bytes, std::size_t index) {
  T value;
  std::memcpy(&value, bytes + index * sizeof(T), sizeof(T));
  return static_cast<double>(value);
}

double value_at(const TensorView& view, std::size_t index) {
  switch (view.dtype) {
    case DType::kF32: return load<float>(view.bytes, index);
    case DType::kI8: return load<std::int8_t>(view.bytes, index);
    case DType::kI32: return load<std::int32_t>(view.bytes, index);
    case DType::kI64: return load<std::int64_t>(view.bytes, index);
    case DType::kU8:
    case DType::kBool: return load<std::uint8_t>(view.bytes, index);
  }
  return 0;
}

void append_element(std::string& bytes, const std::string& text) {
  const auto length = static_cast<std::uint32_t>(text.size());
  for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>((length >> shift) & 0xFFU);
  bytes += text;
}

}  // namespace

Result<Classes> classify(const TensorView& scores, std::int64_t count, const std::vector<std::string>& labels) {
  if (count < 1)
    return Error{.code = ErrorCode::kInvalidArgument, .what = "classification asks for fewer than one class", .got = std::to_string(count)};
  if (scores.shape.empty()) return Error{.code = ErrorCode::kInvalidArgument, .what = "classification of an output without dimensions"};
  const bool batched = scores.shape.size() > 1;
  const std::int64_t rows = batched ? scores.shape[0] : 1;
  const auto classes = static_cast<std::size_t>(rows == 0 ? 0 : num_elements(scores.shape) / rows);
  const auto kept = std::min(classes, static_cast<std::size_t>(count));

  Classes result{.shape = {static_cast<std::int64_t>(kept)}, .bytes = {}};
  if (batched) result.shape.insert(result.shape.begin(), rows);
  std::vector<double> values(classes);
  std::vector<std::size_t> order(classes);
  for (std::size_t row = 0; row < static_cast<std::size_t>(rows); ++row) {
    for (std::size_t i = 0; i < classes; ++i) values[i] = value_at(scores, row * classes + i);
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto rank = [&](std::size_t i) { return std::isnan(values[i]) ? -std::numeric_limits<double>::infinity() : values[i]; };
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(kept), order.end(),
                      [&](std::size_t a, std::size_t b) { return rank(a) != rank(b) ? rank(a) > rank(b) : a < b; });
    for (std::size_t i = 0; i < kept; ++i) {
      std::string text = std::to_string(values[order[i]]) + ":" + std::to_string(order[i]);
      if (order[i] < labels.size() && !labels[order[i]].empty()) text += ":" + labels[order[i]];
      append_element(result.bytes, text);
    }
  }
  return result;
}

}  // namespace hedge::oip

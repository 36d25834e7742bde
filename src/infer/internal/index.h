#pragma once

#include <cstddef>
#include <cstdint>

#include "hedge/tensor.h"

namespace hedge::infer::internal {

/// Elements between neighbours along each dimension of a dense row-major tensor.
Shape strides_of(const Shape& shape);

/// The strides with which a tensor of `shape` is read under `target`'s indices: aligned at the last dimension, 0 where it
/// broadcasts. Precondition: `shape` broadcasts to `target`.
Shape broadcast_strides(const Shape& shape, const Shape& target);

/// `axis` counted from the front.
inline std::size_t from_front(std::int64_t axis, std::size_t rank) {
  return static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(rank) : axis);
}

inline std::int64_t dot(const Shape& index, const Shape& strides) {
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < index.size(); ++i) offset += index[i] * strides[i];
  return offset;
}

/// Calls visit(index, flat) for each element of a tensor of `shape`, in row-major order.
template <typename Visit>
void for_each_index(const Shape& shape, Visit&& visit) {
  const std::int64_t count = num_elements(shape);
  Shape index(shape.size(), 0);
  for (std::int64_t flat = 0; flat < count; ++flat) {
    visit(index, static_cast<std::size_t>(flat));
    for (std::size_t i = shape.size(); i-- > 0;) {
      if (++index[i] < shape[i]) break;
      index[i] = 0;
    }
  }
}

}  // namespace hedge::infer::internal

#include <algorithm>
#include <array>

#include "graph/internal/shape_rules.h"

namespace hedge::graph::internal {
namespace {

constexpr std::int64_t kMostIndex = std::int64_t{1} << 40;

Inferred reduced(const Node& node, Infos inputs, const std::vector<std::int64_t>& axes) {
  HEDGE_CHECK(require_type(node, inputs, 0, DType::kF32));
  const Shape& x = inputs[0].shape;
  HEDGE_TRY(const auto resolved, resolve_axes(axes, x.size()));
  const bool keep = node.integer("keepdims", 1) != 0;
  Shape shape;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const bool gone = resolved.empty() || std::binary_search(resolved.begin(), resolved.end(), i);
    if (gone && x[i] == 0) return mismatched("an empty dimension is reduced", to_string(x));
    if (!gone || keep) shape.push_back(gone ? 1 : x[i]);
  }
  return std::vector{TensorInfo{DType::kF32, std::move(shape)}};
}

/// Elements of [start, end) by `step` along a dimension of `size`, with numpy's clamping.
std::int64_t sliced(std::int64_t size, std::int64_t start, std::int64_t end, std::int64_t step) {
  const auto from_front = [&](std::int64_t i) { return std::clamp(i, -kMostIndex, kMostIndex) + (i < 0 ? size : 0); };
  start = std::clamp<std::int64_t>(from_front(start), 0, step > 0 ? size : size - 1);
  end = std::clamp<std::int64_t>(from_front(end), step > 0 ? 0 : -1, step > 0 ? size : size - 1);
  const std::int64_t span = step > 0 ? end - start : start - end;
  const std::int64_t stride = step > 0 ? step : -step;
  return span <= 0 ? 0 : (span + stride - 1) / stride;
}

struct SliceArguments {
  std::vector<std::int64_t> starts, ends, axes, steps;
};

Result<SliceArguments> slice_arguments(const Node& node, Infos inputs) {
  SliceArguments arguments;
  HEDGE_TRY(arguments.starts, constant_integers(node, inputs, 1));
  HEDGE_TRY(arguments.ends, constant_integers(node, inputs, 2));
  const std::size_t count = arguments.starts.size();
  for (std::size_t i = 0; i < count; ++i) arguments.axes.push_back(static_cast<std::int64_t>(i));
  arguments.steps.assign(count, 1);
  if (has_input(node, 3)) {
    HEDGE_TRY(arguments.axes, constant_integers(node, inputs, 3));
  }
  if (has_input(node, 4)) {
    HEDGE_TRY(arguments.steps, constant_integers(node, inputs, 4));
  }
  if (arguments.ends.size() != count || arguments.axes.size() != count || arguments.steps.size() != count)
    return mismatched("starts, ends, axes and steps differ in length");
  for (const auto step : arguments.steps)
    if (step == 0 || step > kMostIndex || step < -kMostIndex) return mismatched("a step outside its range", std::to_string(step), "not 0");
  return arguments;
}

}  // namespace

Inferred infer_reduce(const Node& node, Infos inputs) { return reduced(node, inputs, node.integers("axes", {})); }

Inferred infer_reduce_sum(const Node& node, Infos inputs) {
  std::vector<std::int64_t> axes;
  if (has_input(node, 1)) {
    HEDGE_TRY(axes, constant_integers(node, inputs, 1));
  }
  if (axes.empty() && node.integer("noop_with_empty_axes", 0) != 0) return infer_same_f32(node, inputs);
  return reduced(node, inputs, axes);
}

Inferred infer_top_k(const Node& node, Infos inputs) {
  HEDGE_CHECK(require_type(node, inputs, 0, DType::kF32));
  if (node.integer("largest", 1) != 1 || node.integer("sorted", 1) != 1) return unsupported("TopK of the smallest or unsorted");
  HEDGE_TRY(const auto k, constant_integers(node, inputs, 1));
  Shape shape = inputs[0].shape;
  HEDGE_TRY(const std::size_t axis, resolve_axis(node.integer("axis", -1), shape.size()));
  if (k.size() != 1 || k[0] < 1 || (shape[axis] != -1 && k[0] > shape[axis]) || k[0] > kMostIndex)
    return mismatched("k does not fit the axis", to_string(k), "one number from 1 to " + std::to_string(shape[axis]));
  shape[axis] = k[0];
  return std::vector{TensorInfo{DType::kF32, shape}, TensorInfo{DType::kI64, shape}};
}

Inferred infer_gather(const Node& node, Infos inputs) {
  HEDGE_TRY(const auto indices, constant_integers(node, inputs, 1));
  const Shape& x = inputs[0].shape;
  HEDGE_TRY(const std::size_t axis, resolve_axis(node.integer("axis", 0), x.size()));
  for (const auto index : indices)
    if (x[axis] != -1 && (index < -x[axis] || index >= x[axis]))
      return mismatched("an index outside the axis", std::to_string(index), "less than " + std::to_string(x[axis]));
  Shape shape(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(axis));
  shape.insert(shape.end(), inputs[1].shape.begin(), inputs[1].shape.end());
  shape.insert(shape.end(), x.begin() + static_cast<std::ptrdiff_t>(axis) + 1, x.end());
  return std::vector{TensorInfo{inputs[0].dtype, std::move(shape)}};
}

Inferred infer_slice(const Node& node, Infos inputs) {
  HEDGE_TRY(const SliceArguments arguments, slice_arguments(node, inputs));
  Shape shape = inputs[0].shape;
  HEDGE_TRY([[maybe_unused]] const auto unique, resolve_axes(arguments.axes, shape.size()));
  for (std::size_t i = 0; i < arguments.axes.size(); ++i) {
    HEDGE_TRY(const std::size_t axis, resolve_axis(arguments.axes[i], shape.size()));
    const auto [start, end, step] = std::array{arguments.starts[i], arguments.ends[i], arguments.steps[i]};
    if (shape[axis] != -1) {
      shape[axis] = sliced(shape[axis], start, end, step);
    } else if (start != 0 || step != 1 || end < std::int64_t{1} << 30) {
      return unsupported("a slice of a dynamic dimension, " + std::to_string(axis));
    }
  }
  return std::vector{TensorInfo{inputs[0].dtype, std::move(shape)}};
}

}  // namespace hedge::graph::internal

#include <algorithm>

#include "graph/internal/shape_rules.h"

namespace hedge::graph::internal {
namespace {

constexpr std::int64_t kMostDimension = std::int64_t{1} << 40;

/// A shape as its dynamic dimensions and the product of the others.
struct Extent {
  std::int64_t known = 1;
  int dynamic = 0;

  void add(std::int64_t dimension) {
    if (dimension == -1) {
      ++dynamic;
    } else {
      known = saturating_product(known, dimension);
    }
  }
};

/// The product of the dimensions [first, last), -1 where one is dynamic.
std::int64_t merged(const Shape& shape, std::size_t first, std::size_t last) {
  Extent extent;
  for (std::size_t i = first; i < last; ++i) extent.add(shape[i]);
  return extent.dynamic > 0 && extent.known != 0 ? -1 : extent.known;
}

/// Fills the wanted shape's 0 (copied dimensions); says where its -1 stands (rank where it has none).
Result<std::size_t> copy_dimensions(const Node& node, const Shape& from, Shape& wanted) {
  const bool zero_is_zero = node.integer("allowzero", 0) != 0;
  std::size_t open = wanted.size();
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] < -1 || wanted[i] > kMostDimension) return mismatched("the new shape is not usable", to_string(wanted));
    if (wanted[i] == -1) {
      if (open != wanted.size()) return mismatched("the new shape has two dimensions of -1", to_string(wanted));
      open = i;
    } else if (wanted[i] == 0 && !zero_is_zero) {
      if (i >= from.size()) return mismatched("the new shape copies a dimension that is not there", to_string(wanted), to_string(from));
      wanted[i] = from[i];
    }
  }
  return open;
}

}  // namespace

Inferred infer_concat(const Node& node, Infos inputs) {
  if (!node.attributes.contains("axis")) return mismatched("Concat without an axis");
  Shape shape = inputs[0].shape;
  HEDGE_TRY(const std::size_t axis, resolve_axis(node.integer("axis", 0), shape.size()));
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    HEDGE_CHECK(require_type(node, inputs, i, inputs[0].dtype));
    HEDGE_CHECK(require_rank(node, inputs, i, shape.size()));
    const Shape& x = inputs[i].shape;
    for (std::size_t d = 0; d < shape.size(); ++d) {
      if (d == axis) {
        shape[d] = shape[d] == -1 || x[d] == -1 ? -1 : shape[d] + x[d];
      } else if (shape[d] == -1 || x[d] == -1) {
        shape[d] = std::max(shape[d], x[d]);
      } else if (shape[d] != x[d]) {
        return mismatched(input_name(node, i) + " does not fit the others", to_string(x),
                          to_string(shape) + " but for axis " + std::to_string(axis));
      }
    }
    if (shape[axis] > kMostDimension) return mismatched("the result is too large", to_string(shape));
  }
  return std::vector{TensorInfo{inputs[0].dtype, std::move(shape)}};
}

Inferred infer_flatten(const Node& node, Infos inputs) {
  const Shape& x = inputs[0].shape;
  const std::int64_t axis = node.integer("axis", 1);
  const auto rank = static_cast<std::int64_t>(x.size());
  if (axis < -rank || axis > rank) return mismatched("an axis outside the tensor", std::to_string(axis), "up to " + std::to_string(rank));
  const auto split = static_cast<std::size_t>(axis < 0 ? axis + rank : axis);
  return std::vector{TensorInfo{inputs[0].dtype, {merged(x, 0, split), merged(x, split, x.size())}}};
}

Inferred infer_reshape(const Node& node, Infos inputs) {
  HEDGE_TRY(Shape shape, constant_integers(node, inputs, 1));
  HEDGE_CHECK(require_rank(node, inputs, 1, 1));
  const Shape& x = inputs[0].shape;
  Extent before;
  for (const auto d : x) before.add(d);
  HEDGE_TRY(const std::size_t open, copy_dimensions(node, x, shape));
  Extent after;
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (i != open) after.add(shape[i]);
  const Error wrong = mismatched("the new shape does not hold as many elements", to_string(shape), to_string(x));
  if (open == shape.size()) {
    if (before.dynamic != after.dynamic || before.known != after.known) return wrong;
  } else if (before.dynamic == after.dynamic) {
    if (after.known == 0 || before.known % after.known != 0) return wrong;
    shape[open] = before.known / after.known;
  } else if (before.dynamic < after.dynamic || after.known == 0) {
    return wrong;
  }
  return std::vector{TensorInfo{inputs[0].dtype, std::move(shape)}};
}

Inferred infer_squeeze(const Node& node, Infos inputs) {
  const Shape& x = inputs[0].shape;
  Shape shape;
  if (!has_input(node, 1)) {
    if (std::count(x.begin(), x.end(), -1) > 0)
      return unsupported("Squeeze without axes on a dynamic shape", "name the axes: a batch of one would lose its dimension");
    std::copy_if(x.begin(), x.end(), std::back_inserter(shape), [](auto d) { return d != 1; });
    return std::vector{TensorInfo{inputs[0].dtype, std::move(shape)}};
  }
  HEDGE_TRY(const auto listed, constant_integers(node, inputs, 1));
  HEDGE_TRY(const auto axes, resolve_axes(listed, x.size()));
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!std::binary_search(axes.begin(), axes.end(), i)) {
      shape.push_back(x[i]);
    } else if (x[i] != 1 && x[i] != -1) {
      return mismatched("a squeezed dimension is not 1", to_string(x), "1 at axis " + std::to_string(i));
    }
  }
  return std::vector{TensorInfo{inputs[0].dtype, std::move(shape)}};
}

Inferred infer_unsqueeze(const Node& node, Infos inputs) {
  HEDGE_TRY(const auto listed, constant_integers(node, inputs, 1));
  const Shape& x = inputs[0].shape;
  const std::size_t rank = x.size() + listed.size();
  HEDGE_TRY(const auto axes, resolve_axes(listed, rank));
  Shape shape;
  auto next = x.begin();
  for (std::size_t i = 0; i < rank; ++i) shape.push_back(std::binary_search(axes.begin(), axes.end(), i) ? 1 : *next++);
  return std::vector{TensorInfo{inputs[0].dtype, std::move(shape)}};
}

Inferred infer_transpose(const Node& node, Infos inputs) {
  const Shape& x = inputs[0].shape;
  std::vector<std::int64_t> reversed;
  for (std::size_t i = x.size(); i > 0; --i) reversed.push_back(static_cast<std::int64_t>(i - 1));
  const auto perm = node.integers("perm", reversed);
  HEDGE_TRY(const auto axes, resolve_axes(perm, x.size()));
  if (axes.size() != x.size() || std::any_of(perm.begin(), perm.end(), [](auto p) { return p < 0; }))
    return mismatched("perm is no permutation of the dimensions", to_string(perm), std::to_string(x.size()) + " dimensions");
  Shape shape;
  for (const auto p : perm) shape.push_back(x[static_cast<std::size_t>(p)]);
  return std::vector{TensorInfo{inputs[0].dtype, std::move(shape)}};
}

Inferred infer_pad(const Node& node, Infos inputs) {
  HEDGE_CHECK(require_type(node, inputs, 0, DType::kF32));
  if (node.text("mode", "constant") != "constant") return unsupported("Pad in the mode " + node.text("mode", ""));
  HEDGE_TRY(const auto pads, constant_integers(node, inputs, 1));
  Shape shape = inputs[0].shape;
  if (pads.size() != 2 * shape.size()) return mismatched("pads does not fit the tensor", to_string(pads), "two a dimension");
  if (has_input(node, 2)) {
    HEDGE_CHECK(require_type(node, inputs, 2, DType::kF32));
    if (inputs[2].constant == nullptr || inputs[2].constant->num_elements() != 1)
      return unsupported("Pad with a value that is not one constant");
  }
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::int64_t before = pads[i];
    const std::int64_t after = pads[i + shape.size()];
    if (before < 0 || after < 0) return unsupported("a negative padding", "use Slice to cut");
    if (before > kMostDimension || after > kMostDimension) return mismatched("the padding is too large", to_string(pads));
    if (shape[i] == -1 && before + after > 0) return unsupported("padding of a dynamic dimension, " + std::to_string(i));
    if (shape[i] != -1) shape[i] += before + after;
  }
  return std::vector{TensorInfo{DType::kF32, std::move(shape)}};
}

}  // namespace hedge::graph::internal

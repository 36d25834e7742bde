#include "graph/internal/shape_rules.h"

#include <algorithm>
#include <limits>

namespace hedge::graph::internal {

Error mismatched(std::string what, std::string got, std::string expected) {
  return {.code = ErrorCode::kMismatch, .what = std::move(what), .got = std::move(got), .expected = std::move(expected)};
}

Error unsupported(std::string what, std::string hint) {
  return {.code = ErrorCode::kUnsupported, .what = std::move(what), .hint = std::move(hint)};
}

std::string input_name(const Node& node, std::size_t i) { return "input " + std::to_string(i) + " (" + node.inputs[i] + ")"; }

bool has_input(const Node& node, std::size_t i) { return i < node.inputs.size() && !node.inputs[i].empty(); }

Status require_type(const Node& node, Infos inputs, std::size_t i, DType dtype) {
  if (inputs[i].dtype == dtype) return {};
  Error error = unsupported(input_name(node, i) + " has an element type that this operator is not implemented for");
  error.got = to_string(inputs[i].dtype);
  error.expected = to_string(dtype);
  return error;
}

Status require_rank(const Node& node, Infos inputs, std::size_t i, std::size_t rank) {
  if (inputs[i].shape.size() == rank) return {};
  return mismatched(input_name(node, i) + " has a wrong number of dimensions", to_string(inputs[i].shape),
                    std::to_string(rank) + " dimensions");
}

Result<std::vector<std::int64_t>> constant_integers(const Node& node, Infos inputs, std::size_t i) {
  if (inputs[i].constant == nullptr)
    return unsupported(input_name(node, i) + " is computed; only a constant is implemented", "fold the constants when exporting the model");
  auto values = integers_of(*inputs[i].constant);
  if (!values) {
    Error error = std::move(values).error();
    error.what = input_name(node, i) + " must hold integers";
    return error;
  }
  return values;
}

Result<std::size_t> resolve_axis(std::int64_t axis, std::size_t rank) {
  const auto r = static_cast<std::int64_t>(rank);
  if (axis < -r || axis >= r)
    return mismatched("an axis outside the tensor", std::to_string(axis), "from -" + std::to_string(r) + " to " + std::to_string(r - 1));
  return static_cast<std::size_t>(axis < 0 ? axis + r : axis);
}

Result<std::vector<std::size_t>> resolve_axes(const std::vector<std::int64_t>& axes, std::size_t rank) {
  std::vector<std::size_t> resolved;
  for (const auto axis : axes) {
    HEDGE_TRY(const std::size_t one, resolve_axis(axis, rank));
    resolved.push_back(one);
  }
  std::sort(resolved.begin(), resolved.end());
  if (std::adjacent_find(resolved.begin(), resolved.end()) != resolved.end()) return mismatched("an axis is given twice", to_string(axes));
  return resolved;
}

Result<Shape> broadcast(const Shape& a, const Shape& b) {
  const std::size_t rank = std::max(a.size(), b.size());
  Shape shape(rank);
  for (std::size_t i = 0; i < rank; ++i) {
    const std::int64_t x = i + a.size() < rank ? 1 : a[i + a.size() - rank];
    const std::int64_t y = i + b.size() < rank ? 1 : b[i + b.size() - rank];
    if (x == y || y == 1) {
      shape[i] = x;
    } else if (x == 1 || x == -1) {
      shape[i] = y;
    } else if (y == -1) {
      shape[i] = x;
    } else {
      return mismatched("the shapes do not broadcast", to_string(a) + " with " + to_string(b));
    }
  }
  return shape;
}

std::int64_t saturating_product(std::int64_t a, std::int64_t b) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  return b != 0 && a > kMost / b ? kMost : a * b;
}

std::int64_t elements_an_image(const Shape& shape) {
  std::int64_t count = 1;
  for (std::size_t i = 1; i < shape.size(); ++i) count = saturating_product(count, std::max<std::int64_t>(shape[i], 0));
  return count;
}

std::int64_t no_macs(const Node&, Infos, Infos) { return 0; }

}  // namespace hedge::graph::internal

#include <algorithm>

#include "graph/internal/shape_rules.h"
#include "graph/window.h"

namespace hedge::graph::internal {
namespace {

Status require_image(const Node& node, Infos inputs) {
  HEDGE_CHECK(require_type(node, inputs, 0, DType::kF32));
  if (inputs[0].shape.size() == 4) return {};
  Error error = unsupported(input_name(node, 0) + " is not a batch of images; only 2-D windows are implemented");
  error.got = to_string(inputs[0].shape);
  error.expected = "[N, C, H, W]";
  return error;
}

/// kMismatch where two dimensions that must agree cannot.
Status require_equal(const char* what, std::int64_t a, std::int64_t b) {
  if (a == b || a == -1 || b == -1) return {};
  return mismatched(what, std::to_string(a), std::to_string(b));
}

struct GemmShape {
  std::int64_t rows, depth, depth_b, columns;
};

GemmShape gemm_shape(const Node& node, Infos inputs) {
  const bool flip_a = node.integer("transA", 0) != 0;
  const bool flip_b = node.integer("transB", 0) != 0;
  const Shape& a = inputs[0].shape;
  const Shape& b = inputs[1].shape;
  return {a[flip_a ? 1 : 0], a[flip_a ? 0 : 1], b[flip_b ? 1 : 0], b[flip_b ? 0 : 1]};
}

}  // namespace

Inferred infer_conv(const Node& node, Infos inputs) {
  HEDGE_CHECK(require_image(node, inputs));
  HEDGE_CHECK(require_type(node, inputs, 1, DType::kF32));
  HEDGE_CHECK(require_rank(node, inputs, 1, 4));
  const Shape& x = inputs[0].shape;
  const Shape& w = inputs[1].shape;
  const std::int64_t groups = node.integer("group", 1);
  if (std::any_of(w.begin(), w.end(), [](auto d) { return d <= 0; }))
    return mismatched("the weights have an empty or unknown dimension", to_string(w));
  if (groups < 1 || w[0] % groups != 0)
    return mismatched("group does not divide the output channels", std::to_string(groups), "a divisor of " + std::to_string(w[0]));
  if (x[1] != -1 && (x[1] % groups != 0 || x[1] / groups != w[1]))
    return mismatched("the weights do not fit the input's channels", to_string(w) + " in " + std::to_string(groups) + " groups",
                      std::to_string(x[1]) + " input channels");
  const auto kernel = node.integers("kernel_shape", {w[2], w[3]});
  if (kernel != std::vector{w[2], w[3]})
    return mismatched("kernel_shape is not the weights'", to_string(kernel), to_string(Shape{w[2], w[3]}));
  if (has_input(node, 2)) {
    HEDGE_CHECK(require_type(node, inputs, 2, DType::kF32));
    if (inputs[2].shape != Shape{w[0]})
      return mismatched("the bias does not fit the weights", to_string(inputs[2].shape), to_string(Shape{w[0]}));
  }
  HEDGE_TRY(const Window window, resolve_window(node, {w[2], w[3]}, x[2], x[3]));
  return std::vector{TensorInfo{DType::kF32, {x[0], w[0], window.output[0], window.output[1]}}};
}

Inferred infer_pool(const Node& node, Infos inputs) {
  HEDGE_CHECK(require_image(node, inputs));
  if (node.integer("storage_order", 0) != 0) return unsupported("MaxPool with storage_order 1");
  const Shape& x = inputs[0].shape;
  HEDGE_TRY(const Window window, resolve_window(node, x[2], x[3]));
  for (std::size_t axis = 0; axis < 2; ++axis)
    if (std::max(window.pads_begin[axis], window.pads_end[axis]) >= window.dilations[axis] * (window.kernel[axis] - 1) + 1)
      return mismatched("the padding is as large as the window", to_string(node.integers("pads", {})), "less than the kernel");
  return std::vector{TensorInfo{DType::kF32, {x[0], x[1], window.output[0], window.output[1]}}};
}

Inferred infer_global_pool(const Node& node, Infos inputs) {
  HEDGE_CHECK(require_image(node, inputs));
  const Shape& x = inputs[0].shape;
  if (x[2] == 0 || x[3] == 0) return mismatched("the image is empty", to_string(x));
  return std::vector{TensorInfo{DType::kF32, {x[0], x[1], 1, 1}}};
}

Inferred infer_gemm(const Node& node, Infos inputs) {
  for (std::size_t i = 0; i < 2; ++i) {
    HEDGE_CHECK(require_type(node, inputs, i, DType::kF32));
    HEDGE_CHECK(require_rank(node, inputs, i, 2));
  }
  const GemmShape shape = gemm_shape(node, inputs);
  HEDGE_CHECK(require_equal("the inner dimensions of A and B differ", shape.depth, shape.depth_b));
  const Shape product = {shape.rows, shape.columns};
  if (has_input(node, 2)) {
    HEDGE_CHECK(require_type(node, inputs, 2, DType::kF32));
    HEDGE_TRY(const Shape sum, broadcast(inputs[2].shape, product));
    if (sum != product) return mismatched("the bias does not broadcast to the product", to_string(inputs[2].shape), to_string(product));
  }
  return std::vector{TensorInfo{DType::kF32, product}};
}

Inferred infer_matmul(const Node& node, Infos inputs) {
  for (std::size_t i = 0; i < 2; ++i) {
    HEDGE_CHECK(require_type(node, inputs, i, DType::kF32));
    if (inputs[i].shape.size() < 2) return unsupported(input_name(node, i) + " is a vector; only matrices are implemented");
  }
  const Shape& a = inputs[0].shape;
  const Shape& b = inputs[1].shape;
  HEDGE_CHECK(require_equal("the inner dimensions differ", a.back(), b[b.size() - 2]));
  HEDGE_TRY(Shape shape, broadcast(Shape(a.begin(), a.end() - 2), Shape(b.begin(), b.end() - 2)));
  shape.push_back(a[a.size() - 2]);
  shape.push_back(b.back());
  return std::vector{TensorInfo{DType::kF32, std::move(shape)}};
}

std::int64_t conv_macs(const Node&, Infos inputs, Infos outputs) {
  const Shape& w = inputs[1].shape;
  return saturating_product(elements_an_image(outputs[0].shape), elements_an_image(w));
}

std::int64_t gemm_macs(const Node& node, Infos inputs, Infos outputs) {
  const GemmShape shape = gemm_shape(node, inputs);
  return saturating_product(elements_an_image(outputs[0].shape), std::max(shape.depth, shape.depth_b));
}

std::int64_t matmul_macs(const Node&, Infos inputs, Infos outputs) {
  const std::int64_t depth = std::max(inputs[0].shape.back(), inputs[1].shape[inputs[1].shape.size() - 2]);
  return saturating_product(elements_an_image(outputs[0].shape), std::max<std::int64_t>(depth, 0));
}

}  // namespace hedge::graph::internal

#include "train/internal/kernel_parts.h"

namespace hedge::train::internal {
namespace {

/// A scale or zero point, one or one an index of `axis`, in `x`'s shape to compute with and in its floating type.
torch::Tensor along(const torch::Tensor& parameter, const torch::Tensor& x, std::int64_t axis, torch::ScalarType type) {
  auto value = parameter.to(type);
  if (value.numel() == 1) return value.reshape({});
  Integers shape(static_cast<std::size_t>(x.dim()), 1);
  shape[static_cast<std::size_t>(axis < 0 ? axis + x.dim() : axis)] = value.numel();
  return value.reshape(shape);
}

/// Rounds (ties to even, as ONNX says), adds the zero point and saturates. The gradient passes as if it did not round, and nowhere where
/// the value saturates; the lowest and the highest level do not. (x + (round(x) - x).detach() is not always whole, and at::clamp's gradient
/// at its bounds is not the same in every libtorch.)
struct Levels : torch::autograd::Function<Levels> {
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& x, const torch::Tensor& zero, double low,
                               double high) {
    const auto levels = at::round(x) + zero;
    context->save_for_backward({levels.ge(low).logical_and(levels.le(high))});
    return at::clamp(levels, low, high);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    return {gradients[0] * context->get_saved_variables()[0], {}, {}, {}};
  }
};

}  // namespace

/// Quantised values stay in a floating type inside, so that a gradient passes: straight through the rounding (Bengio et al. 2013), nowhere
/// where the value saturates.
Result<Kernel> bind_quantize(const Node& node, const Graph& graph) {
  const auto axis = node.integer("axis", 1);
  const bool has_zero = has_input(node, 2);
  bool is_signed = false;
  if (has_zero) {
    const auto zero = graph.initializers.find(node.inputs[2]);
    if (zero == graph.initializers.end()) return unsupported(node, "the zero point must be constant");
    is_signed = zero->second.dtype() == DType::kI8;
  }
  const double low = is_signed ? -128 : 0, high = is_signed ? 127 : 255;
  return over(has_zero ? 3 : 2, [=](const Tensors& x, bool) {
    const auto type = x[1].scalar_type();
    const auto zero = has_zero ? along(x[2], x[0], axis, type) : torch::zeros({}, type);
    return Tensors{Levels::apply(x[0].to(type) / along(x[1], x[0], axis, type), zero, low, high)};
  });
}

Result<Kernel> bind_dequantize(const Node& node, const Graph&) {
  const auto axis = node.integer("axis", 1);
  const bool has_zero = has_input(node, 2);
  return over(has_zero ? 3 : 2, [=](const Tensors& x, bool) {
    const auto type = x[1].scalar_type();
    auto value = x[0].to(type);
    if (has_zero) value = value - along(x[2], x[0], axis, type);
    return Tensors{value * along(x[1], x[0], axis, type)};
  });
}

}  // namespace hedge::train::internal

#include <cmath>

#include "graph/internal/shape_rules.h"

namespace hedge::graph::internal {
namespace {

bool one_or_vector(const Shape& shape) { return shape.empty() || shape.size() == 1; }

/// Input 1, the scale: constant, positive and finite; one number, or one for each index of `axis`.
Status check_scale(const Node& node, Infos inputs) {
  HEDGE_CHECK(require_type(node, inputs, 1, DType::kF32));
  const TensorInfo& scale = inputs[1];
  if (scale.constant == nullptr) return unsupported(input_name(node, 1) + ", the scale, is computed; only a constant is implemented");
  if (!one_or_vector(scale.shape))
    return mismatched(input_name(node, 1) + ", the scale, is no number and no vector", to_string(scale.shape));
  for (const float value : scale.constant->data<float>())
    if (!(value > 0) || !std::isfinite(value))
      return mismatched(input_name(node, 1) + ", the scale, must be positive", std::to_string(value), "a finite number above 0");
  if (scale.constant->num_elements() == 1) return {};
  const Shape& shape = inputs[0].shape;
  HEDGE_TRY(const std::size_t axis, resolve_axis(node.integer("axis", 1), shape.size()));
  if (scale.shape[0] != shape[axis])
    return mismatched(input_name(node, 1) + " does not have one scale for each index of axis " + std::to_string(axis),
                      to_string(scale.shape), to_string(Shape{shape[axis]}));
  return {};
}

/// Input 2, where given: constant, of the quantised type, as many as there are scales.
Status check_zero_point(const Node& node, Infos inputs, DType quantized) {
  if (!has_input(node, 2)) return {};
  HEDGE_CHECK(require_type(node, inputs, 2, quantized));
  if (inputs[2].constant == nullptr)
    return unsupported(input_name(node, 2) + ", the zero point, is computed; only a constant is implemented");
  if (!one_or_vector(inputs[2].shape) || inputs[2].constant->num_elements() != inputs[1].constant->num_elements())
    return mismatched(input_name(node, 2) + " does not have one zero point a scale", to_string(inputs[2].shape),
                      to_string(inputs[1].shape));
  return {};
}

}  // namespace

Inferred infer_quantize(const Node& node, Infos inputs) {
  HEDGE_CHECK(require_type(node, inputs, 0, DType::kF32));
  HEDGE_CHECK(check_scale(node, inputs));
  const DType quantized = has_input(node, 2) ? inputs[2].dtype : DType::kU8;
  if (quantized != DType::kU8 && quantized != DType::kI8)
    return unsupported("QuantizeLinear to " + std::string(to_string(quantized)) + "; only u8 and i8 are implemented");
  HEDGE_CHECK(check_zero_point(node, inputs, quantized));
  return std::vector{TensorInfo{quantized, inputs[0].shape}};
}

Inferred infer_dequantize(const Node& node, Infos inputs) {
  const DType quantized = inputs[0].dtype;
  if (quantized != DType::kU8 && quantized != DType::kI8 && quantized != DType::kI32)
    return unsupported("DequantizeLinear of " + std::string(to_string(quantized)) + "; only u8, i8 and i32 are implemented");
  HEDGE_CHECK(check_scale(node, inputs));
  HEDGE_CHECK(check_zero_point(node, inputs, quantized));
  return std::vector{TensorInfo{DType::kF32, inputs[0].shape}};
}

}  // namespace hedge::graph::internal

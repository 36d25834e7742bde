#include "graph/internal/shape_rules.h"

namespace hedge::graph::internal {
namespace {

TensorInfo same(const TensorInfo& input) { return {input.dtype, input.shape, nullptr}; }

/// ONNX's TensorProto.DataType codes, which Cast's attribute `to` carries.
Result<DType> cast_target(std::int64_t code) {
  switch (code) {
    case 1: return DType::kF32;
    case 2: return DType::kU8;
    case 3: return DType::kI8;
    case 6: return DType::kI32;
    case 7: return DType::kI64;
    case 9: return DType::kBool;
    default: break;
  }
  Error error = unsupported("a cast to an element type that is not implemented");
  error.got = "ONNX type " + std::to_string(code);
  error.expected = "1 (f32), 2 (u8), 3 (i8), 6 (i32), 7 (i64) or 9 (bool)";
  return error;
}

}  // namespace

Inferred infer_same_f32(const Node& node, Infos inputs) {
  HEDGE_CHECK(require_type(node, inputs, 0, DType::kF32));
  return std::vector{same(inputs[0])};
}

Inferred infer_same(const Node&, Infos inputs) {
  TensorInfo output = same(inputs[0]);
  output.constant = inputs[0].constant;
  return std::vector{output};
}

Inferred infer_broadcast(const Node& node, Infos inputs) {
  HEDGE_CHECK(require_type(node, inputs, 0, DType::kF32));
  HEDGE_CHECK(require_type(node, inputs, 1, DType::kF32));
  HEDGE_TRY(Shape shape, broadcast(inputs[0].shape, inputs[1].shape));
  return std::vector{TensorInfo{DType::kF32, std::move(shape)}};
}

Inferred infer_clip(const Node& node, Infos inputs) {
  HEDGE_CHECK(require_type(node, inputs, 0, DType::kF32));
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    if (!has_input(node, i)) continue;
    HEDGE_CHECK(require_type(node, inputs, i, DType::kF32));
    if (inputs[i].constant == nullptr) return unsupported(input_name(node, i) + ", a bound, is computed; only a constant is implemented");
    if (inputs[i].constant->num_elements() != 1)
      return mismatched(input_name(node, i) + ", a bound, is not one number", to_string(inputs[i].shape));
  }
  return std::vector{same(inputs[0])};
}

Inferred infer_dropout(const Node& node, Infos inputs) {
  if (has_input(node, 2)) {
    if (inputs[2].constant == nullptr || inputs[2].constant->dtype() != DType::kBool || inputs[2].constant->num_elements() != 1)
      return unsupported("Dropout's training_mode must be one constant bool");
    if (inputs[2].constant->bytes()[0] != std::byte{0})
      return unsupported("Dropout in training mode", "export the model for inference (eval mode)");
  }
  HEDGE_CHECK(require_type(node, inputs, 0, DType::kF32));
  return std::vector{same(inputs[0])};
}

Inferred infer_softmax(const Node& node, Infos inputs) {
  HEDGE_CHECK(require_type(node, inputs, 0, DType::kF32));
  HEDGE_TRY([[maybe_unused]] const std::size_t axis, resolve_axis(node.integer("axis", -1), inputs[0].shape.size()));
  return std::vector{same(inputs[0])};
}

Inferred infer_cast(const Node& node, Infos inputs) {
  HEDGE_TRY(const DType target, cast_target(node.integer("to", 0)));
  return std::vector{TensorInfo{target, inputs[0].shape}};
}

Inferred infer_batch_norm(const Node& node, Infos inputs) {
  if (node.integer("training_mode", 0) != 0)
    return unsupported("BatchNormalization in training mode", "export the model for inference (eval mode)");
  for (std::size_t i = 0; i < inputs.size(); ++i) HEDGE_CHECK(require_type(node, inputs, i, DType::kF32));
  const Shape& shape = inputs[0].shape;
  if (shape.size() < 2) return mismatched(input_name(node, 0) + " has no channels", to_string(shape), "[N, C, ...]");
  for (std::size_t i = 1; i < inputs.size(); ++i)
    if (inputs[i].shape.size() != 1 || (shape[1] != -1 && inputs[i].shape[0] != shape[1]))
      return mismatched(input_name(node, i) + " does not have one value a channel", to_string(inputs[i].shape), to_string(Shape{shape[1]}));
  return std::vector{same(inputs[0])};
}

}  // namespace hedge::graph::internal

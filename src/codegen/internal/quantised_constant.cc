#include "codegen/internal/quantised_constant.h"

#include <algorithm>

namespace hedge::codegen::internal {
namespace {

std::vector<std::int32_t> integers(const Tensor& tensor) {
  std::vector<std::int32_t> values;
  const auto copy = [&](auto from) { values.assign(from.begin(), from.end()); };
  switch (tensor.dtype()) {
    case DType::kI8: copy(tensor.data<std::int8_t>()); break;
    case DType::kU8: copy(tensor.data<std::uint8_t>()); break;
    case DType::kI32: copy(tensor.data<std::int32_t>()); break;
    default: break;
  }
  return values;
}

std::vector<std::int32_t> zero_points_of(const graph::Graph& graph, const graph::Node& node, std::size_t scales) {
  if (node.inputs.size() < 3 || node.inputs[2].empty()) return std::vector<std::int32_t>(scales, 0);
  return integers(graph.initializers.at(node.inputs[2]));
}

}  // namespace

bool QuantisedConstant::symmetric() const {
  return std::all_of(zero_points.begin(), zero_points.end(), [](std::int32_t z) { return z == 0; });
}

std::string where_of(const graph::Node& node) { return "node " + node.name + " (" + node.op + ")"; }

Result<Scaling> scaling_of(const graph::Graph& graph, const graph::Node& node) {
  const Tensor& scale = graph.initializers.at(node.inputs[1]);
  if (scale.num_elements() != 1)
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "an activation with a scale a channel; only one scale is implemented",
                 .where = where_of(node),
                 .got = std::to_string(scale.num_elements()) + " scales"};
  return Scaling{scale.data<float>()[0], zero_points_of(graph, node, 1)[0]};
}

QuantisedConstant constant_of(const graph::Graph& graph, const graph::Node& node) {
  QuantisedConstant constant;
  constant.values = &graph.initializers.at(node.inputs[0]);
  const auto scales = graph.initializers.at(node.inputs[1]).data<float>();
  constant.scales.assign(scales.begin(), scales.end());
  constant.zero_points = zero_points_of(graph, node, scales.size());
  constant.axis = node.integer("axis", 1);
  if (constant.axis < 0) constant.axis += static_cast<std::int64_t>(constant.values->shape().size());
  return constant;
}

}  // namespace hedge::codegen::internal

#include "train/internal/kernel_parts.h"

namespace hedge::train::internal {

Error unsupported(const Node& node, std::string what) {
  return {.code = ErrorCode::kUnsupported, .what = std::move(what), .where = "node " + node.name + " (" + node.op + ")"};
}

Result<Integers> constant_integers(const Node& node, const Graph& graph, std::size_t index) {
  const auto it = graph.initializers.find(node.inputs[index]);
  if (it == graph.initializers.end()) return unsupported(node, "the input " + node.inputs[index] + " must be constant");
  const Tensor& tensor = it->second;
  if (tensor.dtype() == DType::kI64) {
    const auto values = tensor.data<std::int64_t>();
    return Integers(values.begin(), values.end());
  }
  if (tensor.dtype() == DType::kI32) {
    const auto values = tensor.data<std::int32_t>();
    return Integers(values.begin(), values.end());
  }
  return unsupported(node, "the input " + node.inputs[index] + " must hold integers");
}

Result<double> constant_number(const Node& node, const Graph& graph, std::size_t index) {
  const auto it = graph.initializers.find(node.inputs[index]);
  if (it == graph.initializers.end() || it->second.dtype() != DType::kF32 || it->second.num_elements() != 1)
    return unsupported(node, "the input " + node.inputs[index] + " must be a constant f32 scalar");
  return static_cast<double>(it->second.data<float>()[0]);
}

Result<Integers> axes_of(const Node& node, const Graph& graph) {
  if (has_input(node, 1)) return constant_integers(node, graph, 1);
  return node.integers("axes", {});
}

Kernel over(std::size_t inputs, std::function<Tensors(const Tensors&, bool)> run) {
  Kernel kernel;
  for (std::size_t i = 0; i < inputs; ++i) kernel.tensor_inputs.push_back(i);
  kernel.run = std::move(run);
  return kernel;
}

Kernel unary(torch::Tensor (*f)(const torch::Tensor&)) {
  return over(1, [f](const Tensors& x, bool) { return Tensors{f(x[0])}; });
}

Kernel binary(torch::Tensor (*f)(const torch::Tensor&, const torch::Tensor&)) {
  return over(2, [f](const Tensors& x, bool) { return Tensors{f(x[0], x[1])}; });
}

}  // namespace hedge::train::internal

#include "train/internal/kernel_parts.h"

#include <map>

namespace hedge::train::internal {

Result<Kernel> bind_batch_norm(const Node& node, const Graph&) {
  const double epsilon = static_cast<double>(node.number("epsilon", 1e-5F));
  const double momentum = 1.0 - static_cast<double>(node.number("momentum", 0.9F));  // torch's is the new value's share
  return over(5, [=](const Tensors& x, bool training) {
    return Tensors{at::batch_norm(x[0], x[1], x[2], x[3], x[4], training, momentum, epsilon, false)};
  });
}

Result<Kernel> bind_clip(const Node& node, const Graph& graph) {
  c10::optional<at::Scalar> low;
  c10::optional<at::Scalar> high;
  if (has_input(node, 1)) {
    HEDGE_TRY(const double value, constant_number(node, graph, 1));
    low = value;
  }
  if (has_input(node, 2)) {
    HEDGE_TRY(const double value, constant_number(node, graph, 2));
    high = value;
  }
  if (!low && !high) return unary([](const torch::Tensor& x) { return x; });
  // hardtanh's backward is the faster one, but has no bf16 kernel on CPUs in libtorch 1.13 (nor has relu6's).
  const bool both = low && high && low->toDouble() < high->toDouble();
  return over(1, [=](const Tensors& x, bool) {
    return Tensors{both && x[0].scalar_type() == at::kFloat ? at::hardtanh(x[0], *low, *high) : at::clamp(x[0], low, high)};
  });
}

Result<Kernel> bind_hard_sigmoid(const Node& node, const Graph&) {
  const double alpha = static_cast<double>(node.number("alpha", 0.2F));
  const double beta = static_cast<double>(node.number("beta", 0.5F));
  return over(1, [=](const Tensors& x, bool) { return Tensors{at::clamp(x[0] * alpha + beta, 0, 1)}; });
}

Result<Kernel> bind_leaky_relu(const Node& node, const Graph&) {
  const double alpha = static_cast<double>(node.number("alpha", 0.01F));
  return over(1, [=](const Tensors& x, bool) { return Tensors{at::leaky_relu(x[0], alpha)}; });
}

Result<Kernel> bind_cast(const Node& node, const Graph&) {
  constexpr std::int64_t kOnnxFloat = 1, kOnnxUint8 = 2, kOnnxInt8 = 3, kOnnxInt32 = 6, kOnnxInt64 = 7, kOnnxBool = 9;
  const std::map<std::int64_t, torch::ScalarType> types = {{kOnnxFloat, torch::kFloat}, {kOnnxUint8, torch::kByte},
                                                           {kOnnxInt8, torch::kChar},   {kOnnxInt32, torch::kInt},
                                                           {kOnnxInt64, torch::kLong},  {kOnnxBool, torch::kBool}};
  const auto it = types.find(node.integer("to", 0));
  if (it == types.end()) return unsupported(node, "cast to an element type that is not supported");
  const auto type = it->second;
  // A cast of floats to f32 keeps the working precision: training may run in double or under autocast.
  return over(1,
              [type](const Tensors& x, bool) { return Tensors{type == torch::kFloat && x[0].is_floating_point() ? x[0] : x[0].to(type)}; });
}

Result<Kernel> bind_softmax(const Node& node, const Graph&) {
  const auto axis = node.integer("axis", -1);
  return over(1, [axis](const Tensors& x, bool) { return Tensors{at::softmax(x[0], axis)}; });
}

Result<Kernel> bind_log_softmax(const Node& node, const Graph&) {
  const auto axis = node.integer("axis", -1);
  return over(1, [axis](const Tensors& x, bool) { return Tensors{at::log_softmax(x[0], axis)}; });
}

}  // namespace hedge::train::internal

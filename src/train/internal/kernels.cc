#include "train/internal/kernels.h"

#include <map>

#include "train/internal/kernel_parts.h"

namespace hedge::train::internal {
namespace {

using Binder = Result<Kernel> (*)(const Node&, const Graph&);

#define HEDGE_UNARY(expression) \
  [](const Node&, const Graph&) -> Result<Kernel> { return unary([](const torch::Tensor& x) -> torch::Tensor { return expression; }); }
#define HEDGE_BINARY(expression)                                                                               \
  [](const Node&, const Graph&) -> Result<Kernel> {                                                            \
    return binary([](const torch::Tensor& a, const torch::Tensor& b) -> torch::Tensor { return expression; }); \
  }
#define HEDGE_REDUCE(expression)                                                                                                          \
  [](const Node& node, const Graph& graph) {                                                                                              \
    return bind_reduce(node, graph, [](const torch::Tensor& x, const Integers& axes, bool keep) -> torch::Tensor { return expression; }); \
  }

const std::map<std::string, Binder>& binders() {
  static const std::map<std::string, Binder> table = {
      {"Add", HEDGE_BINARY(a + b)},
      {"AveragePool", bind_average_pool},
      {"BatchNormalization", bind_batch_norm},
      {"Cast", bind_cast},
      {"Clip", bind_clip},
      {"Concat", bind_concat},
      {"Conv", bind_conv},
      {"DequantizeLinear", bind_dequantize},
      {"Div", HEDGE_BINARY(a / b)},
      {"Dropout", HEDGE_UNARY(x)},
      {"Exp", HEDGE_UNARY(at::exp(x))},
      {"Flatten", bind_flatten},
      {"Gather", bind_gather},
      {"Gemm", bind_gemm},
      {"GlobalAveragePool", HEDGE_UNARY(at::mean(x, {2, 3}, true))},
      {"HardSigmoid", bind_hard_sigmoid},
      {"HardSwish", HEDGE_UNARY(at::hardswish(x))},
      {"Identity", HEDGE_UNARY(x)},
      {"LeakyRelu", bind_leaky_relu},
      {"Log", HEDGE_UNARY(at::log(x))},
      {"LogSoftmax", bind_log_softmax},
      {"MatMul", HEDGE_BINARY(at::matmul(a, b))},
      {"Max", HEDGE_BINARY(at::maximum(a, b))},
      {"MaxPool", bind_max_pool},
      {"Min", HEDGE_BINARY(at::minimum(a, b))},
      {"Mul", HEDGE_BINARY(a * b)},
      {"Neg", HEDGE_UNARY(-x)},
      {"Pad", bind_pad},
      {"QuantizeLinear", bind_quantize},
      {"ReduceLogSumExp", HEDGE_REDUCE(at::logsumexp(x, axes, keep))},
      {"ReduceMax", HEDGE_REDUCE(at::amax(x, axes, keep))},
      {"ReduceMean", HEDGE_REDUCE(at::mean(x, axes, keep))},
      {"ReduceSum", HEDGE_REDUCE(at::sum(x, axes, keep))},
      {"Relu", HEDGE_UNARY(at::relu(x))},
      {"Reshape", bind_reshape},
      {"Sigmoid", HEDGE_UNARY(at::sigmoid(x))},
      {"Slice", bind_slice},
      {"Softmax", bind_softmax},
      {"Sqrt", HEDGE_UNARY(at::sqrt(x))},
      {"Squeeze", bind_squeeze},
      {"Sub", HEDGE_BINARY(a - b)},
      {"Tanh", HEDGE_UNARY(at::tanh(x))},
      {"TopK", bind_top_k},
      {"Transpose", bind_transpose},
      {"Unsqueeze", bind_unsqueeze},
  };
  return table;
}

}  // namespace

bool has_kernel(const std::string& op) { return binders().count(op) != 0; }

Result<Kernel> bind_kernel(const Node& node, const Graph& graph) {
  const auto it = binders().find(node.op);
  if (it == binders().end()) return unsupported(node, "libtorch has no kernel for this operator here");
  return it->second(node, graph);
}

}  // namespace hedge::train::internal

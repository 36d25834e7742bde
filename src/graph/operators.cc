#include "graph/operators.h"

#include <algorithm>

#include "graph/internal/shape_rules.h"

namespace hedge::graph {
namespace {

using namespace internal;

std::vector<OperatorInfo> make_table() {
  const std::vector<std::string> conv = {"auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"};
  const std::vector<std::string> max_pool = {"auto_pad", "ceil_mode", "dilations", "kernel_shape", "pads", "storage_order", "strides"};
  const std::vector<std::string> average_pool = {"auto_pad", "ceil_mode", "count_include_pad", "kernel_shape", "pads", "strides"};
  const std::vector<std::string> batch_norm = {"epsilon", "momentum", "training_mode"};
  // name, inputs (least, most), outputs (least, most), attributes, shape rule, MACs; sorted by name
  return {
      {"Add", 2, 2, 1, 1, {}, infer_broadcast, no_macs},
      {"AveragePool", 1, 1, 1, 1, average_pool, infer_pool, no_macs},
      {"BatchNormalization", 5, 5, 1, 1, batch_norm, infer_batch_norm, no_macs},
      {"Cast", 1, 1, 1, 1, {"to"}, infer_cast, no_macs},
      {"Clip", 1, 3, 1, 1, {}, infer_clip, no_macs},
      {"Concat", 1, 1 << 16, 1, 1, {"axis"}, infer_concat, no_macs},
      {"Conv", 2, 3, 1, 1, conv, infer_conv, conv_macs},
      {"DequantizeLinear", 2, 3, 1, 1, {"axis"}, infer_dequantize, no_macs},
      {"Div", 2, 2, 1, 1, {}, infer_broadcast, no_macs},
      {"Dropout", 1, 3, 1, 1, {"seed"}, infer_dropout, no_macs},
      {"Exp", 1, 1, 1, 1, {}, infer_same_f32, no_macs},
      {"Flatten", 1, 1, 1, 1, {"axis"}, infer_flatten, no_macs},
      {"Gather", 2, 2, 1, 1, {"axis"}, infer_gather, no_macs},
      {"Gemm", 2, 3, 1, 1, {"alpha", "beta", "transA", "transB"}, infer_gemm, gemm_macs},
      {"GlobalAveragePool", 1, 1, 1, 1, {}, infer_global_pool, no_macs},
      {"HardSigmoid", 1, 1, 1, 1, {"alpha", "beta"}, infer_same_f32, no_macs},
      {"HardSwish", 1, 1, 1, 1, {}, infer_same_f32, no_macs},
      {"Identity", 1, 1, 1, 1, {}, infer_same, no_macs},
      {"LeakyRelu", 1, 1, 1, 1, {"alpha"}, infer_same_f32, no_macs},
      {"Log", 1, 1, 1, 1, {}, infer_same_f32, no_macs},
      {"LogSoftmax", 1, 1, 1, 1, {"axis"}, infer_softmax, no_macs},
      {"MatMul", 2, 2, 1, 1, {}, infer_matmul, matmul_macs},
      {"Max", 2, 2, 1, 1, {}, infer_broadcast, no_macs},
      {"MaxPool", 1, 1, 1, 1, max_pool, infer_pool, no_macs},
      {"Min", 2, 2, 1, 1, {}, infer_broadcast, no_macs},
      {"Mul", 2, 2, 1, 1, {}, infer_broadcast, no_macs},
      {"Neg", 1, 1, 1, 1, {}, infer_same_f32, no_macs},
      {"Pad", 2, 3, 1, 1, {"mode"}, infer_pad, no_macs},
      {"QuantizeLinear", 2, 3, 1, 1, {"axis"}, infer_quantize, no_macs},
      {"ReduceLogSumExp", 1, 1, 1, 1, {"axes", "keepdims"}, infer_reduce, no_macs},
      {"ReduceMax", 1, 1, 1, 1, {"axes", "keepdims"}, infer_reduce, no_macs},
      {"ReduceMean", 1, 1, 1, 1, {"axes", "keepdims"}, infer_reduce, no_macs},
      {"ReduceSum", 1, 2, 1, 1, {"keepdims", "noop_with_empty_axes"}, infer_reduce_sum, no_macs},
      {"Relu", 1, 1, 1, 1, {}, infer_same_f32, no_macs},
      {"Reshape", 2, 2, 1, 1, {"allowzero"}, infer_reshape, no_macs},
      {"Sigmoid", 1, 1, 1, 1, {}, infer_same_f32, no_macs},
      {"Slice", 3, 5, 1, 1, {}, infer_slice, no_macs},
      {"Softmax", 1, 1, 1, 1, {"axis"}, infer_softmax, no_macs},
      {"Sqrt", 1, 1, 1, 1, {}, infer_same_f32, no_macs},
      {"Squeeze", 1, 2, 1, 1, {}, infer_squeeze, no_macs},
      {"Sub", 2, 2, 1, 1, {}, infer_broadcast, no_macs},
      {"Tanh", 1, 1, 1, 1, {}, infer_same_f32, no_macs},
      {"TopK", 2, 2, 2, 2, {"axis", "largest", "sorted"}, infer_top_k, no_macs},
      {"Transpose", 1, 1, 1, 1, {"perm"}, infer_transpose, no_macs},
      {"Unsqueeze", 2, 2, 1, 1, {}, infer_unsqueeze, no_macs},
  };
}

}  // namespace

std::span<const OperatorInfo> operator_table() {
  static const std::vector<OperatorInfo> table = make_table();
  return table;
}

const OperatorInfo* find_operator(const std::string& name) {
  const auto table = operator_table();
  const auto found =
      std::lower_bound(table.begin(), table.end(), name, [](const OperatorInfo& row, const std::string& n) { return row.name < n; });
  return found != table.end() && found->name == name ? &*found : nullptr;
}

}  // namespace hedge::graph

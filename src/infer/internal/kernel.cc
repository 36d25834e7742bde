#include "infer/internal/kernel.h"

#include <algorithm>
#include <array>

namespace hedge::infer::internal {
namespace {

struct Row {
  std::string_view op;
  Kernel kernel;
};

constexpr auto kRows = std::to_array<Row>({
    {"Add", run_add},
    {"AveragePool", run_average_pool},
    {"BatchNormalization", run_batch_norm},
    {"Cast", run_cast},
    {"Clip", run_clip},
    {"Concat", run_concat},
    {"Conv", run_conv},
    {"DequantizeLinear", run_dequantize},
    {"Div", run_div},
    {"Dropout", run_dropout},
    {"Exp", run_exp},
    {"Flatten", run_copy},
    {"Gather", run_gather},
    {"Gemm", run_gemm},
    {"GlobalAveragePool", run_global_average_pool},
    {"HardSigmoid", run_hard_sigmoid},
    {"HardSwish", run_hard_swish},
    {"Identity", run_copy},
    {"LeakyRelu", run_leaky_relu},
    {"Log", run_log},
    {"LogSoftmax", run_log_softmax},
    {"MatMul", run_matmul},
    {"Max", run_max},
    {"MaxPool", run_max_pool},
    {"Min", run_min},
    {"Mul", run_mul},
    {"Neg", run_neg},
    {"Pad", run_pad},
    {"QuantizeLinear", run_quantize},
    {"ReduceLogSumExp", run_reduce_log_sum_exp},
    {"ReduceMax", run_reduce_max},
    {"ReduceMean", run_reduce_mean},
    {"ReduceSum", run_reduce_sum},
    {"Relu", run_relu},
    {"Reshape", run_copy},
    {"Sigmoid", run_sigmoid},
    {"Slice", run_slice},
    {"Softmax", run_softmax},
    {"Sqrt", run_sqrt},
    {"Squeeze", run_copy},
    {"Sub", run_sub},
    {"Tanh", run_tanh},
    {"TopK", run_top_k},
    {"Transpose", run_transpose},
    {"Unsqueeze", run_copy},
});

}  // namespace

Kernel find_kernel(std::string_view op) {
  const auto row = std::find_if(kRows.begin(), kRows.end(), [&](const Row& candidate) { return candidate.op == op; });
  return row == kRows.end() ? nullptr : row->kernel;
}

std::vector<std::int64_t> KernelCall::integers(std::size_t i) const {
  const Tensor& tensor = *inputs[i];
  if (tensor.dtype() == DType::kI32) {
    const auto values = tensor.data<std::int32_t>();
    return {values.begin(), values.end()};
  }
  const auto values = tensor.data<std::int64_t>();
  return {values.begin(), values.end()};
}

}  // namespace hedge::infer::internal

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "hedge/tensor.h"

namespace hedge::infer::internal {

/// One application of an operator. The operator table's shape rule has accepted the inputs' shapes as they are and `outputs`
/// have the shapes and types it gave, filled with zeros; so a kernel cannot fail and checks nothing.
struct KernelCall {
  const graph::Node& node;
  std::span<const Tensor* const> inputs;  ///< nullptr: an optional input that was left out
  std::span<Tensor> outputs;

  /// Input `i`, or nullptr where it is left out.
  [[nodiscard]] const Tensor* optional(std::size_t i) const { return i < inputs.size() ? inputs[i] : nullptr; }
  /// Input `i` as float values. Precondition: it is there.
  [[nodiscard]] std::span<const float> floats(std::size_t i) const { return inputs[i]->data<float>(); }
  /// The integers of input `i` (axes, starts, a shape, …).
  [[nodiscard]] std::vector<std::int64_t> integers(std::size_t i) const;
};

using Kernel = void (*)(const KernelCall&);

/// The naive kernel of an operator, or nullptr.
Kernel find_kernel(std::string_view op);

// The kernels, a family a file; each follows the ONNX operator of its name at opset 17.

// kernels_elementwise.cc
void run_relu(const KernelCall& call);
void run_clip(const KernelCall& call);
void run_sigmoid(const KernelCall& call);
void run_hard_sigmoid(const KernelCall& call);
void run_hard_swish(const KernelCall& call);
void run_leaky_relu(const KernelCall& call);
void run_tanh(const KernelCall& call);
void run_neg(const KernelCall& call);
void run_exp(const KernelCall& call);
void run_log(const KernelCall& call);
void run_sqrt(const KernelCall& call);
void run_add(const KernelCall& call);
void run_sub(const KernelCall& call);
void run_mul(const KernelCall& call);
void run_div(const KernelCall& call);
void run_min(const KernelCall& call);
void run_max(const KernelCall& call);
void run_batch_norm(const KernelCall& call);
void run_cast(const KernelCall& call);

// kernels_window.cc
void run_conv(const KernelCall& call);
void run_max_pool(const KernelCall& call);
void run_average_pool(const KernelCall& call);
void run_global_average_pool(const KernelCall& call);

// kernels_matrix.cc
void run_gemm(const KernelCall& call);
void run_matmul(const KernelCall& call);

// kernels_reduce.cc
void run_reduce_mean(const KernelCall& call);
void run_reduce_sum(const KernelCall& call);
void run_reduce_max(const KernelCall& call);
void run_reduce_log_sum_exp(const KernelCall& call);
void run_softmax(const KernelCall& call);
void run_log_softmax(const KernelCall& call);
void run_top_k(const KernelCall& call);

// kernels_layout.cc
void run_copy(const KernelCall& call);  ///< the same bytes under another shape
void run_dropout(const KernelCall& call);
void run_concat(const KernelCall& call);
void run_transpose(const KernelCall& call);
void run_pad(const KernelCall& call);
void run_slice(const KernelCall& call);
void run_gather(const KernelCall& call);

// kernels_quantize.cc
void run_quantize(const KernelCall& call);
void run_dequantize(const KernelCall& call);

}  // namespace hedge::infer::internal

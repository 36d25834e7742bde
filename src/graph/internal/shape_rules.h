#pragma once

#include <span>
#include <string>
#include <vector>

#include "graph/operators.h"

/// The shape rules and costs behind the operator table, a family a file. Arity and attribute types are checked before.
namespace hedge::graph::internal {

using Infos = std::span<const TensorInfo>;
using Inferred = Result<std::vector<TensorInfo>>;

// Shared by the families (shape_rules.cc).
Error mismatched(std::string what, std::string got = {}, std::string expected = {});
Error unsupported(std::string what, std::string hint = {});
/// "input 1 (NAME)", for messages.
std::string input_name(const Node& node, std::size_t i);
bool has_input(const Node& node, std::size_t i);
/// kUnsupported where input `i` is of another element type.
Status require_type(const Node& node, Infos inputs, std::size_t i, DType dtype);
/// kMismatch where input `i` has another rank.
Status require_rank(const Node& node, Infos inputs, std::size_t i, std::size_t rank);
/// The constant integers of input `i`. Errors: kUnsupported where it is computed; kMismatch another type.
Result<std::vector<std::int64_t>> constant_integers(const Node& node, Infos inputs, std::size_t i);
/// `axis` counted from the front. Errors: kMismatch outside [-rank, rank).
Result<std::size_t> resolve_axis(std::int64_t axis, std::size_t rank);
/// The same for a list, sorted. Errors: kMismatch also for a repeated axis.
Result<std::vector<std::size_t>> resolve_axes(const std::vector<std::int64_t>& axes, std::size_t rank);
/// numpy's broadcasting; -1 meets 1 as -1 and k as k.
Result<Shape> broadcast(const Shape& a, const Shape& b);
/// a * b without overflow: capped at the largest 64-bit integer. Preconditions: both >= 0.
std::int64_t saturating_product(std::int64_t a, std::int64_t b);
/// Elements of one image of `shape`: the first dimension, the batch, counts as 1.
std::int64_t elements_an_image(const Shape& shape);

std::int64_t no_macs(const Node&, Infos, Infos);

// Element by element (rules_elementwise.cc).
Inferred infer_same_f32(const Node& node, Infos inputs);
Inferred infer_same(const Node& node, Infos inputs);
Inferred infer_broadcast(const Node& node, Infos inputs);
Inferred infer_clip(const Node& node, Infos inputs);
Inferred infer_dropout(const Node& node, Infos inputs);
Inferred infer_softmax(const Node& node, Infos inputs);
Inferred infer_cast(const Node& node, Infos inputs);
Inferred infer_batch_norm(const Node& node, Infos inputs);

// Windows and products (rules_matrix.cc).
Inferred infer_conv(const Node& node, Infos inputs);
Inferred infer_pool(const Node& node, Infos inputs);
Inferred infer_global_pool(const Node& node, Infos inputs);
Inferred infer_gemm(const Node& node, Infos inputs);
Inferred infer_matmul(const Node& node, Infos inputs);
std::int64_t conv_macs(const Node& node, Infos inputs, Infos outputs);
std::int64_t gemm_macs(const Node& node, Infos inputs, Infos outputs);
std::int64_t matmul_macs(const Node& node, Infos inputs, Infos outputs);

// Reductions and selections (rules_reduce.cc).
Inferred infer_reduce(const Node& node, Infos inputs);
Inferred infer_reduce_sum(const Node& node, Infos inputs);
Inferred infer_top_k(const Node& node, Infos inputs);
Inferred infer_gather(const Node& node, Infos inputs);
Inferred infer_slice(const Node& node, Infos inputs);

// Where elements lie (rules_layout.cc).
Inferred infer_concat(const Node& node, Infos inputs);
Inferred infer_flatten(const Node& node, Infos inputs);
Inferred infer_reshape(const Node& node, Infos inputs);
Inferred infer_squeeze(const Node& node, Infos inputs);
Inferred infer_unsqueeze(const Node& node, Infos inputs);
Inferred infer_transpose(const Node& node, Infos inputs);
Inferred infer_pad(const Node& node, Infos inputs);

// Between floats and 8-bit integers (rules_quantize.cc).
Inferred infer_quantize(const Node& node, Infos inputs);
Inferred infer_dequantize(const Node& node, Infos inputs);

}  // namespace hedge::graph::internal

#include <algorithm>
#include <limits>

#include "graph/internal/check_node.h"
#include "graph/internal/shape_rules.h"
#include "graph/operators.h"

namespace hedge::graph {
namespace {

constexpr std::size_t kMostRank = 8;
using Tensors = std::map<std::string, TensorInfo>;

std::string where_of(const Node& node, const std::string& tensor) { return internal::where_of(node) + ", tensor " + tensor; }

/// kBadFormat where a shape has a dimension below -1, or more dimensions or elements than this project handles.
Status check_shape(const Shape& shape, const std::string& where) {
  Shape one_image = shape;
  for (auto& d : one_image)
    if (d == -1) d = 1;
  auto count = checked_num_elements(one_image);
  Error error{.code = ErrorCode::kBadFormat, .what = "a shape is not usable", .where = where, .got = to_string(shape)};
  if (!count) error.expected = count.error().expected;
  if (shape.size() > kMostRank) error.expected = "at most " + std::to_string(kMostRank) + " dimensions";
  if (!error.expected.empty()) return error;
  return {};
}

Status add_tensor(Tensors& tensors, const std::string& name, TensorInfo info, const std::string& where) {
  if (name.empty()) return Error{.code = ErrorCode::kBadFormat, .what = "a tensor without a name", .where = where};
  HEDGE_CHECK(check_shape(info.shape, where));
  if (tensors.emplace(name, std::move(info)).second) return {};
  return Error{.code = ErrorCode::kBadFormat, .what = "a second tensor of this name", .where = where, .expected = "unique names"};
}

Result<std::vector<TensorInfo>> gather_inputs(const Node& node, const Tensors& tensors) {
  std::vector<TensorInfo> inputs;
  for (const std::string& name : node.inputs) {
    const auto found = tensors.find(name);
    if (!name.empty() && found == tensors.end())
      return Error{.code = ErrorCode::kBadFormat,
                   .what = "an input that no earlier node makes",
                   .where = where_of(node, name),
                   .expected = "nodes in topological order"};
    inputs.push_back(name.empty() ? TensorInfo{} : found->second);
  }
  return inputs;
}

Status infer_node(const Node& node, Tensors& tensors) {
  HEDGE_CHECK(internal::check_node(node));
  HEDGE_TRY(const auto inputs, gather_inputs(node, tensors));
  auto outputs = find_operator(node.op)->infer(node, inputs);
  if (!outputs) {
    Error error = std::move(outputs).error();
    error.where = where_of(node, node.outputs.front());
    return error;
  }
  for (std::size_t i = 0; i < node.outputs.size(); ++i)
    HEDGE_CHECK(add_tensor(tensors, node.outputs[i], std::move((*outputs)[i]), where_of(node, node.outputs[i])));
  return {};
}

std::vector<TensorInfo> infos(const std::vector<std::string>& names, const Tensors& tensors) {
  std::vector<TensorInfo> found;
  for (const auto& name : names) found.push_back(name.empty() ? TensorInfo{} : tensors.at(name));
  return found;
}

/// kUnsupported where the cost depends on a size that is not known.
Status check_static(const Node& node, const std::vector<TensorInfo>& tensors) {
  for (const auto& tensor : tensors)
    if (std::count(tensor.shape.begin() + (tensor.shape.empty() ? 0 : 1), tensor.shape.end(), -1) > 0)
      return Error{.code = ErrorCode::kUnsupported,
                   .what = "the cost of a node with dynamic sizes is not known",
                   .where = where_of(node, node.outputs.front()),
                   .got = to_string(tensor.shape),
                   .hint = "fix all dimensions but the batch"};
  return {};
}

}  // namespace

Result<std::map<std::string, TensorInfo>> infer_shapes(const Graph& graph) {
  Tensors tensors;
  for (const Value& input : graph.inputs) {
    const std::string where = "graph " + graph.name + ", input " + input.name;
    HEDGE_CHECK(add_tensor(tensors, input.name, {input.dtype, input.shape}, where));
  }
  for (const auto& [name, tensor] : graph.initializers)
    HEDGE_CHECK(add_tensor(tensors, name, {tensor.dtype(), tensor.shape(), &tensor}, "graph " + graph.name + ", tensor " + name));
  for (const Node& node : graph.nodes) HEDGE_CHECK(infer_node(node, tensors));
  return tensors;
}

Result<std::vector<std::int64_t>> macs_by_node(const Graph& graph) {
  HEDGE_TRY(const auto tensors, infer_shapes(graph));
  std::vector<std::int64_t> macs;
  for (const Node& node : graph.nodes) {
    const OperatorInfo& row = *find_operator(node.op);
    const auto inputs = infos(node.inputs, tensors);
    const auto outputs = infos(node.outputs, tensors);
    if (row.macs != internal::no_macs) {
      HEDGE_CHECK(check_static(node, inputs));
      HEDGE_CHECK(check_static(node, outputs));
    }
    macs.push_back(row.macs(node, inputs, outputs));
  }
  return macs;
}

Result<std::int64_t> count_macs(const Graph& graph) {
  HEDGE_TRY(const auto by_node, macs_by_node(graph));
  std::int64_t total = 0;
  for (const auto macs : by_node)
    total = macs > std::numeric_limits<std::int64_t>::max() - total ? std::numeric_limits<std::int64_t>::max() : total + macs;
  return total;
}

}  // namespace hedge::graph

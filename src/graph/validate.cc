#include <algorithm>
#include <cmath>
#include <set>

#include "graph/internal/check_node.h"
#include "graph/operators.h"

namespace hedge::graph {
namespace internal {
namespace {

enum class Kind { kInteger = 0, kNumber = 1, kText = 2, kIntegers = 3 };  // the index in Attribute

/// The kind of an attribute; a name means the same kind in every row of the table.
Kind kind_of(const std::string& attribute) {
  static const std::set<std::string> numbers = {"alpha", "beta", "epsilon", "momentum"};
  static const std::set<std::string> texts = {"auto_pad", "mode"};
  static const std::set<std::string> lists = {"axes", "dilations", "kernel_shape", "pads", "perm", "strides"};
  if (numbers.contains(attribute)) return Kind::kNumber;
  if (texts.contains(attribute)) return Kind::kText;
  return lists.contains(attribute) ? Kind::kIntegers : Kind::kInteger;
}

Error arity_error(const Node& node, const char* what, std::size_t got, int least, int most) {
  return {.code = ErrorCode::kBadFormat,
          .what = std::string("a wrong number of ") + what,
          .where = where_of(node),
          .got = std::to_string(got),
          .expected = least == most ? std::to_string(least) : "from " + std::to_string(least) + " to " + std::to_string(most)};
}

Status check_arity(const Node& node, const OperatorInfo& row) {
  const auto inputs = static_cast<int>(std::min<std::size_t>(node.inputs.size(), 1 << 30));
  const auto outputs = static_cast<int>(std::min<std::size_t>(node.outputs.size(), 1 << 30));
  if (inputs < row.min_inputs || inputs > row.max_inputs)
    return arity_error(node, "inputs", node.inputs.size(), row.min_inputs, row.max_inputs);
  if (outputs < row.min_outputs || outputs > row.max_outputs)
    return arity_error(node, "outputs", node.outputs.size(), row.min_outputs, row.max_outputs);
  // Only an input past the required ones may be left out; Concat's are all required.
  const int required = node.op == "Concat" ? inputs : row.min_inputs;
  for (int i = 0; i < required; ++i)
    if (node.inputs[static_cast<std::size_t>(i)].empty())
      return Error{
          .code = ErrorCode::kBadFormat, .what = "the required input " + std::to_string(i) + " is left out", .where = where_of(node)};
  for (const auto& output : node.outputs)
    if (output.empty()) return Error{.code = ErrorCode::kBadFormat, .what = "an output without a name", .where = where_of(node)};
  return {};
}

}  // namespace

std::string where_of(const Node& node) { return "node " + node.name + " (" + node.op + ")"; }

Status check_node(const Node& node) {
  const OperatorInfo* row = find_operator(node.op);
  if (row == nullptr)
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "an operator that is not implemented",
                 .where = where_of(node),
                 .hint = "docs/operators.md lists the operators"};
  HEDGE_CHECK(check_arity(node, *row));
  for (const auto& [key, value] : node.attributes) {
    if (std::find(row->attributes.begin(), row->attributes.end(), key) == row->attributes.end())
      return Error{.code = ErrorCode::kUnsupported, .what = "the attribute " + key + " is not implemented", .where = where_of(node)};
    if (value.index() != static_cast<std::size_t>(kind_of(key)))
      return Error{.code = ErrorCode::kBadFormat, .what = "the attribute " + key + " is of another kind", .where = where_of(node)};
    const auto* number = std::get_if<float>(&value);
    if (number != nullptr && !std::isfinite(*number))
      return Error{.code = ErrorCode::kBadData, .what = "the attribute " + key + " is not a finite number", .where = where_of(node)};
  }
  return {};
}

}  // namespace internal

namespace {

Status check_names(const Graph& graph) {
  std::set<std::string> names;
  for (const Node& node : graph.nodes) {
    if (node.name.empty())
      return Error{.code = ErrorCode::kBadFormat,
                   .what = "a node without a name",
                   .where = internal::where_of(node) + ", tensor " + (node.outputs.empty() ? "" : node.outputs.front())};
    if (!names.insert(node.name).second)
      return Error{.code = ErrorCode::kBadFormat,
                   .what = "a second node of this name",
                   .where = internal::where_of(node),
                   .expected = "unique names"};
  }
  return {};
}

Status check_finite(const Graph& graph) {
  for (const auto& [name, tensor] : graph.initializers) {
    if (tensor.dtype() != DType::kF32) continue;
    const auto values = tensor.data<float>();
    const auto bad = std::find_if(values.begin(), values.end(), [](float v) { return !std::isfinite(v); });
    if (bad != values.end())
      return Error{.code = ErrorCode::kBadData,
                   .what = "a weight is not a finite number",
                   .where = "graph " + graph.name + ", tensor " + name,
                   .got = std::to_string(*bad) + " at element " + std::to_string(bad - values.begin()),
                   .hint = "the training diverged, or the file is damaged"};
  }
  return {};
}

bool agree(const Shape& declared, const Shape& inferred) {
  if (declared.size() != inferred.size()) return false;
  for (std::size_t i = 0; i < declared.size(); ++i)
    if (declared[i] != inferred[i] && declared[i] != -1 && inferred[i] != -1) return false;
  return true;
}

Status check_outputs(const Graph& graph, const std::map<std::string, TensorInfo>& tensors) {
  if (graph.outputs.empty()) return Error{.code = ErrorCode::kBadFormat, .what = "a graph without outputs", .where = "graph " + graph.name};
  std::set<std::string> names;
  for (const Value& output : graph.outputs) {
    const std::string where = "graph " + graph.name + ", tensor " + output.name;
    const auto found = tensors.find(output.name);
    if (found == tensors.end()) return Error{.code = ErrorCode::kBadFormat, .what = "an output that nothing makes", .where = where};
    if (!names.insert(output.name).second) return Error{.code = ErrorCode::kBadFormat, .what = "an output is listed twice", .where = where};
    if (output.dtype != found->second.dtype || !agree(output.shape, found->second.shape))
      return Error{.code = ErrorCode::kMismatch,
                   .what = "an output's declaration differs from what its node computes",
                   .where = where,
                   .got = std::string(to_string(output.dtype)) + " " + to_string(output.shape),
                   .expected = std::string(to_string(found->second.dtype)) + " " + to_string(found->second.shape)};
  }
  return {};
}

}  // namespace

Status validate(const Graph& graph) {
  HEDGE_CHECK(check_names(graph));
  HEDGE_TRY(const auto tensors, infer_shapes(graph));
  HEDGE_CHECK(check_outputs(graph, tensors));
  return check_finite(graph);
}

}  // namespace hedge::graph

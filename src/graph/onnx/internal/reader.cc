#include "graph/onnx/internal/reader.h"

#include <algorithm>

#include "graph/onnx/internal/decode.h"
#include "graph/operators.h"

namespace hedge::graph::internal {
namespace {

std::string where_of(const onnx::NodeProto& proto) {
  const std::string name = !proto.name().empty() ? proto.name() : proto.output_size() > 0 ? "making " + proto.output(0) : "without a name";
  return "node " + name + " (" + proto.op_type() + ")";
}

template <typename T>
Tensor list(const std::vector<T>& values) {
  return Tensor::of<T>({static_cast<std::int64_t>(values.size())}, values);
}

}  // namespace

Result<Graph> Reader::read() {
  graph_.name = proto_.name();
  if (proto_.sparse_initializer_size() > 0)
    return Error{.code = ErrorCode::kUnsupported, .what = "sparse weights", .where = "graph " + graph_.name};
  for (const auto& node : proto_.node()) {
    tensors_.insert(node.output().begin(), node.output().end());
    used_.insert(node.input().begin(), node.input().end());
  }
  for (const auto& output : proto_.output()) used_.insert(output.name());
  HEDGE_CHECK(read_initializers());
  HEDGE_CHECK(read_values());
  HEDGE_CHECK(read_nodes());
  HEDGE_CHECK(sort_nodes(graph_));
  HEDGE_CHECK(type_outputs());
  return std::move(graph_);
}

Status Reader::read_initializers() {
  for (const auto& initializer : proto_.initializer()) {
    const std::string where = "tensor " + initializer.name();
    HEDGE_TRY(Tensor tensor, decode_tensor(initializer, where));
    if (!graph_.initializers.emplace(initializer.name(), std::move(tensor)).second)
      return Error{.code = ErrorCode::kBadFormat, .what = "a second initializer of this name", .where = where};
    tensors_.insert(initializer.name());
  }
  return {};
}

Status Reader::read_values() {
  for (const auto& input : proto_.input()) {
    if (graph_.initializers.contains(input.name())) continue;  // IR version 3 lists the weights as inputs too
    HEDGE_TRY(Value value, decode_value(input));
    tensors_.insert(value.name);
    graph_.inputs.push_back(std::move(value));
  }
  // Types and shapes of the outputs are inferred: what exporters declare is often less, sometimes wrong.
  for (const auto& output : proto_.output()) graph_.outputs.push_back({.name = output.name()});
  return {};
}

Status Reader::read_nodes() {
  for (const auto& node : proto_.node()) node_names_.insert(node.name());
  for (const auto& node : proto_.node()) HEDGE_CHECK(read_node(node));
  return {};
}

std::string Reader::unique_node_name(const onnx::NodeProto& proto) {
  if (!proto.name().empty() && made_names_.insert(proto.name()).second) return proto.name();
  const std::string stem = proto.name().empty() ? proto.op_type() + "_" : proto.name() + "_";
  std::size_t n = graph_.nodes.size();
  while (!node_names_.insert(stem + std::to_string(n)).second) ++n;
  return stem + std::to_string(n);
}

Status Reader::read_node(const onnx::NodeProto& proto) {
  const std::string where = where_of(proto);
  if (!proto.domain().empty() && proto.domain() != "ai.onnx")
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "an operator of the domain " + proto.domain(),
                 .where = where,
                 .hint = "docs/operators.md lists the operators; export with standard ONNX ones"};
  if (proto.op_type() == "Constant") return read_constant(proto, where);
  Node node{.name = unique_node_name(proto), .op = proto.op_type()};
  node.inputs.assign(proto.input().begin(), proto.input().end());
  node.outputs.assign(proto.output().begin(), proto.output().end());
  for (const auto& attribute : proto.attribute()) {
    HEDGE_TRY(Attribute value, decode_attribute(attribute, where));
    if (!node.attributes.emplace(attribute.name(), std::move(value)).second)
      return Error{.code = ErrorCode::kBadFormat, .what = "the attribute " + attribute.name() + " is given twice", .where = where};
  }
  drop_unused(node);
  HEDGE_CHECK(normalize(node));
  graph_.nodes.push_back(std::move(node));
  return {};
}

Status Reader::read_constant(const onnx::NodeProto& proto, const std::string& where) {
  if (proto.output_size() != 1 || proto.attribute_size() != 1)
    return Error{.code = ErrorCode::kBadFormat, .what = "a Constant must have one value and one output", .where = where};
  const std::string& key = proto.attribute(0).name();
  HEDGE_TRY(const Attribute value, decode_attribute(proto.attribute(0), where));
  Tensor tensor;
  if (key == "value" && std::holds_alternative<Tensor>(value)) {
    tensor = std::get<Tensor>(value);
  } else if (key == "value_int" && std::holds_alternative<std::int64_t>(value)) {
    tensor = list(std::vector{std::get<std::int64_t>(value)}).reshaped({});
  } else if (key == "value_float" && std::holds_alternative<float>(value)) {
    tensor = list(std::vector{std::get<float>(value)}).reshaped({});
  } else if (key == "value_ints" && std::holds_alternative<std::vector<std::int64_t>>(value)) {
    tensor = list(std::get<std::vector<std::int64_t>>(value));
  } else if (key == "value_floats" && std::holds_alternative<std::vector<float>>(value)) {
    tensor = list(std::get<std::vector<float>>(value));
  } else {
    return Error{.code = ErrorCode::kUnsupported, .what = "a Constant given by its " + key, .where = where};
  }
  if (!graph_.initializers.emplace(proto.output(0), std::move(tensor)).second)
    return Error{.code = ErrorCode::kBadFormat, .what = "a second tensor of this name", .where = where + ", tensor " + proto.output(0)};
  return {};
}

void Reader::drop_unused(Node& node) const {
  while (!node.inputs.empty() && node.inputs.back().empty()) node.inputs.pop_back();
  const OperatorInfo* row = find_operator(node.op);
  const std::size_t least = row != nullptr ? static_cast<std::size_t>(row->min_outputs) : 1;
  while (node.outputs.size() > least && !used_.contains(node.outputs.back())) node.outputs.pop_back();
}

Status Reader::check_old_softmax() const {
  if (old_softmax_.empty()) return {};
  HEDGE_TRY(const auto tensors, infer_shapes(graph_));
  for (const std::string& name : old_softmax_) {
    const Node& node = *graph_.producer(name);
    const Shape& shape = tensors.at(name).shape;
    const auto rank = static_cast<std::int64_t>(shape.size());
    const std::int64_t axis = node.integer("axis", 1);
    const std::int64_t first_after = (axis < 0 ? axis + rank : axis) + 1;
    if (std::any_of(shape.begin() + first_after, shape.end(), [](auto d) { return d != 1; }))
      return Error{.code = ErrorCode::kUnsupported,
                   .what = "a softmax over several axes at once, as before opset 13",
                   .where = "node " + node.name + " (" + node.op + "), tensor " + name,
                   .got = "axis " + std::to_string(axis) + " of " + to_string(shape),
                   .hint = "export with opset 13 or later"};
  }
  return {};
}

Status Reader::type_outputs() {
  HEDGE_CHECK(check_old_softmax());
  HEDGE_TRY(const auto tensors, infer_shapes(graph_));
  for (Value& output : graph_.outputs) {
    const auto found = tensors.find(output.name);
    if (found == tensors.end())
      return Error{.code = ErrorCode::kBadFormat,
                   .what = "an output that nothing makes",
                   .where = "graph " + graph_.name + ", tensor " + output.name};
    output.dtype = found->second.dtype;
    output.shape = found->second.shape;
  }
  return {};
}

}  // namespace hedge::graph::internal

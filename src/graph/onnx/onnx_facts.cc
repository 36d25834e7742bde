#include "graph/onnx/onnx_facts.h"

#include <algorithm>
#include <set>

#include "graph/onnx/internal/decode.h"

namespace hedge::graph {
namespace {

constexpr int kMostDepth = 32;  // of graphs within attributes; protobuf stops earlier

/// Where a tensor's bytes are, if not in the model's file.
void collect(const onnx::TensorProto& tensor, std::set<std::string>& files) {
  if (tensor.data_location() != onnx::TensorProto::EXTERNAL) return;
  for (const auto& entry : tensor.external_data())
    if (entry.key() == "location") files.insert(entry.value());
}

void collect(const onnx::GraphProto& graph, std::set<std::string>& files, int depth = 0) {
  if (depth == kMostDepth) return;
  for (const auto& tensor : graph.initializer()) collect(tensor, files);
  for (const auto& sparse : graph.sparse_initializer()) {
    collect(sparse.values(), files);
    collect(sparse.indices(), files);
  }
  for (const auto& node : graph.node())
    for (const auto& attribute : node.attribute()) {
      if (attribute.has_t()) collect(attribute.t(), files);
      for (const auto& tensor : attribute.tensors()) collect(tensor, files);
      if (attribute.has_g()) collect(attribute.g(), files, depth + 1);
      for (const auto& inner : attribute.graphs()) collect(inner, files, depth + 1);
    }
}

OnnxPort port_of(const onnx::ValueInfoProto& proto) {
  OnnxPort port{.name = proto.name()};
  if (!proto.type().has_tensor_type()) return port;
  const auto& type = proto.type().tensor_type();
  if (const auto dtype = internal::dtype_from_onnx(type.elem_type(), proto.name())) port.dtype = *dtype;
  for (const auto& dim : type.shape().dim()) port.shape.push_back(dim.has_dim_value() && dim.dim_value() >= 0 ? dim.dim_value() : -1);
  return port;
}

/// The node that makes `tensor`, seen through Identity nodes; nullptr: none.
const onnx::NodeProto* maker_of(const onnx::GraphProto& graph, std::string tensor) {
  for (int step = 0; step <= graph.node_size(); ++step) {
    const auto made = std::find_if(graph.node().begin(), graph.node().end(), [&](const onnx::NodeProto& node) {
      return std::find(node.output().begin(), node.output().end(), tensor) != node.output().end();
    });
    if (made == graph.node().end()) return nullptr;
    if (made->op_type() != "Identity" || made->input_size() != 1) return &*made;
    tensor = made->input(0);
  }
  return nullptr;  // a cycle
}

}  // namespace

Result<OnnxFacts> read_onnx_facts(std::string_view bytes, std::string_view where) {
  auto model = internal::parse_model(bytes);
  if (!model) {
    Error error = std::move(model).error();
    error.where = where;
    return error;
  }
  const auto& graph = model->graph();
  OnnxFacts facts;
  for (const auto& entry : model->metadata_props()) facts.metadata[entry.key()] = entry.value();
  std::set<std::string> initializers, files;
  for (const auto& tensor : graph.initializer()) initializers.insert(tensor.name());
  for (const auto& input : graph.input())
    if (!initializers.contains(input.name())) facts.inputs.push_back(port_of(input));
  for (const auto& output : graph.output()) facts.outputs.push_back(port_of(output));
  for (const auto& output : facts.outputs)
    if (const auto* node = maker_of(graph, output.name)) facts.made_by[output.name] = node->op_type();
  collect(graph, files);
  facts.weight_files.assign(files.begin(), files.end());
  return facts;
}

}  // namespace hedge::graph

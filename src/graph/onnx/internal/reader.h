#pragma once

#include <onnx/onnx_pb.h>

#include <set>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace hedge::graph::internal {

/// A Graph on its way from an ONNX model of `opset` to this project's form, opset 17.
class Reader {
 public:
  Reader(const onnx::GraphProto& proto, std::int64_t opset) : proto_(proto), opset_(opset) {}

  /// The whole of it but metadata, not yet validated, with weights that nothing takes. Call once. Errors: as parse_onnx.
  Result<Graph> read();

 private:
  Status read_initializers();
  Status read_values();
  Status read_nodes();
  Status read_node(const onnx::NodeProto& proto);
  Status read_constant(const onnx::NodeProto& proto, const std::string& where);
  void drop_unused(Node& node) const;
  /// Older and newer forms of an operator brought to opset 17 (normalize.cc).
  void normalize_old(Node& node);
  void normalize_new(Node& node);
  Status normalize(Node& node);
  Status axes_to_attribute(Node& node);
  void list_to_input(Node& node, const std::string& key, std::size_t at);
  void integer_to_input(Node& node, const std::string& key, std::size_t at);
  void number_to_input(Node& node, const std::string& key, std::size_t at);
  void append_constant(Node& node, const std::string& key, std::size_t at, Tensor value);
  /// Softmax before opset 13 flattened its input; the same only over the last axis. Needs shapes.
  Status check_old_softmax() const;
  Status type_outputs();
  std::string unique_node_name(const onnx::NodeProto& proto);

  const onnx::GraphProto& proto_;
  std::int64_t opset_;
  Graph graph_;
  std::set<std::string> tensors_;         ///< every tensor name of the model
  std::set<std::string> used_;            ///< tensors that a node or output takes
  std::set<std::string> node_names_;      ///< as the file has them, and those given
  std::set<std::string> made_names_;      ///< the file's names that are taken already
  std::vector<std::string> old_softmax_;  ///< outputs of such nodes
};

/// Sorts the nodes so that each follows those it depends on, otherwise keeping the order. Errors: kBadFormat a cycle.
Status sort_nodes(Graph& graph);

}  // namespace hedge::graph::internal

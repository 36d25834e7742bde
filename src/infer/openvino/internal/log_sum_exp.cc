#include "infer/openvino/internal/log_sum_exp.h"

#include <algorithm>

namespace hedge::infer::internal {
namespace {

bool is_named(const graph::Node& node) { return node.op == "ReduceLogSumExp" && !node.integers("axes", {}).empty(); }

void append_plain(const graph::Node& node, graph::Graph& graph) {
  const auto axes = node.integers("axes", {});
  const std::string& y = node.outputs[0];
  const std::string base = y + "/log_sum_exp/";
  const auto axes_name = base + "axes";
  graph.initializers.emplace(axes_name, Tensor::of<std::int64_t>({static_cast<std::int64_t>(axes.size())}, axes));
  const auto add = [&](const std::string& op, std::vector<std::string> inputs, const std::string& output,
                       std::map<std::string, graph::Attribute> attributes = {}) {
    graph.nodes.push_back({output + "/node", op, std::move(inputs), {output}, std::move(attributes)});
  };
  const std::int64_t keep = 1;
  add("ReduceMax", {node.inputs[0]}, base + "max", {{"axes", axes}, {"keepdims", keep}});
  add("Sub", {node.inputs[0], base + "max"}, base + "shifted");
  add("Exp", {base + "shifted"}, base + "exp");
  add("ReduceSum", {base + "exp", axes_name}, base + "sum", {{"keepdims", keep}});
  add("Log", {base + "sum"}, base + "log");
  const bool kept = node.integer("keepdims", 1) != 0;
  add("Add", {base + "log", base + "max"}, kept ? y : base + "kept");
  if (!kept) add("Squeeze", {base + "kept", axes_name}, y);
}

}  // namespace

bool has_log_sum_exp(const graph::Graph& graph) { return std::any_of(graph.nodes.begin(), graph.nodes.end(), is_named); }

graph::Graph with_plain_log_sum_exp(graph::Graph graph) {
  std::vector<graph::Node> nodes;
  nodes.swap(graph.nodes);
  for (auto& node : nodes) {
    if (is_named(node)) {
      append_plain(node, graph);
    } else {
      graph.nodes.push_back(std::move(node));
    }
  }
  return graph;
}

}  // namespace hedge::infer::internal

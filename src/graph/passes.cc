#include "graph/passes.h"

#include <algorithm>
#include <map>
#include <set>

#include "graph/operators.h"

namespace hedge::graph {
namespace {

bool is_output(const Graph& graph, const std::string& tensor) {
  return std::any_of(graph.outputs.begin(), graph.outputs.end(), [&](const Value& v) { return v.name == tensor; });
}

bool passes_through(const Node& node) {
  return (node.op == "Identity" || node.op == "Dropout") && node.outputs.size() == 1 && !node.inputs.empty();
}

/// Takes Identity and Dropout out of the way; one that makes a graph output stays, for the output's name.
void bypass(Graph& graph) {
  std::map<std::string, std::string> stands_for;
  for (Node& node : graph.nodes) {
    for (auto& input : node.inputs)
      if (const auto found = stands_for.find(input); found != stands_for.end()) input = found->second;
    if (!passes_through(node)) continue;
    if (is_output(graph, node.outputs[0])) {
      node.op = "Identity";
      node.inputs.resize(1);
      node.attributes.clear();
    } else {
      stands_for[node.outputs[0]] = node.inputs[0];
    }
  }
  if (const auto key = graph.metadata.find(kFeaturesKey); key != graph.metadata.end())
    if (const auto found = stands_for.find(key->second); found != stands_for.end()) key->second = found->second;
}

/// Keeps the nodes and initializers that `wanted` needs; returns every tensor needed.
std::set<std::string> keep_needed(Graph& graph, std::set<std::string> wanted) {
  std::vector<Node> kept;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    if (std::none_of(node->outputs.begin(), node->outputs.end(), [&](const auto& o) { return wanted.contains(o); })) continue;
    wanted.insert(node->inputs.begin(), node->inputs.end());
    kept.push_back(std::move(*node));
  }
  std::reverse(kept.begin(), kept.end());
  graph.nodes = std::move(kept);
  std::erase_if(graph.initializers, [&](const auto& entry) { return !wanted.contains(entry.first); });
  return wanted;
}

std::set<std::string> output_names(const Graph& graph) {
  std::set<std::string> names;
  for (const Value& output : graph.outputs) names.insert(output.name);
  return names;
}

Error unknown_tensor(const Graph& graph, const std::string& tensor) {
  return {.code = ErrorCode::kNotFound, .what = "no tensor of this name", .where = "graph " + graph.name + ", tensor " + tensor};
}

/// The computed input of a classifier's last layer, or nothing where `node` is none.
const std::string* classifier_input(const Graph& graph, const Node& node, const std::map<std::string, TensorInfo>& tensors) {
  if (node.op != "Gemm" && node.op != "MatMul" && node.op != "Conv") return nullptr;
  if (graph.initializers.contains(node.inputs[0])) return nullptr;
  const Shape& x = tensors.at(node.inputs[0]).shape;
  if (node.op != "Conv") return x.size() == 2 ? &node.inputs[0] : nullptr;
  const Shape& w = tensors.at(node.inputs[1]).shape;
  return x.size() == 4 && x[2] == 1 && x[3] == 1 && w[2] == 1 && w[3] == 1 ? &node.inputs[0] : nullptr;
}

/// The output that holds the class scores: the one called "logits", or the first.
std::string logits_of(const Graph& graph) {
  if (graph.outputs.empty() || is_output(graph, "logits")) return "logits";
  return graph.outputs.front().name;
}

/// A cut in the making: the nodes up to it, by name, and the tensors they make.
struct Front {
  std::set<std::string> nodes;
  std::set<std::string> tensors;
};

Front front_of(const Graph& head) {
  Front front;
  for (const Node& node : head.nodes) {
    front.nodes.insert(node.name);
    front.tensors.insert(node.outputs.begin(), node.outputs.end());
  }
  return front;
}

/// kUnsupported where `tail` takes anything of the front but `tensor`.
Status check_border(const Graph& tail, const Front& front, const std::string& tensor) {
  const std::string where = "graph " + tail.name + ", tensor " + tensor;
  if (tail.outputs.empty()) return Error{.code = ErrorCode::kUnsupported, .what = "no node follows the cut", .where = where};
  for (const Node& node : tail.nodes)
    for (const auto& input : node.inputs) {
      const bool is_input = std::any_of(tail.inputs.begin(), tail.inputs.end(), [&](const Value& v) { return v.name == input; });
      if (input != tensor && (is_input || front.tensors.contains(input)))
        return Error{.code = ErrorCode::kUnsupported,
                     .what = "another tensor crosses the cut",
                     .where = where,
                     .got = input + ", taken by node " + node.name + " (" + node.op + ")",
                     .hint = "cut where one tensor carries everything"};
    }
  return {};
}

}  // namespace

std::string new_name(const Graph& graph, const std::string& wanted) {
  std::set<std::string> taken;
  for (const Node& node : graph.nodes) {
    taken.insert(node.name);
    taken.insert(node.outputs.begin(), node.outputs.end());
  }
  for (const Value& input : graph.inputs) taken.insert(input.name);
  for (const auto& [name, value] : graph.initializers) taken.insert(name);
  std::string name = wanted;
  while (taken.contains(name)) name += "_";
  return name;
}

Graph prune_dead(Graph graph) {
  bypass(graph);
  keep_needed(graph, output_names(graph));
  return graph;
}

Result<std::string> find_features(const Graph& graph) {
  HEDGE_TRY(const auto tensors, infer_shapes(graph));
  if (const auto named = graph.metadata.find(kFeaturesKey); named != graph.metadata.end()) {
    if (!tensors.contains(named->second)) {
      Error error = unknown_tensor(graph, named->second);
      error.hint = std::string("the model's metadata ") + kFeaturesKey + " names it";
      return error;
    }
    return named->second;
  }
  Graph wanted = graph;
  keep_needed(wanted, {logits_of(graph)});
  for (auto node = wanted.nodes.rbegin(); node != wanted.nodes.rend(); ++node)
    if (const std::string* input = classifier_input(wanted, *node, tensors)) return *input;
  return Error{.code = ErrorCode::kNotFound,
               .what = "no penultimate tensor: no Gemm, MatMul or 1x1 Conv makes the logits",
               .where = "graph " + graph.name,
               .hint = std::string("name it in the model's metadata, ") + kFeaturesKey};
}

Result<Graph> expose_output(Graph graph, const std::string& tensor) {
  if (is_output(graph, tensor)) return graph;
  HEDGE_TRY(const auto tensors, infer_shapes(graph));
  const auto found = tensors.find(tensor);
  if (found == tensors.end()) return unknown_tensor(graph, tensor);
  graph.outputs.push_back({tensor, found->second.dtype, found->second.shape});
  return graph;
}

Result<Halves> cut_at(const Graph& graph, const std::string& tensor) {
  HEDGE_TRY(const auto tensors, infer_shapes(graph));
  const auto found = tensors.find(tensor);
  if (found == tensors.end()) return unknown_tensor(graph, tensor);
  if (graph.producer(tensor) == nullptr)
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "a cut at a tensor that no node makes",
                 .where = "graph " + graph.name + ", tensor " + tensor};
  const Value border{tensor, found->second.dtype, found->second.shape};
  Halves halves{graph, graph};
  Graph& head = halves.head;
  const std::set<std::string> before = keep_needed(head, {tensor});
  const Front front = front_of(head);
  head.outputs = {border};
  for (const Value& output : graph.outputs)
    if (output.name != tensor && front.tensors.contains(output.name)) head.outputs.push_back(output);
  std::erase_if(head.inputs, [&](const Value& v) { return !before.contains(v.name); });
  if (const auto key = head.metadata.find(kFeaturesKey); key != head.metadata.end() && !before.contains(key->second))
    head.metadata.erase(key);

  Graph& tail = halves.tail;
  std::erase_if(tail.nodes, [&](const Node& n) { return front.nodes.contains(n.name); });
  std::erase_if(tail.outputs, [&](const Value& v) { return front.tensors.contains(v.name); });
  const std::set<std::string> after = keep_needed(tail, output_names(tail));
  HEDGE_CHECK(check_border(tail, front, tensor));
  tail.inputs = {border};
  if (const auto key = tail.metadata.find(kFeaturesKey); key != tail.metadata.end() && !after.contains(key->second))
    tail.metadata.erase(key);
  return halves;
}

}  // namespace hedge::graph

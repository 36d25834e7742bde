#include "graph/segments.h"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <type_traits>
#include <utility>

#include "graph/operators.h"

namespace hedge::graph {
namespace {

bool is_heavy(const Node& node) { return node.op == "Conv" || node.op == "Gemm" || node.op == "MatMul"; }

using Tensors = std::map<std::string, TensorInfo>;

/// A part from node `from` to node `to`, without the latter, that reads `input` and leaves `output` (empty: the graph's own alone).
Graph part_of(const Graph& graph, const Tensors& tensors, std::pair<std::size_t, std::size_t> nodes, const std::string& input,
              const std::string& output) {
  const auto value = [&](const std::string& name) { return Value{name, tensors.at(name).dtype, tensors.at(name).shape}; };
  Graph part{.name = graph.name, .opset = graph.opset, .inputs = {value(input)}};
  std::set<std::string> made;
  for (auto i = nodes.first; i < nodes.second; ++i) {
    const Node& node = graph.nodes[i];
    part.nodes.push_back(node);
    made.insert(node.outputs.begin(), node.outputs.end());
    for (const auto& name : node.inputs)
      if (const auto found = graph.initializers.find(name); found != graph.initializers.end()) part.initializers.insert(*found);
  }
  if (!output.empty()) part.outputs.push_back(value(output));
  for (const Value& own : graph.outputs)
    if (own.name != output && made.contains(own.name)) part.outputs.push_back(own);
  return part;
}

std::string text_of(const Attribute& attribute) {
  std::ostringstream text;
  std::visit(
      [&](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, Tensor>)
          text << to_string(value.shape());
        else if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string>)
          text << value;
        else
          for (const auto& element : value) text << element << ' ';
      },
      attribute);
  return text.str();
}

}  // namespace

Result<std::vector<Graph>> segments(const Graph& graph) {
  HEDGE_TRY(const auto tensors, infer_shapes(graph));
  std::map<std::string, std::size_t> last_use;  // of computed tensors and inputs
  for (std::size_t i = 0; i < graph.nodes.size(); ++i)
    for (const auto& name : graph.nodes[i].inputs)
      if (!name.empty() && !graph.initializers.contains(name)) last_use[name] = i;
  std::vector<Graph> parts;
  std::set<std::string> alive;  // read by a later node
  for (const Value& input : graph.inputs) alive.insert(input.name);
  std::string input = graph.inputs.at(0).name;
  std::size_t from = 0;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const auto& name : graph.nodes[i].outputs)
      if (last_use.contains(name)) alive.insert(name);
    std::erase_if(alive, [&](const auto& name) { return last_use[name] <= i; });
    const bool last = i + 1 == graph.nodes.size();
    if (!last && (alive.size() != 1 || !is_heavy(graph.nodes[i + 1]))) continue;
    const std::string output = last ? std::string() : *alive.begin();
    parts.push_back(part_of(graph, tensors, {from, i + 1}, input, output));
    HEDGE_CHECK(validate(parts.back()));
    from = i + 1, input = output;
  }
  return parts;
}

Result<std::string> form_of(const Graph& graph) {
  HEDGE_TRY(const auto tensors, infer_shapes(graph));
  std::map<std::string, std::size_t> numbers;
  std::ostringstream text;
  const auto tensor = [&](const std::string& name) {
    if (name.empty()) return std::string("-");
    const auto number = numbers.try_emplace(name, numbers.size()).first->second;
    return std::to_string(number) + (graph.initializers.contains(name) ? "w" : "") + to_string(tensors.at(name).shape);
  };
  for (const Value& input : graph.inputs) text << tensor(input.name) << ' ';
  for (const Node& node : graph.nodes) {
    text << '\n' << node.op;
    for (const auto& name : node.inputs) text << ' ' << tensor(name);
    for (const auto& [key, attribute] : node.attributes) text << ' ' << key << '=' << text_of(attribute);
    text << " ->";
    for (const auto& name : node.outputs) text << ' ' << tensor(name);
  }
  return text.str();
}

}  // namespace hedge::graph

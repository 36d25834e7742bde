#include "graph/uses.h"

#include "graph/passes.h"

namespace hedge::graph {

std::map<std::string, int> count_uses(const Graph& graph) {
  std::map<std::string, int> uses;
  for (const Node& node : graph.nodes)
    for (const auto& input : node.inputs) ++uses[input];
  for (const Value& output : graph.outputs) ++uses[output.name];
  if (const auto features = graph.metadata.find(kFeaturesKey); features != graph.metadata.end()) ++uses[features->second];
  return uses;
}

}  // namespace hedge::graph

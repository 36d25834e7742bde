#include <map>
#include <set>

#include "graph/onnx/internal/reader.h"

namespace hedge::graph::internal {

Status sort_nodes(Graph& graph) {
  std::map<std::string, std::size_t> maker;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i)
    for (const auto& output : graph.nodes[i].outputs) maker.emplace(output, i);
  std::vector<std::size_t> waits_for(graph.nodes.size(), 0);
  std::vector<std::vector<std::size_t>> followers(graph.nodes.size());
  std::set<std::size_t> ready;  // the earliest first: a sorted graph stays as it is
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const auto& input : graph.nodes[i].inputs) {
      const auto found = maker.find(input);
      if (found == maker.end()) continue;
      ++waits_for[i];
      followers[found->second].push_back(i);
    }
    if (waits_for[i] == 0) ready.insert(i);
  }
  std::vector<Node> sorted;
  while (!ready.empty()) {
    const std::size_t next = *ready.begin();
    ready.erase(ready.begin());
    for (const std::size_t follower : followers[next])
      if (--waits_for[follower] == 0) ready.insert(follower);
    sorted.push_back(std::move(graph.nodes[next]));
  }
  if (sorted.size() == graph.nodes.size()) {
    graph.nodes = std::move(sorted);
    return {};
  }
  std::size_t stuck = 0;
  while (waits_for[stuck] == 0) ++stuck;
  const Node& node = graph.nodes[stuck];
  return Error{.code = ErrorCode::kBadFormat, .what = "the nodes form a cycle", .where = "node " + node.name + " (" + node.op + ")"};
}

}  // namespace hedge::graph::internal

#pragma once

#include <map>
#include <string>

#include "graph/graph.h"

namespace hedge::graph {

/// How often each tensor is read: by the nodes, as an output, and as the router's features. What is read once may be changed with its
/// reader.
std::map<std::string, int> count_uses(const Graph& graph);

}  // namespace hedge::graph

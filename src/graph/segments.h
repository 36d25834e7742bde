#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"

namespace hedge::graph {

/// The graph in consecutive parts, each a graph of its own: cut wherever one computed tensor alone carries everything and a convolution or
/// matrix product follows, so that what a runner computes in one go (a convolution with its normalisation and activation, a residual
/// block, a squeeze-excite) stays together. Errors: those of infer_shapes and validate.
Result<std::vector<Graph>> segments(const Graph& graph);

/// What a graph computes but for the values of its weights and all names: equal for graphs that take equally long.
Result<std::string> form_of(const Graph& graph);

}  // namespace hedge::graph

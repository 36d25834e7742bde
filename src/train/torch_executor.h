#pragma once

#include <memory>
#include <string>

#include "graph/graph.h"
#include "hedge/executor.h"

namespace hedge::train {

/// The libtorch runner: the graph as training interprets it, in evaluation mode, f32.
/// Errors: those of graph::validate; kUnsupported (an operator libtorch cannot compute here).
Result<std::unique_ptr<Executor>> make_torch_executor(graph::Graph graph);

/// Threads of all of libtorch in this process (1 by default on some systems). Precondition: threads >= 1.
void set_torch_threads(int threads);

/// "1.13.1"
std::string torch_version();

}  // namespace hedge::train

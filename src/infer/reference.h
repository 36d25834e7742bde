#pragma once

#include <memory>

#include "graph/graph.h"
#include "hedge/executor.h"

namespace hedge::infer {

/// The naive reference: plain loops, double accumulation, every operator of the table. Slow on purpose; the oracle of tests.
/// Errors: those of graph::validate.
Result<std::unique_ptr<Executor>> make_reference_executor(graph::Graph graph);

}  // namespace hedge::infer

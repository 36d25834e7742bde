#pragma once

#include <memory>

#include "graph/graph.h"
#include "hedge/executor.h"
#include "infer/runner.h"

namespace hedge::infer {

/// The naive reference: plain loops, double accumulation, every operator of the table. Slow on purpose; the oracle of tests.
/// Errors: those of graph::validate.
Result<std::unique_ptr<Executor>> make_reference_executor(graph::Graph graph);

/// Runs graphs by make_reference_executor.
class ReferenceRunner final : public Runner {
 public:
  [[nodiscard]] Result<std::unique_ptr<Executor>> compile(const graph::Graph& graph) const override {
    return make_reference_executor(graph);
  }
};

}  // namespace hedge::infer

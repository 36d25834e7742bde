#pragma once

#include <memory>

#include "graph/graph.h"
#include "hedge/executor.h"

namespace hedge::infer {

/// What computes graphs: makes an Executor of each. Implementations: ReferenceRunner (infer/reference.h), OpenVinoRunner
/// (infer/openvino/openvino_executor.h).
class Runner {
 public:
  virtual ~Runner() = default;
  /// An executor of `graph`, which needs the runner no longer. Errors: those of graph::validate, and the runner's own.
  [[nodiscard]] virtual Result<std::unique_ptr<Executor>> compile(const graph::Graph& graph) const = 0;

 protected:
  Runner() = default;
  Runner(const Runner&) = default;
  Runner& operator=(const Runner&) = default;
};

}  // namespace hedge::infer

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "hedge/executor.h"

namespace hedge::conformance {

/// A way to run a graph that must agree with the reference.
struct Runner {
  std::string name;
  std::function<Result<std::unique_ptr<Executor>>(const graph::Graph&)> make;
  bool every_operator = true;  ///< false: only networks and the contract (a runner that differs from another in scheduling alone)
};

/// Every runner of this build but the reference.
std::vector<Runner> runners();

}  // namespace hedge::conformance

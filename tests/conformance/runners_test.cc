// The runners that the suite holds against the reference.
#include "conformance/runners.h"

#include "infer/openvino/openvino_executor.h"
#include "train/torch_executor.h"

namespace hedge::conformance {

std::vector<Runner> runners() {
  return {
      {"openvino", [](const graph::Graph& graph) { return infer::make_openvino_executor(graph); }},
      {"openvino_throughput",
       [](const graph::Graph& graph) { return infer::make_openvino_executor(graph, {.throughput = true, .threads = 2}); },
       false},
      {"torch", [](const graph::Graph& graph) { return train::make_torch_executor(graph); }},
  };
}

}  // namespace hedge::conformance

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "graph/onnx/onnx_facts.h"
#include "graph/onnx/onnx_io.h"
#include "graph/operators.h"
#include "graph/passes.h"

/// Any bytes either parse to a graph that validates, survives the passes and is written back, or give an error.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hedge::graph;
  const auto facts = read_onnx_facts({reinterpret_cast<const char*>(data), size}, "fuzz");
  const auto graph = parse_onnx({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (graph && !facts) std::abort();
  if (!graph) {
    if (graph.error().what.empty() || graph.error().where.empty()) std::abort();
    return 0;
  }
  if (const auto macs = count_macs(*graph); macs && *macs < 0) std::abort();
  const auto features = find_features(*graph);
  if (features) (void)cut_at(*graph, *features);
  if (const auto folded = fold_batch_norm(*graph); folded && !infer_shapes(*folded)) std::abort();
  const auto bytes = serialize_onnx(*graph);
  if (!bytes || !parse_onnx(*bytes, "again")) std::abort();
  return 0;
}

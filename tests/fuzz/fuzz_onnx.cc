#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "graph/ends.h"
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
  // Weights in other files: none of them is there, and nothing outside the folder is touched.
  const auto in_folder = parse_onnx_file({reinterpret_cast<const char*>(data), size}, "no_such_folder/fuzz.onnx");
  if (graph && !in_folder) std::abort();
  if (!graph) {
    if (graph.error().what.empty() || graph.error().where.empty()) std::abort();
    return 0;
  }
  if (const auto macs = count_macs(*graph); macs && *macs < 0) std::abort();
  const auto features = find_features(*graph);
  if (features) (void)cut_at(*graph, *features);
  if (const auto folded = fold_batch_norm(*graph); folded && !infer_shapes(*folded)) std::abort();
  if (const auto logits = with_logits(*graph); logits && !validate(*logits)) std::abort();
  (void)with_nchw_input(*graph);
  const auto bytes = serialize_onnx(*graph);
  if (!bytes || !parse_onnx(*bytes, "again")) std::abort();
  return 0;
}

#pragma once

#include "graph/graph.h"

namespace hedge::infer::internal {

/// Whether `graph` has a ReduceLogSumExp that with_plain_log_sum_exp would replace.
bool has_log_sum_exp(const graph::Graph& graph);

/// Writes each ReduceLogSumExp over named axes as max + log(sum(exp(x - max))). OpenVINO 2026.4's ONNX reader overlooks the
/// operator's attribute `axes` (the only form at opset 17) and reduces all of them; its siblings are read rightly.
graph::Graph with_plain_log_sum_exp(graph::Graph graph);

}  // namespace hedge::infer::internal

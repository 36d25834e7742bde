#pragma once

#include <memory>
#include <openvino/openvino.hpp>

#include "graph/graph.h"
#include "infer/openvino/internal/compiled.h"
#include "infer/openvino/openvino_executor.h"

namespace hedge::infer::internal {

/// Adds the output "features" that `options` asks for. `graph`: the same model, where it is known; `logits`: the tensor to search upwards
/// from. Call it inside `guarded`. Errors: those of add_features.
Status wanted_features(const std::shared_ptr<ov::Model>& model, const OpenVinoOptions& options, const graph::Graph* graph,
                       const ov::Output<ov::Node>& logits);

/// Edits a file's model as open_openvino_file promises, and compiles it. `graph` as above. Errors: those of open_openvino_file.
Result<OpenedFile> prepare_file(OpenedModel opened, const graph::Graph* graph, const OpenVinoOptions& options);

}  // namespace hedge::infer::internal

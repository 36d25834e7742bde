#pragma once

#include <filesystem>

#include "graph/graph.h"
#include "hedge/model.h"
#include "hedge/result.h"

namespace hedge::model {

/// An ONNX model as this project's graph, to be trained, quantised or exported.
struct ModelGraph {
  ModelCard card;
  graph::Graph graph;  ///< takes images f32 [N, C, H, W] and gives logits, whatever the file takes and gives; metadata as in the file
};

/// Reads both. What comes behind the logits is left out (graph::with_logits), a layout [N, H, W, C] is turned.
/// Errors: those of read_card, graph::read_onnx, graph::with_logits and graph::with_nchw_input; kUnsupported: probabilities that no Softmax
/// or Sigmoid makes, as `options` or the sidecar says them to be.
Result<ModelGraph> read_model_graph(const std::filesystem::path& path, const CardOptions& options);

/// The same of a graph, by what is known of it: the classifying output's name (empty: found) and where its input has the channels.
Result<graph::Graph> as_classifier(graph::Graph graph, const std::string& output, Layout layout);

}  // namespace hedge::model

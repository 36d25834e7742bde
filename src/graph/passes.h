#pragma once

#include <string>

#include "graph/graph.h"

namespace hedge::graph {

/// Folds each BatchNormalization that follows a Conv or Gemm into its weights and bias, where nothing else uses what lies
/// between them and all weights are constant; the others stay. Dead nodes and weights are pruned.
/// Errors: kBadData a negative variance.
/// Source: y = gamma (x - mean) / sqrt(var + eps) + beta.
Result<Graph> fold_batch_norm(Graph graph);

/// `wanted`, lengthened until no tensor and no node of the graph is called so.
std::string new_name(const Graph& graph, const std::string& wanted);

/// Drops nodes and initializers that no output needs; Identity and (inference) Dropout are bypassed.
Graph prune_dead(Graph graph);

/// The name of the penultimate tensor, [N, F]: the input of the last Gemm/MatMul (or 1x1 Conv on 1x1 images) before the
/// logits, [N, F, 1, 1] there): the output called "logits", or the first. metadata "hedge.features" wins where present.
/// Errors: kNotFound with a hint to name it.
Result<std::string> find_features(const Graph& graph);

/// Makes `tensor` one more output (a no-op where it already is). Errors: kNotFound.
Result<Graph> expose_output(Graph graph, const std::string& tensor);

/// The two halves of `graph` cut at `tensor`: `head` ends in it (first of its outputs; outputs of the graph that lie before
/// the cut follow), `tail` starts from it and makes the other outputs.
/// Errors: kNotFound; kUnsupported where another tensor crosses the cut (named).
struct Halves {
  Graph head;
  Graph tail;
};
Result<Halves> cut_at(const Graph& graph, const std::string& tensor);

}  // namespace hedge::graph

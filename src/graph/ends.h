#pragma once

#include <string>

#include "graph/graph.h"

namespace hedge::graph {

/// What the numbers of a classifier's output are.
enum class End {
  kUnknown,           ///< the operators do not say
  kLogits,            ///< a product with weights, up to a bias
  kProbabilities,     ///< a softmax
  kLogProbabilities,  ///< its logarithm
  kSigmoid,           ///< a probability for each output alone
};
/// "unknown", "logits", "probabilities", "log_probabilities", "sigmoid"
const char* to_string(End end);

/// How an output is made, seen through what only reshapes, casts or quantises.
struct FoundEnd {
  End end = End::kUnknown;
  std::string node;    ///< the name of the node that makes logits something else; empty: none
  std::string op;      ///< its operator
  std::string logits;  ///< the tensor that goes into it; empty: none
};

/// Looks at the operators before `output`, a graph output. Softmax and sigmoid are also found where they are written out (Exp, ReduceSum,
/// Div; Neg, Exp, Add, Div).
FoundEnd find_end(const Graph& graph, const std::string& output);

/// The output that classifies: `wanted` where that is not empty, else the one called "logits", else the only float one [N, C].
/// Errors: kNotFound (none is called `wanted`, none has that form); kUnsupported (several have it), each with the list.
Result<std::string> find_class_output(const Graph& graph, const std::string& wanted = {});

/// The graph with logits in its classifying output, under the same name: a Softmax, LogSoftmax or Sigmoid before it is left out, and
/// the quantisation behind it; what only reshapes stays. One sigmoid becomes two classes: 0 and its logit. Other graphs are returned as
/// they are. Errors: those of find_class_output and validate.
Result<Graph> with_logits(Graph graph, const std::string& wanted = {});

/// The graph for images [N, C, H, W] of one whose only input takes them as [N, H, W, C]. Errors: kUnsupported (another input); validate's.
Result<Graph> with_nchw_input(Graph graph);

}  // namespace hedge::graph

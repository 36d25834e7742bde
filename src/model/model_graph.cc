#include "model/model_graph.h"

#include <utility>

#include "graph/ends.h"
#include "graph/onnx/onnx_io.h"

namespace hedge::model {

Result<graph::Graph> as_classifier(graph::Graph graph, const std::string& output, Layout layout) {
  HEDGE_TRY(auto logits, graph::with_logits(std::move(graph), output));
  if (layout != Layout::kNhwc) return logits;
  return graph::with_nchw_input(std::move(logits));
}

Result<ModelGraph> read_model_graph(const std::filesystem::path& path, const CardOptions& options) {
  ModelGraph model;
  HEDGE_TRY(model.card, read_card(path, options));
  HEDGE_TRY(auto graph, graph::read_onnx(path));
  const auto& output = model.card.output;
  const bool probabilities = output.kind == OutputKind::kProbabilities || output.kind == OutputKind::kSigmoid;
  if (probabilities && graph::find_end(graph, output.name).logits.empty())
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "the model gives probabilities, and where its logits are is not known",
                 .where = path.string() + ": " + output.name,
                 .hint = "export it without what makes the probabilities"};
  HEDGE_TRY(model.graph, as_classifier(std::move(graph), output.name, model.card.input.layout));
  return model;
}

}  // namespace hedge::model

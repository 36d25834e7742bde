#include "hedge/open_model.h"

#include <utility>

#include "hedge/normalization.h"
#include "infer/openvino/openvino_executor.h"
#include "model/sidecar.h"

namespace hedge::model {
namespace {

infer::ImageLayout layout_of(Layout layout) {
  switch (layout) {
    case Layout::kUnknown: break;
    case Layout::kNchw: return infer::ImageLayout::kNchw;
    case Layout::kNhwc: return infer::ImageLayout::kNhwc;
  }
  return infer::ImageLayout::kAuto;
}

graph::End end_of(OutputKind kind) {
  switch (kind) {
    case OutputKind::kUnknown: break;
    case OutputKind::kLogits: return graph::End::kLogits;
    case OutputKind::kProbabilities: return graph::End::kProbabilities;
    case OutputKind::kLogProbabilities: return graph::End::kLogProbabilities;
    case OutputKind::kSigmoid: return graph::End::kSigmoid;
  }
  return graph::End::kUnknown;
}

OutputKind kind_of(graph::End end) {
  for (const auto kind : {OutputKind::kLogits, OutputKind::kProbabilities, OutputKind::kLogProbabilities, OutputKind::kSigmoid})
    if (end_of(kind) == end) return kind;
  return OutputKind::kUnknown;
}

/// What the file does not say and the runner knows.
void take_facts(const infer::OpenVinoFacts& facts, const LogSink& sink, ModelCard& card) {
  if (!facts.output.empty()) {
    card.output = {.name = facts.output, .classes = facts.classes, .kind = kind_of(facts.end)};
  }
  if (card.input.name.empty()) card.input.name = facts.input;
  if (!card.input.dtype) card.input.dtype = facts.dtype;
  if (facts.layout != infer::ImageLayout::kAuto)
    card.input.layout = facts.layout == infer::ImageLayout::kNchw ? Layout::kNchw : Layout::kNhwc;
  card.input.least = facts.least;
  card.input.most = facts.most;
  if (card.macs == 0) card.macs = facts.macs;
  if (card.parameters == 0) card.parameters = facts.parameters;
  for (const auto& note : facts.notes) {
    card.notes.push_back(note);
    log(sink, LogLevel::kInfo, card.path.string() + ": " + note);
  }
}

}  // namespace

Result<OpenedModel> open_model(const std::filesystem::path& path, const OpenModelOptions& options) {
  OpenedModel model;
  HEDGE_TRY(model.card, read_card(path, options.card));
  HEDGE_TRY(const auto said, said_form(path, options.card));
  auto& card = model.card;
  infer::OpenVinoOptions how{.throughput = options.throughput,
                             .threads = options.threads,
                             .features = card.features,
                             .layout = layout_of(said.input_layout),
                             .output = said.output,
                             .end = end_of(said.output_kind)};
  if (options.own_input) {
    how.as = infer::OpenAs::kClassifier;
  } else if (card.input.recipe || !options.without_recipe) {
    HEDGE_TRY(const auto recipe, required_recipe(card));
    how.normalization = recipe.normalization;
    how.height = recipe.height;
    how.width = recipe.width;
    how.as = infer::OpenAs::kClassifier;
  }
  HEDGE_TRY(auto opened, infer::open_openvino_file(path, how));
  model.executor = std::move(opened.executor);
  take_facts(opened.facts, options.card.log, card);
  return model;
}

}  // namespace hedge::model

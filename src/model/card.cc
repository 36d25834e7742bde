#include "hedge/model.h"
#include "model/metadata.h"

#include <algorithm>

#include "core/file.h"
#include "core/json.h"
#include "data/label_map.h"
#include "graph/ends.h"
#include "graph/onnx/onnx_facts.h"
#include "graph/onnx/onnx_io.h"
#include "graph/operators.h"
#include "model/identity.h"
#include "model/internal/metadata.h"
#include "model/sidecar.h"

namespace hedge::model {
namespace {

constexpr const char* kLogits = "logits";

Result<Format> format_of(const std::filesystem::path& path) {
  const auto extension = path.extension();
  if (extension == ".onnx") return Format::kOnnx;
  if (extension == ".tflite") return Format::kTflite;
  if (extension == ".xml") return Format::kOpenVinoIr;
  return Error{.code = ErrorCode::kUnsupported,
               .what = "the model's format is not known",
               .where = path.string(),
               .got = extension.string(),
               .expected = ".onnx, .tflite or .xml (OpenVINO IR)"};
}

bool is_channels(std::int64_t size) { return size == 1 || size == 3; }

/// The channels are the axis of 1 or 3 elements, where only one is.
void take_input(const std::string& name, std::optional<DType> dtype, const Shape& shape, CardInput& input) {
  input.name = name;
  input.dtype = dtype;
  if (shape.size() != 4 || is_channels(shape[1]) == is_channels(shape[3])) return;
  input.layout = is_channels(shape[1]) ? Layout::kNchw : Layout::kNhwc;
  const bool first = input.layout == Layout::kNchw;
  const auto known = [](std::int64_t size) { return std::max<std::int64_t>(size, 0); };
  input.channels = known(shape[first ? 1 : 3]);
  input.height = known(shape[first ? 2 : 1]);
  input.width = known(shape[first ? 3 : 2]);
}

OutputKind kind_of(graph::End end) {
  switch (end) {
    case graph::End::kUnknown: break;
    case graph::End::kLogits: return OutputKind::kLogits;
    case graph::End::kProbabilities: return OutputKind::kProbabilities;
    case graph::End::kLogProbabilities: return OutputKind::kLogProbabilities;
    case graph::End::kSigmoid: return OutputKind::kSigmoid;
  }
  return OutputKind::kUnknown;
}

/// By the last operator alone.
OutputKind kind_of(const std::string& name, const std::string& made_by) {
  if (made_by == "Softmax") return OutputKind::kProbabilities;
  if (made_by == "LogSoftmax") return OutputKind::kLogProbabilities;
  if (made_by == "Sigmoid") return OutputKind::kSigmoid;
  const bool product = made_by == "Gemm" || made_by == "MatMul" || made_by == "Add" || made_by == "Conv";
  return product || name == kLogits ? OutputKind::kLogits : OutputKind::kUnknown;
}

/// The output that is asked for, else "logits", else the only one [N, C]; nothing where several may be meant.
template <typename Ports>
void take_output(const Ports& outputs, const std::string& wanted, CardOutput& output) {
  auto chosen =
      std::find_if(outputs.begin(), outputs.end(), [&](const auto& port) { return port.name == (wanted.empty() ? kLogits : wanted); });
  if (chosen == outputs.end() && wanted.empty()) {
    const auto matrix = [](const auto& port) { return port.shape.size() >= 2; };
    chosen = std::find_if(outputs.begin(), outputs.end(), matrix);
    if (chosen != outputs.end() && std::find_if(chosen + 1, outputs.end(), matrix) != outputs.end()) chosen = outputs.end();
    if (chosen == outputs.end() && outputs.size() == 1) chosen = outputs.begin();
  }
  if (chosen == outputs.end()) return;
  output.name = chosen->name;
  const auto wide = std::count_if(chosen->shape.begin(), chosen->shape.end(), [](std::int64_t size) { return size > 1; });
  if (chosen->shape.size() >= 2 && chosen->shape[1] > 0 && wide - (chosen->shape[0] > 1 ? 1 : 0) <= 1) output.classes = chosen->shape[1];
}

/// One sigmoid is two classes.
void settle_classes(CardOutput& output) {
  if (output.classes == 1 && output.kind == OutputKind::kSigmoid) output.classes = 2;
}

void note(ModelCard& card, const LogSink& sink, const std::string& what) {
  card.notes.push_back(what);
  log(sink, LogLevel::kWarning, card.path.string() + ": " + what);
}

/// Input, output and cost from the graph's inferred shapes; an ONNX file with operators or an opset that this project does not know has
/// only what it declares: another runner may still compute it.
Status take_graph(ModelCard& card, const std::string& bytes, const graph::OnnxFacts& facts, const LogSink& sink) {
  const auto graph = graph::parse_onnx_file(bytes, card.path);
  const std::string wanted = card.output.name;
  if (!graph && graph.error().code != ErrorCode::kUnsupported) return graph.error();
  if (!graph) {
    if (facts.inputs.size() == 1) take_input(facts.inputs[0].name, facts.inputs[0].dtype, facts.inputs[0].shape, card.input);
    take_output(facts.outputs, wanted, card.output);
    const auto maker = facts.made_by.find(card.output.name);
    card.output.kind = kind_of(card.output.name, maker != facts.made_by.end() ? maker->second : std::string());
    settle_classes(card.output);
    note(card, sink, "the model's operators are not known here, so its cost is known only once it is opened: " + graph.error().message());
    return {};
  }
  if (graph->inputs.size() == 1) take_input(graph->inputs[0].name, graph->inputs[0].dtype, graph->inputs[0].shape, card.input);
  take_output(graph->outputs, wanted, card.output);
  const auto end = graph::find_end(*graph, card.output.name).end;
  card.output.kind = end == graph::End::kUnknown && card.output.name == kLogits ? OutputKind::kLogits : kind_of(end);
  settle_classes(card.output);
  card.parameters = graph->num_parameters();
  const auto macs = graph::count_macs(*graph);
  if (!macs && macs.error().code != ErrorCode::kUnsupported) return macs.error();
  if (macs)
    card.macs = *macs;
  else
    note(card, sink, "the model's MACs are not known: " + macs.error().message());
  return {};
}

/// What an ONNX file says of itself, where neither the user nor the sidecar does.
Status take_metadata(ModelCard& card, const graph::OnnxFacts& facts, const CardOptions& options, const Sidecar& sidecar) {
  const auto where = card.path.string();
  card.trained_on = internal::text_of(facts.metadata, graph::kTrainedOnKey);
  card.trained_on_hash = internal::text_of(facts.metadata, graph::kTrainedOnHashKey);
  if (options.recipe.empty() && !sidecar.recipe) {
    HEDGE_TRY(card.input.recipe, internal::recipe_of(facts.metadata, where));
  }
  if (options.labels.empty() && sidecar.labels.empty()) {
    HEDGE_TRY(card.labels, internal::labels_of(facts.metadata, where));
  }
  const auto overruled = [&](const char* what, bool by_user, bool by_sidecar, const char* key) {
    if ((by_user || by_sidecar) && facts.metadata.contains(key))
      card.notes.push_back(std::string("its ") + what + " is " + (by_user ? "the user's" : "the sidecar's") + ", not its metadata's");
  };
  overruled("recipe", !options.recipe.empty(), sidecar.recipe.has_value(), graph::kPreprocessKey);
  overruled("list of class names", !options.labels.empty(), !sidecar.labels.empty(), graph::kLabelsKey);
  return {};
}

void take_sidecar(ModelCard& card, const Sidecar& sidecar) {
  if (sidecar.recipe) card.input.recipe = sidecar.recipe;
  if (!sidecar.labels.empty()) card.labels = sidecar.labels;
  if (card.features == "auto" && !sidecar.features.empty()) card.features = sidecar.features;
  if (sidecar.macs > 0) card.macs = sidecar.macs;
  if (sidecar.parameters > 0) card.parameters = sidecar.parameters;
}

/// How the file is to be understood, where the user or the sidecar says it.
void take_form(ModelCard& card, const SaidForm& said) {
  if (said.input_layout != Layout::kUnknown) card.input.layout = said.input_layout;
  if (said.output_kind != OutputKind::kUnknown) card.output.kind = said.output_kind;
  if (said.output_kind == OutputKind::kLogits && card.output.classes == 1) card.output.classes = 2;
  settle_classes(card.output);
}

Status take_options(ModelCard& card, const CardOptions& options) {
  if (!options.recipe.empty()) {
    HEDGE_TRY(card.input.recipe, read_recipe(options.recipe));
  }
  if (!options.labels.empty()) {
    HEDGE_TRY(card.labels, data::read_class_names(options.labels));
  }
  return {};
}

}  // namespace

const char* to_string(Format format) {
  switch (format) {
    case Format::kOnnx: return "ONNX";
    case Format::kTflite: return "TensorFlow Lite";
    case Format::kOpenVinoIr: return "OpenVINO IR";
  }
  return "unknown";
}

const char* to_string(Layout layout) {
  switch (layout) {
    case Layout::kUnknown: break;
    case Layout::kNchw: return "NCHW";
    case Layout::kNhwc: return "NHWC";
  }
  return "unknown";
}

const char* to_string(OutputKind kind) {
  switch (kind) {
    case OutputKind::kUnknown: break;
    case OutputKind::kLogits: return "logits";
    case OutputKind::kProbabilities: return "probabilities";
    case OutputKind::kLogProbabilities: return "log_probabilities";
    case OutputKind::kSigmoid: return "sigmoid";
  }
  return "unknown";
}

Result<ModelCard> read_card(const std::filesystem::path& path, const CardOptions& options) {
  HEDGE_TRY(const auto bytes, read_file(path));
  ModelCard card{.path = path, .features = options.features};
  HEDGE_TRY(card.format, format_of(path));
  HEDGE_TRY(const auto sidecar, read_sidecar(path));
  HEDGE_TRY(const auto said, said_form(sidecar, options));
  card.output.name = said.output;
  if (card.format == Format::kOnnx) {
    HEDGE_TRY(const auto facts, graph::read_onnx_facts(bytes, path.string()));
    card.weight_files = facts.weight_files;
    HEDGE_CHECK(take_graph(card, bytes, facts, options.log));
    HEDGE_CHECK(take_metadata(card, facts, options, sidecar));
  }
  if (card.format == Format::kTflite) card.input.layout = Layout::kNhwc;  // the format has no other
  if (card.format == Format::kOpenVinoIr) card.weight_files = ir_weight_files(path);
  HEDGE_TRY(card.sha256, identity_of(path, bytes, card.weight_files));
  take_sidecar(card, sidecar);
  HEDGE_CHECK(take_options(card, options));
  take_form(card, said);
  return card;
}

Result<data::Preprocess> required_recipe(const ModelCard& card, const std::string& hint) {
  if (card.input.recipe && !card.input.recipe->normalization.mean.empty()) return *card.input.recipe;
  return Error{
      .code = ErrorCode::kNotFound,
      .what = "the model does not say how its images are prepared",
      .where = card.path.string(),
      .expected = std::string("metadata \"") + graph::kPreprocessKey + "\" or a file " + card.path.filename().string() + ".hedge.json",
      .hint = !hint.empty() ? hint
                            : "give a recipe (--recipe, --base-recipe or --global-recipe), such as "
                              "resize=256,crop=224,mean=imagenet,std=imagenet (docs/formats/preprocess.md)"};
}

Result<std::vector<std::string>> names_in_file(const std::filesystem::path& path) {
  if (path.extension() != ".onnx") return std::vector<std::string>();
  HEDGE_TRY(const auto bytes, read_file(path));
  HEDGE_TRY(const auto facts, graph::read_onnx_facts(bytes, path.string()));
  return internal::labels_of(facts.metadata, path.string());
}

void write_metadata(const ModelCard& card, graph::Graph& graph) {
  if (card.input.recipe) graph.metadata[graph::kPreprocessKey] = card.input.recipe->to_json();
  if (!card.labels.empty()) graph.metadata[graph::kLabelsKey] = Json(card.labels).dump();
}

}  // namespace hedge::model

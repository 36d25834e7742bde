#include "infer/openvino/internal/prepare.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "graph/passes.h"
#include "infer/openvino/internal/convert.h"
#include "infer/openvino/internal/cost.h"
#include "infer/openvino/internal/ends.h"
#include "infer/openvino/internal/fixed_batch.h"
#include "infer/openvino/internal/guard.h"
#include "infer/openvino/internal/image_input.h"
#include "infer/openvino/internal/surgery.h"
#include "infer/openvino/internal/values.h"

namespace hedge::infer::internal {
namespace {

using graph::End;

constexpr const char* kAuto = "auto";
constexpr const char* kLogits = "logits";

/// What the graph room knows of the penultimate tensor, or empty: then the ov::Model is searched.
std::string features_by_graph(const graph::Graph& graph, const std::shared_ptr<ov::Model>& model) {
  const auto name = graph::find_features(graph);
  return name && has_tensor(model, *name) ? *name : std::string();
}

/// A file on its way to an Executor.
struct File {
  OpenedModel opened;
  OpenVinoFacts facts;
  std::optional<ClassEnd> end;  ///< nothing: it is opened as it is
  ImageInput image;
};

std::vector<std::string> names_of(const std::vector<ov::Output<ov::Node>>& ports) {
  std::vector<std::string> names;
  for (const auto& port : ports) names.push_back(name_of(port));
  return names;
}

Error said_otherwise(const ClassEnd& end, End said) {
  return {.code = ErrorCode::kMismatch,
          .what = "the model's output is not what it is said to be",
          .where = end.name,
          .got = std::string("a ") + end.made_by + ", which gives " + graph::to_string(end.end),
          .expected = graph::to_string(said),
          .hint = "leave --output-kind (or \"output_kind\" in MODEL.hedge.json) out: the end of this model is understood"};
}

/// What the numbers are taken to be: as the operators say, else as the user does.
Result<End> settled_end(const ClassEnd& end, End said) {
  if (end.made_by.empty()) return said != End::kUnknown ? said : end.end;
  if (said != End::kUnknown && said != end.end) return said_otherwise(end, said);
  return end.end;
}

/// One number an image: the probability, or its logit, of the second of two classes.
Status check_single(const ClassEnd& end, End kind, bool said) {
  if (end.width != 1 || kind == End::kSigmoid || (said && kind == End::kLogits)) return {};
  return Error{.code = ErrorCode::kUnsupported,
               .what = end.made_by.empty() ? "the model has one output, and no sigmoid makes it"
                                           : "the model's " + end.made_by + " has one output only",
               .where = end.name,
               .got = "one output an image",
               .expected = "an output a class, or one sigmoid output of two classes",
               .hint =
                   "if it is the second class's probability, say --output-kind sigmoid, if it is that one's logit, --output-kind logits "
                   "(--base-output-kind, --global-output-kind, or \"output_kind\" in MODEL.hedge.json)"};
}

/// Logits in place of the classifying output, and the features.
Status take_end(File& file, const graph::Graph* graph, const OpenVinoOptions& options) {
  auto& model = file.opened.model;
  auto found = find_class_end(model, options.output);
  if (!found) {
    const bool none =
        options.output.empty() && (found.error().code == ErrorCode::kNotFound || found.error().code == ErrorCode::kUnsupported);
    if (options.as == OpenAs::kClassifier || !none) return found.error();
    file.facts.notes.push_back("it is opened as it is: " + found.error().message());
    return wanted_features(model, options, graph, model->get_results().at(0)->input_value(0));
  }
  ClassEnd& end = file.end.emplace(std::move(found).value());
  HEDGE_TRY(file.facts.end, settled_end(end, options.end));
  const bool said = options.end != End::kUnknown;
  if (const auto single = check_single(end, file.facts.end, said); !single) {
    if (options.as == OpenAs::kClassifier) return single;
    file.end.reset();
    return wanted_features(model, options, graph, model->get_results().at(0)->input_value(0));
  }
  HEDGE_CHECK(wanted_features(model, options, graph, end.values));
  file.facts.output = end.name;
  auto logits = end.made_by.empty() ? back_to_logits(end.values, file.facts.end) : end.values;
  if (end.width == 1) logits = two_classes(logits);
  set_output(model, end, logits);
  file.facts.classes = end.width == 1 ? 2 : end.width;
  if (!end.made_by.empty())
    file.facts.notes.push_back("its output " + end.name + " ends in a " + end.made_by + ": the logits before it are used" +
                               (end.width == 1 ? ", as two classes, the negative first" : ""));
  else if (said && end.end != file.facts.end)
    file.facts.notes.push_back("its output " + end.name + " is taken to be " + graph::to_string(file.facts.end) + ", as it is said to be");
  return {};
}

/// Names by position: the classifying output is "logits", no other is.
void name_outputs(File& file, const std::vector<std::string>& own) {
  file.opened.output_names = own;
  for (std::size_t i = 0; i < own.size(); ++i)
    if (file.end && (i == file.end->output || own[i] == kLogits))
      file.opened.output_names[i] = i == file.end->output ? kLogits : own[i] + "_2";
  if (file.opened.model->outputs().size() > own.size()) file.opened.output_names.push_back("features");
}

Status edit(File& file, const graph::Graph* graph, const OpenVinoOptions& options) {
  auto& model = file.opened.model;
  file.facts.input = model->inputs().empty() ? std::string() : name_of(model->input(0));
  if (!model->inputs().empty())
    if (const auto dtype = to_dtype(model->input(0).get_element_type())) file.facts.dtype = *dtype;
  model = with_real_outputs(with_dynamic_batch(model));
  if (options.normalization) {
    HEDGE_TRY(file.image, find_image_input(model, static_cast<std::int64_t>(options.normalization->mean.size()), options));
    model = with_image_size(model, file.image, options);
  }
  file.facts.macs = count_macs(model);
  file.facts.parameters = count_parameters(model);
  file.opened.input_names = names_of(model->inputs());
  const auto own = names_of(model->outputs());
  if (options.as == OpenAs::kAsItIs) {
    HEDGE_CHECK(wanted_features(model, options, graph, model->get_results().at(0)->input_value(0)));
  } else {
    HEDGE_CHECK(take_end(file, graph, options));
  }
  name_outputs(file, own);
  if (options.normalization) {
    HEDGE_TRY(model, with_normalization(model, *options.normalization, file.image));
  } else {
    model = with_f32_inputs(model);
  }
  file.facts.layout = file.image.layout;
  file.facts.least = file.image.least;
  file.facts.most = file.image.most;
  file.facts.notes.insert(file.facts.notes.end(), file.image.notes.begin(), file.image.notes.end());
  return {};
}

Result<std::unique_ptr<Executor>> compile(const File& file, const OpenVinoOptions& options) {
  HEDGE_TRY(auto executor, make_executor(file.opened, options));
  return file.end ? with_any_batch(std::move(executor)) : std::move(executor);
}

/// Whether the operators left open what the numbers are, and nobody said it.
bool is_open(const File& file, const OpenVinoOptions& options) {
  return file.end && file.end->made_by.empty() && options.end == End::kUnknown && file.end->width != 1;
}

/// The values against the operators: probabilities that a product with weights makes are a contradiction, all others are taken back.
Status settle_by_values(File& file, End values, const OpenVinoOptions& options, std::unique_ptr<Executor>& executor) {
  const std::string& name = file.end->name;
  if (values == End::kProbabilities && file.end->end == End::kLogits)
    return Error{
        .code = ErrorCode::kMismatch,
        .what = "a matrix product or convolution makes the model's output, as logits are made, but its values are probabilities",
        .where = name,
        .got = "rows in 0..1 whose sum is 1",
        .hint =
            "say which it is: --output-kind probabilities or logits (--base-output-kind, --global-output-kind, or \"output_kind\" in "
            "MODEL.hedge.json)"};
  if (file.end->end == End::kUnknown && values == End::kUnknown)
    file.facts.notes.push_back("neither operators nor values say what its output " + name + " gives: it is taken to be logits");
  if (values == End::kLogits) file.facts.end = End::kLogits;
  if (values == End::kLogProbabilities) {
    file.facts.end = values;
    file.facts.notes.push_back("its output " + name + " gives logarithms of probabilities, by their values: they are taken as logits");
  }
  if (values != End::kProbabilities) return {};
  file.facts.end = values;
  file.facts.notes.push_back("its output " + name + " gives probabilities, by their values: their logarithms are taken as logits");
  HEDGE_CHECK(guarded(ErrorCode::kInternal, file.opened.where, [&]() -> Status {
    auto& model = file.opened.model;
    set_output(model, *file.end, back_to_logits(model->get_results().at(file.end->output)->input_value(0), values));
    return {};
  }));
  HEDGE_TRY(executor, compile(file, options));
  return {};
}

}  // namespace

Status wanted_features(const std::shared_ptr<ov::Model>& model, const OpenVinoOptions& options, const graph::Graph* graph,
                       const ov::Output<ov::Node>& logits) {
  if (options.features.empty()) return {};
  if (options.features != kAuto) return add_features(model, options.features, logits);
  return add_features(model, graph != nullptr ? features_by_graph(*graph, model) : std::string(), logits);
}

Result<OpenedFile> prepare_file(OpenedModel opened, const graph::Graph* graph, const OpenVinoOptions& options) {
  File file{.opened = std::move(opened)};
  auto edited = guarded(ErrorCode::kInternal, file.opened.where, [&]() -> Status { return edit(file, graph, options); });
  if (!edited) {
    Error error = edited.error();
    if (error.where.find(file.opened.where) == std::string::npos)
      error.where = file.opened.where + (error.where.empty() ? "" : ": " + error.where);
    return error;
  }
  HEDGE_TRY(auto executor, compile(file, options));
  if (is_open(file, options)) {
    HEDGE_TRY(const End values, end_by_values(*executor, options.height, options.width));
    auto settled = settle_by_values(file, values, options, executor);
    if (!settled) {
      Error error = settled.error();
      error.where = file.opened.where + ": " + error.where;
      return error;
    }
  }
  return OpenedFile{.executor = std::move(executor), .facts = std::move(file.facts)};
}

}  // namespace hedge::infer::internal

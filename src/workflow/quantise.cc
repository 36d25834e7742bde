#include "workflow/quantise.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <utility>

#include "codegen/lower.h"
#include "codegen/quantize_costs.h"
#include "codegen/quantize_equalize.h"
#include "codegen/quantize_learning.h"
#include "eval/answers.h"
#include "graph/onnx/onnx_io.h"
#include "hedge/dataset.h"
#include "hedge/model.h"
#include "infer/openvino/openvino_executor.h"
#include "model/class_map.h"
#include "model/metadata.h"
#include "model/model_graph.h"
#include "train/teacher.h"
#include "workflow/calibration.h"
#include "workflow/internal/findings.h"
#include "workflow/internal/stop.h"
#include "workflow/internal/trainable.h"

namespace hedge::workflow {
namespace {

constexpr std::size_t kCompared = 16;     // images at once
constexpr std::size_t kNoiseImages = 16;  // that signal and noise are measured on

/// A model and its card, whose recipe and class names stand in its metadata too.
struct Model {
  graph::Graph graph;
  model::ModelCard card;
};

Result<Model> read_model(const QuantiseOptions& options) {
  Model model;
  if (!options.table.empty()) {  // a router: no classifier
    HEDGE_TRY(model.graph, graph::read_onnx(options.model));
    HEDGE_TRY(model.card, model::read_card(options.model, {.recipe = options.recipe, .labels = options.labels}));
  } else {
    HEDGE_TRY(auto read, model::read_model_graph(options.model, {.recipe = options.recipe, .labels = options.labels}));
    model = {.graph = std::move(read.graph), .card = std::move(read.card)};
  }
  model::write_metadata(model.card, model.graph);
  if (options.table.empty()) HEDGE_CHECK(model::required_recipe(model.card));
  return model;
}

/// The class with the largest of its logits. `columns`: of each class; empty: they are in order.
std::int64_t best_class(std::span<const float> logits, const std::vector<std::int64_t>& columns) {
  if (columns.empty()) return std::max_element(logits.begin(), logits.end()) - logits.begin();
  const auto at = [&](std::int64_t column) { return logits[static_cast<std::size_t>(column)]; };
  return std::max_element(columns.begin(), columns.end(), [&](auto a, auto b) { return at(a) < at(b); }) - columns.begin();
}

/// Refuses the model, or records that its user accepts what is wrong.
void alarm(const std::string& what, const QuantiseOptions& options, QuantiseReport& report) {
  if (options.accept_risk)
    report.accepted_risks.push_back(what);
  else if (!report.refused)
    report.refused =
        Error{.code = ErrorCode::kAlarm,
              .what = what + "; no model was written",
              .where = options.model,
              .hint =
                  "see \"hedge check\" for the model in floats; more calibration images (--images) or --method percentile lose "
                  "less in int8; --accept-risk writes the model all the same"};
}

/// The answers of both models on every image of `test`, as class indices of the model: their accuracies, and an alarm where the floats are
/// not above chance.
Status compare(const QuantiseOptions& options, const Model& model, const codegen::Network& network, const RunContext& context,
               QuantiseReport& report) {
  HEDGE_TRY(const auto opened, data::open_dataset(options.test, {.log = context.log}));
  const auto& dataset = *opened.dataset;
  HEDGE_TRY(const auto floats, infer::make_openvino_executor(model.graph, {.threads = options.threads}));
  const std::string& input = model.graph.inputs[0].name;
  HEDGE_TRY(const auto integers, codegen::make_host_executor(network, options.arithmetic, input));
  HEDGE_TRY(const std::size_t logits, find_spec(floats->outputs(), network.output_names[0]));
  const std::int64_t outputs = floats->outputs()[logits].shape[1];
  HEDGE_TRY(const auto maps,
            model::map_classes(dataset.class_names(), {.names = model.card.labels, .outputs = outputs, .where = options.model}, {}));
  const auto best = [&](const Tensor& scores, std::size_t row) {
    const auto width = static_cast<std::size_t>(outputs);
    return best_class(scores.data<float>().subspan(row * width, width), maps.base_columns);
  };
  std::vector<std::int64_t> labels, of_float, of_int8;
  for (std::size_t first = 0; first < dataset.size(); first += kCompared) {
    HEDGE_CHECK(internal::check_stop(context.should_stop, options.test));
    std::vector<std::size_t> indices;
    for (std::size_t i = first; i < std::min(first + kCompared, dataset.size()); ++i) indices.push_back(i);
    HEDGE_TRY(const Tensor images, images_of(dataset, *model.card.input.recipe, indices));
    const NamedView view{input, images.view()};
    HEDGE_TRY(const auto a, floats->run({&view, 1}));
    HEDGE_TRY(const auto b, integers->run({&view, 1}));
    for (std::size_t i = 0; i < indices.size(); ++i) {
      labels.push_back(maps.space.of_dataset[static_cast<std::size_t>(dataset.label(indices[i]))]);
      of_float.push_back(best(a[logits], i));
      of_int8.push_back(best(b[0], i));
    }
    if (context.progress)
      context.progress({.what = "compare", .done = static_cast<double>(labels.size()), .total = static_cast<double>(dataset.size())});
  }
  const auto floats_alone = eval::check_answers(labels, of_float, static_cast<std::int64_t>(maps.space.names.size()));
  for (const auto& finding : internal::judge_answers(floats_alone, "the model in floats", maps.space.names))
    if (finding.weight == Weight::kAlarm) alarm(finding.text, options, report);
  HEDGE_TRY(report.accuracy, codegen::compare_accuracy(labels, of_float, of_int8));
  return {};
}

/// Adds the noise of each activation and, where it was asked for, the accuracies. The noise is measured on images of `test`, if there are
/// any: on those that the weights were rounded on it is smaller.
Status measure(const QuantiseOptions& options, const Model& model, const QuantisedGraph& made, const RunContext& context,
               QuantiseReport& report) {
  HEDGE_TRY(const auto network, codegen::lower(made.graph));
  HEDGE_TRY(const auto runner, codegen::HostRunner::create(network, codegen::Arithmetic::kExact));
  HEDGE_TRY(const auto opened, data::open_dataset(options.test.empty() ? options.data : options.test));
  const CalibrationImages images(
      *opened.dataset,
      {.recipe = *model.card.input.recipe, .input = model.graph.inputs[0].name, .count = kNoiseImages, .should_stop = context.should_stop});
  const infer::OpenVinoRunner floats({.threads = options.threads});
  HEDGE_TRY(report.noise, codegen::measure_noise(made.plan, runner, floats, images));
  if (options.costs)
    HEDGE_CHECK(codegen::measure_costs({.plan = made.plan,
                                        .small = made.graph,
                                        .floats = floats,
                                        .data = images,
                                        .progress = context.progress,
                                        .should_stop = context.should_stop},
                                       *report.noise));
  if (options.test.empty()) return {};
  return compare(options, model, network, context, report);
}

GraphQuantisation graph_options(const QuantiseOptions& options, const RunContext& context) {
  return {.ranges = {.method = options.method, .percentile = options.percentile, .progress = context.progress},
          .equalize = options.equalize,
          .tuning = options.table.empty() ? std::optional(options.tuning) : std::nullopt,
          .threads = options.threads};
}

/// Trains the int8 graph's constants on all of the images, towards the answers of the model in floats.
Status fine_tune(const QuantiseOptions& options, const Model& model, const data::Dataset& images, const RunContext& context,
                 QuantisedGraph& made) {
  const auto& tuning = options.fine_tuning;
  const auto& recipe = *model.card.input.recipe;
  const train::TrainOptions training{.epochs = tuning.epochs,
                                     .batch = tuning.batch,
                                     .learning_rate = tuning.learning_rate,
                                     .weight_decay = 0,  // weights do not shrink away from what they were rounded to
                                     .precision = train::Precision::kF32,
                                     .layout = train::Layout::kNchw,
                                     .threads = options.threads};
  train::Objective objective{.teacher = train::Teacher{.graph = model.graph, .recipe = recipe, .weight = 1, .temperature = 1}};
  HEDGE_TRY(objective.teacher->cached, train::predict_teacher(*objective.teacher, images, training, internal::hooks_of(context)));
  HEDGE_TRY(auto learnable, codegen::with_learnable_constants(made.graph, made.plan));
  HEDGE_TRY(const auto learned,
            train::train_classifier(std::move(learnable), images, recipe, training, internal::hooks_of(context), objective));
  HEDGE_TRY(made.graph, codegen::with_learned_constants(std::move(made.graph), learned.graph));
  return {};
}

void warn_of_few(std::size_t images, QuantiseReport& report) {
  if (images >= kFewestCalibrationImages) return;
  report.warnings.push_back("ranges were measured on " + std::to_string(images) + " images: with fewer than " +
                            std::to_string(kFewestCalibrationImages) +
                            " they depend on which ones these are; give more (--data, --images)");
}

/// "2.1 points (95 %: 0.8 to 3.4)"
std::string loss_of(const codegen::AccuracyReport& accuracy) {
  char text[80];
  std::snprintf(text, sizeof text, "%.1f points (95 %%: %.1f to %.1f)", -100 * accuracy.difference, -100 * accuracy.high,
                -100 * accuracy.low);
  return text;
}

}  // namespace

void judge_loss(const QuantiseOptions& options, QuantiseReport& report) {
  const auto& accuracy = *report.accuracy;
  if (options.least_accuracy && accuracy.int8_accuracy < *options.least_accuracy) {
    report.refused = Error{.code = ErrorCode::kUnreachable,
                           .what = "int8 is right on " + internal::percent(accuracy.int8_accuracy) + " of the test images, and " +
                                   internal::percent(*options.least_accuracy) + " are asked for; no model was written",
                           .where = options.model,
                           .hint = "give more calibration images (--images), or a lower --least-accuracy"};
  } else if (accuracy.high < -kMostLoss && !options.least_accuracy) {
    alarm("int8 is worse than floats by " + loss_of(accuracy), options, report);
  } else if (accuracy.high < 0) {
    report.warnings.push_back("int8 is worse than floats by " + loss_of(accuracy));
  } else if (accuracy.low < -kMostLoss) {
    report.warnings.push_back(std::to_string(accuracy.images) + " test images cannot tell whether int8 loses 5 points or none: " +
                              loss_of(accuracy) + "; give more (--test)");
  }
}

Result<QuantisedGraph> quantise_graph(graph::Graph graph, const codegen::CalibrationData& data, const GraphQuantisation& options) {
  const infer::OpenVinoRunner floats({.threads = options.threads});
  QuantisedGraph made;
  HEDGE_TRY(made.plan, codegen::plan_quantization(std::move(graph)));
  if (options.equalize) {
    HEDGE_TRY(made.plan, codegen::equalize_channels(std::move(made.plan), floats, data));
  }
  HEDGE_TRY(const auto ranges, codegen::calibrate(made.plan, floats, data, options.ranges));
  HEDGE_TRY(made.graph, codegen::quantize(made.plan, ranges));
  if (options.tuning) {
    HEDGE_TRY(made.graph, codegen::tune(std::move(made.graph), made.plan, floats, data, *options.tuning));
  }
  return made;
}

Result<QuantiseReport> quantise(const QuantiseOptions& options, const RunContext& context) {
  if (options.least_accuracy && options.test.empty())
    return Error{.code = ErrorCode::kInvalidArgument, .what = "a least accuracy needs labelled images", .expected = "--test"};
  if (options.data.empty() == options.table.empty())
    return Error{.code = ErrorCode::kInvalidArgument, .what = "nothing to calibrate with", .expected = "--data, or --table for a router"};
  if (options.fine_tuning.epochs > 0 && options.data.empty())
    return Error{.code = ErrorCode::kInvalidArgument, .what = "a router is not trained for being rounded", .where = "--fine-tune"};
  HEDGE_TRY(const auto model, read_model(options));
  QuantiseReport report{.model = options.model, .out = options.out.string(), .method = codegen::to_string(options.method)};
  if (!options.table.empty()) {
    HEDGE_TRY(const auto rows, calibration_rows(options.table, model.graph));
    HEDGE_TRY(const auto made, quantise_graph(model.graph, rows, graph_options(options, context)));
    HEDGE_CHECK(graph::write_onnx(options.out, made.graph));
    return report;
  }
  HEDGE_TRY(const auto opened, data::open_dataset(options.data, {.log = context.log}));
  const CalibrationImages images(*opened.dataset, {.recipe = *model.card.input.recipe,
                                                   .input = model.graph.inputs.at(0).name,
                                                   .count = options.images,
                                                   .should_stop = context.should_stop});
  warn_of_few(std::min(options.images, opened.dataset->size()), report);
  HEDGE_TRY(auto made, quantise_graph(model.graph, images, graph_options(options, context)));
  if (options.fine_tuning.epochs > 0) HEDGE_CHECK(fine_tune(options, model, *opened.dataset, context, made));
  report.test = options.test;
  report.arithmetic = codegen::to_string(options.arithmetic);
  HEDGE_CHECK(measure(options, model, made, context, report));
  if (report.accuracy) judge_loss(options, report);
  for (const auto& risk : report.accepted_risks) log(context.log, LogLevel::kWarning, "risk accepted: " + risk);
  for (const auto& warning : report.warnings) log(context.log, LogLevel::kWarning, warning);
  if (!report.refused) HEDGE_CHECK(graph::write_onnx(options.out, made.graph));
  return report;
}

Json to_json(const QuantiseReport& report) {
  Json json = {{"model", report.model}, {"out", report.out}, {"method", report.method}};
  if (report.noise) json["tensors"] = codegen::to_json(*report.noise);
  json["warnings"] = report.warnings;
  if (!report.accuracy) return json;
  json["accuracy"] = codegen::to_json(*report.accuracy);
  json["accuracy"]["data"] = report.test;
  json["accuracy"]["arithmetic"] = report.arithmetic;
  json["written"] = !report.refused;
  json["refused"] = report.refused ? Json(report.refused->message()) : Json();
  json["accepted_risks"] = report.accepted_risks;
  return json;
}

}  // namespace hedge::workflow

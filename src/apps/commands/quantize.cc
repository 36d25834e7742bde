#include <algorithm>
#include <memory>
#include <optional>

#include "apps/mcu_commands.h"
#include "apps/quantise.h"
#include "codegen/host.h"
#include "codegen/lower.h"
#include "codegen/quantize_report.h"
#include "codegen/tflite.h"
#include "core/file.h"
#include "core/json.h"
#include "graph/onnx/onnx_io.h"
#include "graph/passes.h"
#include "hedge/dataset.h"
#include "hedge/model.h"
#include "hedge/predictions.h"
#include "model/class_map.h"
#include "model/metadata.h"

namespace hedge::apps {
namespace {

constexpr std::size_t kBatch = 16;  // images compared at once
constexpr std::size_t kNoiseImages = 16;

struct Flags {
  std::string model, data, table, test, out, report, recipe, labels;
  std::string method = "mse";
  std::string arithmetic = "exact";
  double percentile = 99.99;
  std::size_t images = 256;
  int threads = 0;
  bool plain = false;
  bool biases_stay = false;
};

/// A model with what is known of its images and classes.
struct Model {
  graph::Graph graph;
  std::optional<data::Preprocess> recipe;
  std::vector<std::string> labels;
};

/// Takes what user, sidecar and metadata say, and writes it into the graph's metadata.
Status describe(const Flags& flags, const std::string& path, Model& model) {
  HEDGE_TRY(auto card, model::read_card(path, {.recipe = flags.recipe, .labels = flags.labels}));
  model::write_metadata(card, model.graph);
  model.recipe = std::move(card.input.recipe);
  model.labels = std::move(card.labels);
  return {};
}

/// A router's inputs from a prediction table, all rows as one batch.
Result<codegen::CalibrationData> rows_of(const std::string& path, const graph::Graph& graph) {
  HEDGE_TRY(const auto table, routing::read_table(path));
  std::map<std::string, Tensor> batch;
  for (const auto& input : graph.inputs) {
    if (input.name != "logits" && input.name != "features")
      return Error{.code = ErrorCode::kUnsupported,
                   .what = "a table calibrates routers: graphs of logits and features",
                   .where = "input " + input.name};
    batch.emplace(input.name, input.name == "logits" ? table.base_logits : table.base_features);
  }
  return codegen::CalibrationData{.batches = 1, .batch = [batch](std::size_t) -> Result<std::map<std::string, Tensor>> { return batch; }};
}

/// The class with the largest of its logits. `columns`: of each class; empty: they are in order.
std::int64_t best_class(std::span<const float> logits, const std::vector<std::int64_t>& columns) {
  if (columns.empty()) return std::max_element(logits.begin(), logits.end()) - logits.begin();
  const auto at = [&](std::int64_t column) { return logits[static_cast<std::size_t>(column)]; };
  return std::max_element(columns.begin(), columns.end(), [&](auto a, auto b) { return at(a) < at(b); }) - columns.begin();
}

/// The answers of both models on every image of --test, as class indices of the model.
Result<codegen::AccuracyReport> accuracy(const Flags& flags, const Model& model, const codegen::Network& network, Console& console) {
  HEDGE_TRY(const auto arithmetic, codegen::arithmetic(flags.arithmetic));
  HEDGE_TRY(const auto opened, data::open_dataset(flags.test, {.log = console.log()}));
  const auto& dataset = *opened.dataset;
  HEDGE_TRY(const auto floats, float_executors(flags.threads)(model.graph));
  const std::string& input = model.graph.inputs[0].name;
  HEDGE_TRY(const auto integers, codegen::make_host_executor(network, arithmetic, input));
  HEDGE_TRY(const std::size_t logits, find_spec(floats->outputs(), network.output_names[0]));
  const std::int64_t outputs = floats->outputs()[logits].shape[1];
  HEDGE_TRY(const auto maps,
            model::map_classes(dataset.class_names(), {.names = model.labels, .outputs = outputs, .where = flags.model}, {}));
  const auto best = [&](const Tensor& scores, std::size_t row) {
    const auto width = static_cast<std::size_t>(outputs);
    return best_class(scores.data<float>().subspan(row * width, width), maps.base_columns);
  };
  const auto progress = console.progress("hedge: ");
  std::vector<std::int64_t> labels, of_float, of_int8;
  for (std::size_t first = 0; first < dataset.size(); first += kBatch) {
    std::vector<std::size_t> indices;
    for (std::size_t i = first; i < std::min(first + kBatch, dataset.size()); ++i) indices.push_back(i);
    HEDGE_TRY(const Tensor images, images_of(dataset, *model.recipe, indices));
    const NamedView view{input, images.view()};
    HEDGE_TRY(const auto a, floats->run({&view, 1}));
    HEDGE_TRY(const auto b, integers->run({&view, 1}));
    for (std::size_t i = 0; i < indices.size(); ++i) {
      labels.push_back(maps.space.of_dataset[static_cast<std::size_t>(dataset.label(indices[i]))]);
      of_float.push_back(best(a[logits], i));
      of_int8.push_back(best(b[0], i));
    }
    progress({.what = "compare", .done = static_cast<double>(labels.size()), .total = static_cast<double>(dataset.size())});
  }
  return codegen::compare_accuracy(labels, of_float, of_int8);
}

void print(const std::vector<codegen::TensorNoise>& noise) {
  std::printf("%-18s %-44s %10s %12s %5s\n", "kind", "tensor", "SNR (dB)", "scale", "zero");
  for (const auto& one : noise)
    std::printf("%-18s %-44.44s %10.1f %12.6g %5d\n", one.kind.c_str(), one.tensor.c_str(), one.signal_to_noise_db,
                static_cast<double>(one.scale), one.zero_point);
}

void print(const codegen::AccuracyReport& r) {
  std::printf("%lld images: float %.2f %%, int8 %.2f %%, difference %+.2f points (95 %%: %+.2f to %+.2f), same label on %.2f %%\n",
              static_cast<long long>(r.images), 100 * r.float_accuracy, 100 * r.int8_accuracy, 100 * r.difference, 100 * r.low,
              100 * r.high, 100 * r.agreement);
}

/// Noise a tensor, and with --test the accuracies: prints them and adds them to `json`.
Status report(const Flags& flags, const Model& model, const Quantised& made, const data::Dataset& dataset, Console& console, Json& json) {
  HEDGE_TRY(const auto network, codegen::lower(made.graph));
  HEDGE_TRY(const auto runner, codegen::HostRunner::create(network, codegen::Arithmetic::kExact));
  const auto images = calibration_of(dataset, *model.recipe, model.graph.inputs[0].name, kNoiseImages);
  HEDGE_TRY(const auto noise, codegen::measure_noise(made.plan, runner, float_executors(flags.threads), images));
  json["tensors"] = codegen::to_json(noise);
  print(noise);
  if (flags.test.empty()) return {};
  HEDGE_TRY(const auto compared, accuracy(flags, model, network, console));
  json["accuracy"] = codegen::to_json(compared);
  json["accuracy"]["data"] = flags.test;
  json["accuracy"]["arithmetic"] = flags.arithmetic;
  print(compared);
  return {};
}

/// Calibrates and quantises; with images also reports.
Status quantize(const Flags& flags, Context& context) {
  Model model;
  HEDGE_TRY(model.graph, graph::read_onnx(flags.model));
  HEDGE_CHECK(describe(flags, flags.model, model));
  if (!flags.data.empty() && !model.recipe)
    return Error{.code = ErrorCode::kNotFound, .what = "nothing says how to prepare images", .where = flags.model, .hint = "give --recipe"};
  QuantiseOptions options{.equalize = !flags.plain, .correct_biases = flags.table.empty() && !flags.biases_stay, .threads = flags.threads};
  options.ranges = {.percentile = flags.percentile, .progress = context.console.progress("hedge: ")};
  HEDGE_TRY(options.ranges.method, codegen::range_method(flags.method));
  data::Opened opened;
  codegen::CalibrationData rows;
  if (flags.table.empty()) {
    HEDGE_TRY(opened, data::open_dataset(flags.data, {.log = context.console.log()}));
    rows = calibration_of(*opened.dataset, *model.recipe, model.graph.inputs.at(0).name, flags.images);
  } else {
    HEDGE_TRY(rows, rows_of(flags.table, model.graph));
  }
  HEDGE_TRY(const auto made, quantise(model.graph, rows, options));
  HEDGE_CHECK(graph::write_onnx(flags.out, made.graph));
  Json json = {{"model", flags.model}, {"out", flags.out}, {"method", flags.method}};
  if (opened.dataset) HEDGE_CHECK(report(flags, model, made, *opened.dataset, context.console, json));
  if (!flags.report.empty()) HEDGE_CHECK(write_file_atomic(flags.report, json.dump(2) + "\n"));
  std::printf("wrote %s\n", flags.out.c_str());
  return {};
}

/// What the integers of the network's input can hold, beside what the recipe makes of images: another mean and std than the file was made
/// with cost accuracy, and nothing else tells.
void print_input(const codegen::Network& network, const std::optional<data::Preprocess>& recipe) {
  const codegen::Activation& input = network.activations[network.input];
  const auto real = [&](int q) { return static_cast<double>(input.scale) * (q - input.zero_point); };
  const double low = real(-128), high = real(127);
  std::printf("its input holds values from %.3f to %.3f", low, high);
  if (recipe) {
    const auto& [mean, std] = recipe->normalization;
    double least = 0, most = 0;
    for (std::size_t c = 0; c < mean.size(); ++c) {
      least = std::min(least, static_cast<double>((0 - mean[c]) / std[c]));
      most = std::max(most, static_cast<double>((1 - mean[c]) / std[c]));
    }
    std::printf("; the recipe makes %.3f to %.3f", least, most);
    const double slack = 0.1 * (high - low);
    if (least < low - slack || most > high + slack) std::printf(": images are cut off, look for the mean and std it was trained with");
  }
  std::printf("\n");
}

Status import(const Flags& flags) {
  Model model;
  HEDGE_TRY(model.graph, codegen::read_tflite(flags.model));
  HEDGE_CHECK(describe(flags, flags.model, model));
  HEDGE_TRY(const auto network, codegen::lower(model.graph));
  std::int64_t macs = 0;
  for (const auto& layer : network.layers) macs += layer.macs;
  HEDGE_CHECK(graph::write_onnx(flags.out, model.graph));
  std::printf("wrote %s: %zu int8 layers, %lld MACs\n", flags.out.c_str(), network.layers.size(), static_cast<long long>(macs));
  print_input(network, model.recipe);
  if (!model.recipe) std::printf("nothing says how to prepare its images yet: give --recipe here, or to the commands that run it\n");
  return {};
}

void add_described(CLI::App& app, Flags& f) {
  app.add_option("--recipe", f.recipe, "how images are prepared, JSON or the short form, where the model does not say it");
  app.add_option("--labels", f.labels, "the outputs' class names, where the model does not say them");
  app.add_option("-o,--out", f.out, "where the int8 model goes (.onnx)")->required();
}

}  // namespace

void add_mcu_quantize(CLI::App& mcu, Context& context) {
  auto* app =
      mcu.add_subcommand("quantize", "a model in floats -> int8 (.onnx with QuantizeLinear and DequantizeLinear), ranges from images");
  auto f = std::make_shared<Flags>();  // shared with the callback, which outlives this function
  app->add_option("MODEL", f->model, "an .onnx file in floats: a base, or a router")->required();
  auto* data = app->add_option("--data", f->data, "images to calibrate with, e.g. fashion-mnist?split=calibration; labels are not used");
  app->add_option("--table", f->table, "instead, for a router: a prediction table to calibrate with")->excludes(data);
  app->add_option("--test", f->test, "also compare floats and int8 on these labelled images");
  app->add_option("--images", f->images, "how many of --data, evenly spread")->capture_default_str()->check(CLI::Range(1, 1000000));
  app->add_option("--method", f->method, "ranges: mse, percentile or min-max")->capture_default_str();
  app->add_option("--percentile", f->percentile, "of the values, for --method percentile")->capture_default_str();
  app->add_option("--arithmetic", f->arithmetic, "of the comparison: exact (TFLite's) or device (a microcontroller's)")
      ->capture_default_str();
  app->add_flag("--no-equalize", f->plain, "leave the channels before depthwise layers as they are");
  app->add_flag("--no-bias-correction", f->biases_stay, "leave the biases as they round, not such that each channel's mean is the floats'");
  app->add_option("--report", f->report, "the report as JSON");
  app->add_option("--threads", f->threads, "of the model in floats; 0: as many as OpenVINO likes")
      ->capture_default_str()
      ->check(CLI::Range(0, 1024));
  add_described(*app, *f);
  app->callback([f, &context] {
    context.chosen = [f, &context]() -> Status {
      if (f->data.empty() == f->table.empty())
        return Error{
            .code = ErrorCode::kInvalidArgument, .what = "nothing to calibrate with", .expected = "--data, or --table for a router"};
      return quantize(*f, context);
    };
  });
}

void add_mcu_import(CLI::App& mcu, Context& context) {
  auto* app = mcu.add_subcommand("import", "a quantised .tflite -> int8 .onnx, which runs, bundles and exports as any model");
  auto f = std::make_shared<Flags>();  // shared with the callback, which outlives this function
  app->add_option("MODEL", f->model, "a quantised .tflite file")->required();
  add_described(*app, *f);
  app->callback([f, &context] { context.chosen = [f] { return import(*f); }; });
}

}  // namespace hedge::apps

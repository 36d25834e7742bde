#include <algorithm>
#include <memory>
#include <optional>

#include "apps/labels.h"
#include "apps/mcu_commands.h"
#include "apps/sidecar.h"
#include "codegen/calibrate.h"
#include "codegen/host.h"
#include "codegen/lower.h"
#include "codegen/quantize_equalize.h"
#include "codegen/quantize_report.h"
#include "codegen/tflite.h"
#include "core/file.h"
#include "core/json.h"
#include "data/dataset.h"
#include "data/label_map.h"
#include "data/preprocess.h"
#include "graph/onnx/onnx_io.h"
#include "graph/passes.h"
#include "infer/openvino/openvino_executor.h"
#include "routing/prediction_table.h"

namespace hedge::apps {
namespace {

constexpr std::size_t kBatch = 16;
constexpr std::size_t kNoisePictures = 16;

struct Flags {
  std::string model, data, table, test, out, report, recipe, labels;
  std::string method = "mse";
  std::string arithmetic = "exact";
  double percentile = 99.99;
  std::size_t pictures = 256;
  int threads = 0;
  bool plain = false;
};

/// A model in floats with what is known of its pictures and classes.
struct Model {
  graph::Graph graph;
  data::Preprocess recipe;
  bool has_recipe = false;
  std::vector<std::string> labels;
};

/// What the user says holds before the sidecar, and that before the metadata.
Status describe(const Flags& flags, const std::string& path, Model& model) {
  HEDGE_TRY(const auto sidecar, read_sidecar(path));
  const auto& metadata = model.graph.metadata;
  if (!flags.recipe.empty()) {
    HEDGE_TRY(model.recipe, read_recipe(flags.recipe));
    model.has_recipe = true;
  } else if (sidecar.recipe) {
    model.recipe = *sidecar.recipe;
    model.has_recipe = true;
  } else if (const auto found = metadata.find(graph::kPreprocessKey); found != metadata.end()) {
    HEDGE_TRY(model.recipe, data::Preprocess::from_json(found->second));
    model.has_recipe = true;
  }
  model.labels = sidecar.labels;
  if (!flags.labels.empty()) {
    HEDGE_TRY(model.labels, data::read_class_names(flags.labels));
  } else if (const auto found = metadata.find(graph::kLabelsKey); model.labels.empty() && found != metadata.end()) {
    HEDGE_TRY(model.labels, parse_labels(found->second, path + ": " + graph::kLabelsKey));
  }
  if (model.has_recipe) model.graph.metadata[graph::kPreprocessKey] = model.recipe.to_json();
  if (!model.labels.empty()) model.graph.metadata[graph::kLabelsKey] = Json(model.labels).dump();
  return {};
}

codegen::MakeExecutor openvino(int threads) {
  return [threads](const graph::Graph& graph) { return infer::make_openvino_executor(graph, {.threads = threads}); };
}

/// Pictures `indices` of the data set as f32 [n, C, H, W].
Result<Tensor> pictures_of(const data::Dataset& dataset, const data::Preprocess& recipe, std::span<const std::size_t> indices) {
  Tensor images(DType::kF32, {static_cast<std::int64_t>(indices.size()), recipe.channels, recipe.height, recipe.width});
  const auto each = static_cast<std::size_t>(recipe.channels * recipe.height * recipe.width);
  for (std::size_t i = 0; i < indices.size(); ++i) {
    HEDGE_TRY(const auto picture, dataset.picture(indices[i]));
    HEDGE_TRY(const auto fitted, data::fit_picture(picture, recipe));
    data::normalize_into(fitted, recipe.normalization, images.data<float>().data() + i * each);
  }
  return images;
}

/// `count` pictures, evenly over the data set, in batches. `dataset` must outlive the result.
codegen::CalibrationData spread(const data::Dataset& dataset, const Model& model, std::size_t count) {
  std::vector<std::size_t> indices;
  count = std::min(count, dataset.size());
  for (std::size_t i = 0; i < count; ++i) indices.push_back(i * dataset.size() / count);
  const std::string name = model.graph.inputs[0].name;
  return {.batches = (count + kBatch - 1) / kBatch,
          .batch = [&dataset, recipe = model.recipe, indices, name](std::size_t b) -> Result<std::map<std::string, Tensor>> {
            const std::size_t first = b * kBatch, size = std::min(kBatch, indices.size() - first);
            HEDGE_TRY(auto images, pictures_of(dataset, recipe, std::span(indices).subspan(first, size)));
            std::map<std::string, Tensor> batch;
            batch.emplace(name, std::move(images));
            return batch;
          }};
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

/// The answers of both models on every picture of --test, as class indices of the model.
Result<codegen::AccuracyReport> accuracy(const Flags& flags, const Model& model, const codegen::Network& network, Console& console) {
  HEDGE_TRY(const auto arithmetic, codegen::arithmetic(flags.arithmetic));
  HEDGE_TRY(const auto opened, data::open_dataset(flags.test, {.log = console.log()}));
  HEDGE_TRY(const auto floats, openvino(flags.threads)(model.graph));
  const std::string& input = model.graph.inputs[0].name;
  HEDGE_TRY(const auto integers, codegen::make_host_executor(network, arithmetic, input));
  HEDGE_TRY(const std::size_t logits, find_spec(floats->outputs(), network.output_names[0]));
  const std::int64_t outputs = floats->outputs()[logits].shape[1];
  HEDGE_TRY(const auto maps,
            data::map_classes(opened.dataset->class_names(), {.names = model.labels, .outputs = outputs, .where = flags.model}, {}));
  const auto best = [&](const Tensor& scores, std::size_t row) {
    const auto values = scores.data<float>().subspan(row * static_cast<std::size_t>(outputs), static_cast<std::size_t>(outputs));
    std::vector<std::int64_t> columns = maps.base_columns;
    if (columns.empty())
      for (std::int64_t c = 0; c < outputs; ++c) columns.push_back(c);
    const auto at = [&](std::int64_t c) { return values[static_cast<std::size_t>(c)]; };
    return std::max_element(columns.begin(), columns.end(), [&](auto a, auto b) { return at(a) < at(b); }) - columns.begin();
  };
  const auto progress = console.progress("hedge: ");
  std::vector<std::int64_t> labels, of_float, of_int8;
  for (std::size_t first = 0; first < opened.dataset->size(); first += kBatch) {
    std::vector<std::size_t> indices;
    for (std::size_t i = first; i < std::min(first + kBatch, opened.dataset->size()); ++i) indices.push_back(i);
    HEDGE_TRY(const Tensor images, pictures_of(*opened.dataset, model.recipe, indices));
    const NamedView view{input, images.view()};
    HEDGE_TRY(const auto a, floats->run({&view, 1}));
    HEDGE_TRY(const auto b, integers->run({&view, 1}));
    for (std::size_t i = 0; i < indices.size(); ++i) {
      labels.push_back(maps.space.of_dataset[static_cast<std::size_t>(opened.dataset->label(indices[i]))]);
      of_float.push_back(best(a[logits], i));
      of_int8.push_back(best(b[0], i));
    }
    progress({.what = "compare", .done = static_cast<double>(labels.size()), .total = static_cast<double>(opened.dataset->size())});
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
  std::printf("%lld pictures: float %.2f %%, int8 %.2f %%, difference %+.2f points (95 %%: %+.2f to %+.2f), same label on %.2f %%\n",
              static_cast<long long>(r.pictures), 100 * r.float_accuracy, 100 * r.int8_accuracy, 100 * r.difference, 100 * r.low,
              100 * r.high, 100 * r.agreement);
}

/// Calibrates and quantises; with pictures also reports.
Status quantize(const Flags& flags, Context& context) {
  Model model;
  HEDGE_TRY(model.graph, graph::read_onnx(flags.model));
  HEDGE_CHECK(describe(flags, flags.model, model));
  if (!flags.data.empty() && !model.has_recipe)
    return Error{
        .code = ErrorCode::kNotFound, .what = "nothing says how to prepare pictures", .where = flags.model, .hint = "give --recipe"};
  HEDGE_TRY(const auto method, codegen::range_method(flags.method));
  HEDGE_TRY(auto plan, codegen::plan_quantization(model.graph));
  data::Opened opened;
  codegen::CalibrationData rows;
  if (flags.table.empty()) {
    HEDGE_TRY(opened, data::open_dataset(flags.data, {.log = context.console.log()}));
    rows = spread(*opened.dataset, model, flags.pictures);
  } else {
    HEDGE_TRY(rows, rows_of(flags.table, model.graph));
  }
  const auto make = openvino(flags.threads);
  if (!flags.plain) {
    HEDGE_TRY(plan, codegen::equalize_channels(std::move(plan), make, rows));
  }
  HEDGE_TRY(const auto ranges,
            codegen::calibrate(plan, make, rows,
                               {.method = method, .percentile = flags.percentile, .progress = context.console.progress("hedge: ")}));
  HEDGE_TRY(const auto small, codegen::quantize(plan, ranges));
  HEDGE_CHECK(graph::write_onnx(flags.out, small));
  Json json = {{"model", flags.model}, {"out", flags.out}, {"method", flags.method}};
  if (flags.table.empty()) {
    HEDGE_TRY(const auto network, codegen::lower(small));
    HEDGE_TRY(const auto runner, codegen::HostRunner::create(network, codegen::Arithmetic::kExact));
    HEDGE_TRY(const auto noise, codegen::measure_noise(plan, runner, make, spread(*opened.dataset, model, kNoisePictures)));
    json["tensors"] = codegen::to_json(noise);
    print(noise);
    if (!flags.test.empty()) {
      HEDGE_TRY(const auto report, accuracy(flags, model, network, context.console));
      json["accuracy"] = codegen::to_json(report);
      json["accuracy"]["data"] = flags.test;
      json["accuracy"]["arithmetic"] = flags.arithmetic;
      print(report);
    }
  }
  if (!flags.report.empty()) HEDGE_CHECK(write_file_atomic(flags.report, json.dump(2) + "\n"));
  std::printf("wrote %s\n", flags.out.c_str());
  return {};
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
  if (!model.has_recipe) std::printf("nothing says how to prepare its pictures yet: give --recipe here, or to the commands that run it\n");
  return {};
}

void add_described(CLI::App& app, Flags& f) {
  app.add_option("--recipe", f.recipe, "how pictures are prepared, JSON or the short form, where the model does not say it");
  app.add_option("--labels", f.labels, "the outputs' class names, where the model does not say them");
  app.add_option("-o,--out", f.out, "where the int8 model goes (.onnx)")->required();
}

}  // namespace

void add_mcu_quantize(CLI::App& mcu, Context& context) {
  auto* app =
      mcu.add_subcommand("quantize", "a model in floats -> int8 (.onnx with QuantizeLinear and DequantizeLinear), ranges from pictures");
  auto f = std::make_shared<Flags>();  // shared with the callback, which outlives this function
  app->add_option("MODEL", f->model, "an .onnx file in floats: a base, or a router")->required();
  auto* data = app->add_option("--data", f->data, "pictures to calibrate with, e.g. fashion-mnist?split=calibration; labels are not used");
  app->add_option("--table", f->table, "instead, for a router: a prediction table to calibrate with")->excludes(data);
  app->add_option("--test", f->test, "also compare floats and int8 on these labelled pictures");
  app->add_option("--pictures", f->pictures, "how many of --data, evenly spread")->capture_default_str()->check(CLI::Range(1, 1000000));
  app->add_option("--method", f->method, "ranges: mse, percentile or min-max")->capture_default_str();
  app->add_option("--percentile", f->percentile, "of the values, for --method percentile")->capture_default_str();
  app->add_option("--arithmetic", f->arithmetic, "of the comparison: exact (TFLite's) or device (a microcontroller's)")
      ->capture_default_str();
  app->add_flag("--no-equalize", f->plain, "leave the channels before depthwise layers as they are");
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

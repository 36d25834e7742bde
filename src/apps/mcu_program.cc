#include "apps/mcu_program.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "apps/labels.h"
#include "codegen/calibrate.h"
#include "codegen/host.h"
#include "codegen/lower.h"
#include "codegen/quantize.h"
#include "codegen/router_host.h"
#include "data/dataset.h"
#include "data/preprocess.h"
#include "edge/bundle.h"
#include "graph/onnx/onnx_io.h"
#include "infer/openvino/openvino_executor.h"

namespace hedge::apps {
namespace {

/// Pictures a batch of calibration.
constexpr std::size_t kBatch = 16;

/// What a source says, before it becomes a program.
struct Source {
  graph::Graph base;
  data::Preprocess recipe;
  std::vector<std::string> labels;
  std::optional<graph::Graph> router;
  std::optional<routing::Policy> policy;
};

Result<Source> read_bundle_source(const std::string& folder) {
  HEDGE_TRY(auto bundle, edge::read_bundle(folder));
  Source source{.recipe = bundle.manifest.base.preprocess, .labels = bundle.labels};
  HEDGE_TRY(source.base, graph::read_onnx(bundle.path(edge::Role::kBase)));
  HEDGE_TRY(source.router, graph::read_onnx(bundle.path(edge::Role::kRouter)));
  source.policy = std::move(bundle.policy);
  if (const auto& features = bundle.manifest.base.features; !features.empty() && features != "auto")
    source.base.metadata[graph::kFeaturesKey] = features;
  return source;
}

Result<Source> read_model_source(const std::string& path) {
  Source source;
  HEDGE_TRY(source.base, graph::read_onnx(path));
  const auto recipe = source.base.metadata.find(graph::kPreprocessKey);
  if (recipe == source.base.metadata.end())
    return Error{.code = ErrorCode::kNotFound,
                 .what = "the model does not say how its pictures are prepared",
                 .where = path,
                 .expected = std::string("metadata \"") + graph::kPreprocessKey + "\"",
                 .hint = "export a bundle, or a model that \"hedge train\" wrote"};
  HEDGE_TRY(source.recipe, data::Preprocess::from_json(recipe->second));
  if (const auto labels = source.base.metadata.find(graph::kLabelsKey); labels != source.base.metadata.end()) {
    HEDGE_TRY(source.labels, parse_labels(labels->second, path + ": " + graph::kLabelsKey));
  }
  return source;
}

bool is_quantised(const graph::Graph& graph) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(), [](const graph::Node& node) { return node.op == "QuantizeLinear"; });
}

/// The calibration pictures, cut to size.
Result<std::vector<data::Picture>> read_pictures(const McuOptions& options, const data::Preprocess& recipe) {
  HEDGE_TRY(const auto opened, data::open_dataset(options.calibrate, {.log = options.log}));
  std::vector<data::Picture> pictures;
  const auto count = std::min(options.pictures, opened.dataset->size());
  for (std::size_t i = 0; i < count; ++i) {
    HEDGE_TRY(const auto picture, opened.dataset->picture(i * opened.dataset->size() / count));
    HEDGE_TRY(auto fitted, data::fit_picture(picture, recipe));
    pictures.push_back(std::move(fitted));
  }
  return pictures;
}

Result<graph::Graph> quantise(const McuOptions& options, graph::Graph base, const data::Preprocess& recipe,
                              const std::vector<data::Picture>& pictures) {
  HEDGE_TRY(const auto plan, codegen::plan_quantization(std::move(base)));
  const auto input = plan.graph.inputs.at(0).name;
  const codegen::CalibrationData calibration{
      .batches = (pictures.size() + kBatch - 1) / kBatch, .batch = [&](std::size_t index) -> Result<std::map<std::string, Tensor>> {
        const auto begin = index * kBatch, end = std::min(begin + kBatch, pictures.size());
        Tensor batch(DType::kF32, {static_cast<std::int64_t>(end - begin), recipe.channels, recipe.height, recipe.width});
        const auto size = static_cast<std::size_t>(recipe.channels * recipe.height * recipe.width);
        for (auto i = begin; i < end; ++i)
          data::normalize_into(pictures[i], recipe.normalization, batch.data<float>().data() + (i - begin) * size);
        return std::map<std::string, Tensor>{{input, std::move(batch)}};
      }};
  const auto make = [&](const graph::Graph& graph) {
    return infer::make_openvino_executor(graph, {.throughput = true, .threads = options.threads});
  };
  HEDGE_TRY(const auto ranges, codegen::calibrate(plan, make, calibration, {.progress = options.progress}));
  return codegen::quantize(plan, ranges);
}

/// Moves the threshold to where the int8 hybrid keeps the policy's share of `pictures` on the device.
Status move_threshold(const McuOptions& options, const std::vector<data::Picture>& pictures, double coverage, codegen::Program& program) {
  HEDGE_TRY(const auto runner, codegen::HostRunner::create(program.base, codegen::Arithmetic::kDevice));
  std::vector<float> scores;
  for (const auto& picture : pictures) {
    const auto values = runner.run(codegen::quantise_u8(program.normalization, program.base, picture.pixels));
    scores.push_back(codegen::router_score(program.router, program.base, values));
  }
  std::sort(scores.begin(), scores.end());
  const auto kept = static_cast<std::size_t>(std::ceil(coverage * static_cast<double>(scores.size())));
  const float moved =
      kept == 0 ? std::nextafter(scores.front(), -std::numeric_limits<float>::infinity()) : scores[std::min(kept, scores.size()) - 1];
  log(options.log, LogLevel::kInfo,
      "the threshold of the float base, " + std::to_string(program.threshold) + ", becomes " + std::to_string(moved) +
          " for the int8 one: coverage " + std::to_string(coverage) + " of " + std::to_string(scores.size()) + " pictures");
  program.threshold = moved;
  return {};
}

Result<codegen::Program> make_program(const McuOptions& options, Source source, const std::vector<data::Picture>& pictures) {
  codegen::Program program{.name = std::filesystem::path(options.source).filename().string(),
                           .made_by = "hedge " HEDGE_VERSION,
                           .normalization = source.recipe.normalization,
                           .labels = std::move(source.labels),
                           .router = {.form = codegen::RouterForm::kMargin},
                           .threshold = std::numeric_limits<float>::infinity()};
  HEDGE_TRY(program.base, codegen::lower(source.base));
  const auto classes = program.base.activations[program.base.outputs[0]].bytes();
  if (program.labels.empty())
    for (std::int64_t i = 0; i < classes; ++i) program.labels.push_back(std::to_string(i));
  if (!source.policy) return program;
  HEDGE_TRY(program.router, codegen::make_router(source.policy->router, *source.router, program.base, source.policy->temperature));
  program.threshold = source.policy->chosen.threshold;
  if (!pictures.empty()) HEDGE_CHECK(move_threshold(options, pictures, source.policy->chosen.coverage, program));
  return program;
}

}  // namespace

Result<codegen::Program> open_mcu_program(const McuOptions& options) {
  const bool bundle = std::filesystem::is_directory(options.source);
  HEDGE_TRY(auto source, bundle ? read_bundle_source(options.source) : read_model_source(options.source));
  std::vector<data::Picture> pictures;
  if (!options.calibrate.empty()) {
    HEDGE_TRY(pictures, read_pictures(options, source.recipe));
  }
  if (!is_quantised(source.base)) {
    if (pictures.empty())
      return Error{.code = ErrorCode::kInvalidArgument,
                   .what = "the base is in floats",
                   .where = options.source,
                   .expected = "an int8 base, or calibration pictures",
                   .hint = "give --calibrate DATA, such as the split that the base was trained on"};
    HEDGE_TRY(source.base, quantise(options, std::move(source.base), source.recipe, pictures));
  }
  return make_program(options, std::move(source), pictures);
}

}  // namespace hedge::apps

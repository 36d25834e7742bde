#include "apps/mcu_program.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "apps/quantise.h"
#include "codegen/host.h"
#include "codegen/lower.h"
#include "codegen/router_host.h"
#include "edge/bundle.h"
#include "graph/onnx/onnx_io.h"
#include "hedge/dataset.h"
#include "hedge/model.h"
#include "hedge/preprocess.h"
#include "model/class_map.h"

namespace hedge::apps {
namespace {

/// What a source says, before it becomes a program.
struct Source {
  graph::Graph base;
  data::Preprocess recipe;
  std::vector<std::string> labels;
  std::optional<graph::Graph> router;
  std::optional<routing::Policy> policy;
};

/// The program takes the largest of all the base's outputs, so each must be the class of its place.
Error outputs_are_not_classes(const std::string& where, const std::string& got) {
  return {.code = ErrorCode::kUnsupported,
          .what = "the base's outputs are not its classes in their order, as a microcontroller takes them",
          .where = where,
          .got = got,
          .hint = "export a base without a background output"};
}

Result<Source> read_bundle_source(const std::string& folder) {
  HEDGE_TRY(auto bundle, edge::read_bundle(folder));
  if (bundle.policy.fusion && bundle.policy.fusion->adopted)
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "the policy was calibrated for fused answers, which a microcontroller does not make",
                 .where = folder,
                 .hint = "fit without --fuse"};
  if (!bundle.manifest.base.columns.empty())
    return outputs_are_not_classes(
        folder, std::to_string(bundle.manifest.base.outputs) + " outputs for " + std::to_string(bundle.labels.size()) + " classes");
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
  HEDGE_TRY(const auto card, model::read_card(path, {}));
  HEDGE_TRY(source.recipe, model::required_recipe(
                               card, "export a bundle, a model that \"hedge train\" wrote, or one with a sidecar (docs/formats/model.md)"));
  std::vector<std::string> notes;
  HEDGE_TRY(source.labels, model::names_by_output(model::classes_of(card), "base", notes));
  const auto unnamed = std::find(source.labels.begin(), source.labels.end(), "");
  if (unnamed != source.labels.end())
    return outputs_are_not_classes(path, "output " + std::to_string(unnamed - source.labels.begin()) + " has no class name");
  return source;
}

bool is_quantised(const graph::Graph& graph) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(), [](const graph::Node& node) { return node.op == "QuantizeLinear"; });
}

Status quantise_base(const McuOptions& options, const data::Dataset& dataset, Source& source) {
  const auto data = calibration_of(dataset, source.recipe, source.base.inputs.at(0).name, options.images);
  HEDGE_TRY(auto made, quantise(std::move(source.base), data,
                                {.ranges = {.progress = options.progress}, .equalize = false, .threads = options.threads}));
  source.base = std::move(made.graph);
  return {};
}

/// Moves the threshold to where the int8 hybrid keeps the share `coverage` of the calibration images on the device.
Status move_threshold(const McuOptions& options, const data::Dataset& dataset, const data::Preprocess& recipe, double coverage,
                      codegen::Program& program) {
  HEDGE_TRY(const auto runner, codegen::HostRunner::create(program.base, codegen::Arithmetic::kDevice));
  std::vector<float> scores;
  for (const auto index : spread_over(dataset.size(), options.images)) {
    HEDGE_TRY(const auto image, dataset.image(index));
    HEDGE_TRY(const auto fitted, data::fit_image(image, recipe));
    const auto values = runner.run(codegen::quantise_u8(program.normalization, program.base, fitted.pixels));
    scores.push_back(codegen::router_score(program.router, program.base, values));
  }
  std::sort(scores.begin(), scores.end());
  const auto kept = static_cast<std::size_t>(std::ceil(coverage * static_cast<double>(scores.size())));
  const float moved =
      kept == 0 ? std::nextafter(scores.front(), -std::numeric_limits<float>::infinity()) : scores[std::min(kept, scores.size()) - 1];
  log(options.log, LogLevel::kInfo,
      "the threshold of the float base, " + std::to_string(program.threshold) + ", becomes " + std::to_string(moved) +
          " for the int8 one: coverage " + std::to_string(coverage) + " of " + std::to_string(scores.size()) + " images");
  program.threshold = moved;
  return {};
}

/// `dataset`: the calibration images; nullptr: none.
Result<codegen::Program> make_program(const McuOptions& options, Source source, const data::Dataset* dataset) {
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
  if (source.policy->promise)
    log(options.log, LogLevel::kWarning,
        "the policy's promise (" + source.policy->promise->promise.to_string() +
            ") was shown for the base as it is fitted, not for this program");
  if (dataset != nullptr) HEDGE_CHECK(move_threshold(options, *dataset, source.recipe, source.policy->chosen.coverage, program));
  return program;
}

}  // namespace

Result<codegen::Program> open_mcu_program(const McuOptions& options) {
  const bool bundle = std::filesystem::is_directory(options.source);
  HEDGE_TRY(auto source, bundle ? read_bundle_source(options.source) : read_model_source(options.source));
  data::Opened opened;
  if (!options.calibrate.empty()) {
    HEDGE_TRY(opened, data::open_dataset(options.calibrate, {.log = options.log}));
  }
  if (!is_quantised(source.base)) {
    if (!opened.dataset)
      return Error{.code = ErrorCode::kInvalidArgument,
                   .what = "the base is in floats",
                   .where = options.source,
                   .expected = "an int8 base, or calibration images",
                   .hint = "give --calibrate DATA, such as the calibration split of its data set"};
    HEDGE_CHECK(quantise_base(options, *opened.dataset, source));
  }
  return make_program(options, std::move(source), opened.dataset.get());
}

}  // namespace hedge::apps

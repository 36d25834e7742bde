#include "workflow/mcu_export.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "codegen/host.h"
#include "codegen/lower.h"
#include "codegen/router_host.h"
#include "codegen/tflite.h"
#include "edge/bundle.h"
#include "graph/onnx/onnx_io.h"
#include "hedge/dataset.h"
#include "hedge/model.h"
#include "hedge/preprocess.h"
#include "model/class_map.h"
#include "model/model_graph.h"
#include "workflow/calibration.h"
#include "workflow/internal/stop.h"
#include "workflow/quantise.h"

namespace hedge::workflow {
namespace {

/// What a source says, before it becomes a program.
struct Parts {
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

Result<Parts> read_bundle_parts(const std::string& folder) {
  HEDGE_TRY(auto bundle, edge::read_bundle(folder));
  if (bundle.policy.fusion && bundle.policy.fusion->adopted)
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "the policy was calibrated for fused answers, which a microcontroller does not make",
                 .where = folder,
                 .hint = "fit without --fuse"};
  if (!bundle.manifest.base.columns.empty())
    return outputs_are_not_classes(
        folder, std::to_string(bundle.manifest.base.outputs) + " outputs for " + std::to_string(bundle.labels.size()) + " classes");
  Parts parts{.recipe = bundle.manifest.base.preprocess, .labels = bundle.labels};
  HEDGE_TRY(auto base, graph::read_onnx(bundle.path(edge::Role::kBase)));
  const auto& form = bundle.manifest.base.form;
  HEDGE_TRY(parts.base, model::as_classifier(std::move(base), form.output, form.layout));
  HEDGE_TRY(parts.router, graph::read_onnx(bundle.path(edge::Role::kRouter)));
  parts.policy = std::move(bundle.policy);
  if (const auto& features = bundle.manifest.base.features; !features.empty() && features != "auto")
    parts.base.metadata[graph::kFeaturesKey] = features;
  return parts;
}

Result<model::ModelGraph> read_model(const McuSource& source) {
  const model::CardOptions said{.recipe = source.recipe, .labels = source.labels};
  if (std::filesystem::path(source.model).extension() != ".tflite") return model::read_model_graph(source.model, said);
  model::ModelGraph read;
  HEDGE_TRY(read.graph, codegen::read_tflite(source.model));
  HEDGE_TRY(read.card, model::read_card(source.model, said));
  read.card.output.classes = read.graph.outputs.at(0).shape.back();
  return read;
}

Result<Parts> read_model_parts(const McuSource& source) {
  const auto& path = source.model;
  Parts parts;
  HEDGE_TRY(auto read, read_model(source));
  const auto& card = read.card;
  parts.base = std::move(read.graph);
  HEDGE_TRY(parts.recipe,
            model::required_recipe(card, "say it with --recipe, such as --recipe crop=96,mean=0.5,std=0.5, or export a bundle"));
  std::vector<std::string> notes;
  HEDGE_TRY(parts.labels, model::names_by_output(model::classes_of(card), "base", notes));
  const auto unnamed = std::find(parts.labels.begin(), parts.labels.end(), "");
  if (unnamed != parts.labels.end())
    return outputs_are_not_classes(path, "output " + std::to_string(unnamed - parts.labels.begin()) + " has no class name");
  return parts;
}

bool is_quantised(const graph::Graph& graph) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(), [](const graph::Node& node) { return node.op == "QuantizeLinear"; });
}

Status quantise_base(const McuSource& source, const data::Dataset& dataset, const RunContext& context, Parts& parts) {
  const CalibrationImages images(
      dataset, {.recipe = parts.recipe, .input = parts.base.inputs.at(0).name, .count = source.images, .should_stop = context.should_stop});
  const GraphQuantisation options{.ranges = {.progress = context.progress}, .equalize = false, .threads = source.threads};
  HEDGE_TRY(auto made, quantise_graph(std::move(parts.base), images, options));
  parts.base = std::move(made.graph);
  return {};
}

/// The program's scores of `count` images, evenly over the data set, in the microcontroller's arithmetic; ascending.
Result<std::vector<float>> sorted_scores(const codegen::Program& program, const data::Dataset& dataset, const data::Preprocess& recipe,
                                         std::size_t count, const RunContext& context) {
  HEDGE_TRY(const auto runner, codegen::HostRunner::create(program.base, codegen::Arithmetic::kDevice));
  std::vector<float> scores;
  for (const auto index : spread_over(dataset.size(), count)) {
    HEDGE_CHECK(internal::check_stop(context.should_stop, "threshold"));
    HEDGE_TRY(const auto image, dataset.image(index));
    HEDGE_TRY(const auto fitted, data::fit_image(image, recipe));
    const auto values = runner.run(codegen::quantise_u8(program.normalization, program.base, fitted.pixels));
    scores.push_back(codegen::router_score(program.router, program.base, values));
  }
  std::sort(scores.begin(), scores.end());
  return scores;
}

/// The smallest threshold that keeps at least the share `coverage` of the ascending scores.
float threshold_for(std::span<const float> scores, double coverage) {
  const auto kept = static_cast<std::size_t>(std::ceil(coverage * static_cast<double>(scores.size())));
  return kept == 0 ? std::nextafter(scores.front(), -std::numeric_limits<float>::infinity()) : scores[std::min(kept, scores.size()) - 1];
}

std::string size_of(std::int64_t height, std::int64_t width, std::int64_t channels) {
  return std::to_string(height) + " x " + std::to_string(width) + ", " + (channels == 1 ? "gray" : std::to_string(channels) + " channels");
}

/// `dataset`: the calibration images; nullptr: none.
Result<codegen::Program> make_program(const McuSource& source, Parts parts, const data::Dataset* dataset, const RunContext& context) {
  codegen::Program program{.name = std::filesystem::path(source.model).filename().string(),
                           .made_by = "hedge " HEDGE_VERSION,
                           .normalization = parts.recipe.normalization,
                           .labels = std::move(parts.labels),
                           .router = {.form = codegen::RouterForm::kMargin},
                           .threshold = std::numeric_limits<float>::infinity()};
  HEDGE_TRY(program.base, codegen::lower(parts.base));
  const auto& input = program.base.activations[program.base.input];
  if (parts.recipe.height != input.height || parts.recipe.width != input.width || parts.recipe.channels != input.channels)
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the recipe makes other images than the base takes",
                 .where = source.model,
                 .got = size_of(parts.recipe.height, parts.recipe.width, parts.recipe.channels),
                 .expected = size_of(input.height, input.width, input.channels),
                 .hint = "give --recipe with this size and the mean and std that the base was trained with"};
  const auto classes = program.base.activations[program.base.outputs[0]].bytes();
  if (program.labels.empty())
    for (std::int64_t i = 0; i < classes; ++i) program.labels.push_back(std::to_string(i));
  if (!parts.policy) return program;
  const auto& policy = *parts.policy;
  HEDGE_TRY(program.router, codegen::make_router(policy.router, *parts.router, program.base, policy.temperature));
  program.threshold = policy.chosen.threshold;
  if (policy.promise)
    log(context.log, LogLevel::kWarning,
        "the policy's promise (" + policy.promise->promise.to_string() + ") holds for the base in floats, not for this program");
  if (dataset == nullptr) return program;
  HEDGE_TRY(const auto scores, sorted_scores(program, *dataset, parts.recipe, source.images, context));
  program.threshold = threshold_for(scores, policy.chosen.coverage);
  const auto count = static_cast<double>(scores.size());
  const double kept = static_cast<double>(std::upper_bound(scores.begin(), scores.end(), program.threshold) - scores.begin()) / count;
  log(context.log, LogLevel::kInfo,
      "the threshold of the float base, " + std::to_string(policy.chosen.threshold) + ", becomes " + std::to_string(program.threshold) +
          " for the int8 one: coverage " + std::to_string(kept) + " of " + std::to_string(scores.size()) +
          " images (asked for: " + std::to_string(policy.chosen.coverage) +
          (kept > policy.chosen.coverage + 1.0 / count ? "; images with the same score stay together" : "") + ")");
  return program;
}

}  // namespace

Result<codegen::Program> read_mcu_program(const McuSource& source, const RunContext& context) {
  const bool bundle = std::filesystem::is_directory(source.model);
  if (bundle && !(source.recipe.empty() && source.labels.empty()))
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "a bundle has its own recipe and labels",
                 .where = source.model,
                 .hint = "leave out --recipe and --labels"};
  HEDGE_TRY(auto parts, bundle ? read_bundle_parts(source.model) : read_model_parts(source));
  data::Opened opened;
  if (!source.calibrate.empty()) {
    HEDGE_TRY(opened, data::open_dataset(source.calibrate, {.log = context.log}));
  }
  if (!is_quantised(parts.base)) {
    if (!opened.dataset)
      return Error{.code = ErrorCode::kInvalidArgument,
                   .what = "the base is in floats",
                   .where = source.model,
                   .expected = "an int8 base, or calibration images",
                   .hint = "give --calibrate DATA, such as the calibration split of its data set"};
    HEDGE_CHECK(quantise_base(source, *opened.dataset, context, parts));
  }
  return make_program(source, std::move(parts), opened.dataset.get(), context);
}

Result<McuExport> export_mcu(const McuOptions& options, const RunContext& context) {
  const auto& [source, target, budget, space] = options;
  McuExport made;
  HEDGE_TRY(made.program, read_mcu_program(source, context));
  for (const bool compact : {false, true}) {
    const codegen::EmitOptions emission{.target = target, .space = space, .compact = compact};
    HEDGE_TRY(made.plan,
              codegen::plan_memory(made.program.base, {.target = target, .compact = compact}, {.arena_budget = budget.ram_bytes}));
    HEDGE_TRY(made.generated, codegen::emit(made.program, made.plan, emission));
    made.report = codegen::make_report(made.program, made.plan, made.generated, emission);
    if (codegen::check_budget(made.report, made.program.base, made.plan, {.flash_bytes = budget.flash_bytes})) break;
  }
  HEDGE_CHECK(codegen::check_budget(made.report, made.program.base, made.plan, budget));
  return made;
}

Status write_mcu(const McuExport& exported, const std::filesystem::path& folder) {
  auto generated = exported.generated;
  generated.files.push_back({"report.json", codegen::to_json(exported.report).dump(2) + "\n"});
  generated.files.push_back({"memory.svg", codegen::memory_svg(exported.program.base, exported.plan)});
  return codegen::write_generated(generated, folder);
}

}  // namespace hedge::workflow

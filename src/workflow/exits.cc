#include "workflow/exits.h"

#include "core/sha256.h"
#include "graph/onnx/onnx_io.h"
#include "workflow/internal/trainable.h"

namespace hedge::workflow {
namespace {

/// The tensors that get a head.
Result<std::vector<std::string>> head_tensors(const graph::Graph& network, HeadPlace at) {
  HEDGE_TRY(auto points, graph::cut_points(network));
  if (at == HeadPlace::kStages) points = graph::stage_ends(points);
  if (points.empty())
    return Error{.code = ErrorCode::kUnsupported, .what = "the network has a single stage", .where = network.name, .hint = "try --at cuts"};
  std::vector<std::string> tensors;
  for (const auto& point : points) tensors.push_back(point.tensor);
  return tensors;
}

/// The weight of each output: the network's own answer 1, what is no exit 0.
std::vector<double> output_weights(const graph::Graph& network, double exit_weight, bool freeze) {
  std::vector<double> weights;
  for (const auto& output : network.outputs)
    weights.push_back(output.name.starts_with(graph::kExitPrefix) ? exit_weight : weights.empty() && !freeze ? 1.0 : 0.0);
  return weights;
}

train::Objective objective_of(const graph::Graph& network, const ExitsOptions& options) {
  train::Objective objective{.output_weights = output_weights(network, options.freeze ? 1.0 : options.exit_weight, options.freeze)};
  if (options.freeze) objective.only = graph::kExitPrefix;
  return objective;
}

}  // namespace

Result<ExitsModel> add_exits(const ExitsOptions& options, const RunContext& context) {
  auto training = options.training;
  HEDGE_CHECK(training.validate());
  HEDGE_CHECK(train::prepare_device(training.device));
  HEDGE_TRY(const auto opened, internal::open_training_images(options.data, training.strict, context));
  HEDGE_TRY(auto start, internal::read_trainable({.path = options.network}));
  ExitsModel model{.path = options.out};
  HEDGE_TRY(model.tensors, head_tensors(start.graph, options.at));
  auto heads = options.heads;
  heads.seed = training.seed;
  HEDGE_TRY(auto network, graph::add_exits(std::move(start.graph), model.tensors, heads));
  internal::note_training(network, *opened.dataset);
  HEDGE_TRY(model.macs, graph::exit_macs(network));
  log(context.log, LogLevel::kInfo,
      "training " + std::to_string(model.tensors.size()) + " exit heads " +
          (options.freeze ? "on the frozen network" : "jointly with the network"));
  if (training.checkpoint.empty()) training.checkpoint = options.out.string() + ".checkpoint";
  const auto objective = objective_of(network, options);
  HEDGE_TRY(const auto trained,
            train::train_classifier(std::move(network), *opened.dataset, start.recipe, training, internal::hooks_of(context), objective));
  HEDGE_CHECK(graph::write_onnx(options.out, trained.graph));
  HEDGE_TRY(model.sha256, sha256_file(options.out));
  model.summary = trained.summary;
  return model;
}

}  // namespace hedge::workflow

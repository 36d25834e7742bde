#include <algorithm>
#include <memory>

#include "apps/commands.h"
#include "apps/training_flags.h"
#include "core/json.h"
#include "core/sha256.h"
#include "data/spec.h"
#include "graph/exits.h"
#include "graph/onnx/onnx_io.h"
#include "graph/operators.h"
#include "graph/zoo.h"
#include "train/trainer.h"

namespace hedge::apps {
namespace {

struct Flags {
  std::string data, global, out, summary;
  std::string at = "stages";
  bool freeze = false;
  double exit_weight = 0.3;
  graph::ExitOptions heads;
  TrainingFlags training;
};

/// The tensors that get a head.
Result<std::vector<std::string>> head_tensors(const graph::Graph& network, const std::string& at) {
  HEDGE_TRY(auto points, graph::cut_points(network));
  if (at == "stages") points = graph::stage_ends(points);
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

Status run(Flags& flags, Context& context) {
  HEDGE_CHECK(flags.training.finish());
  auto& options = flags.training.options;
  HEDGE_TRY(auto spec, data::parse_spec(flags.data));
  if (spec.split == data::Split::kAll) spec.split = data::Split::kTrain;  // the other splits are for judging
  HEDGE_TRY(const auto opened, data::open_dataset(data::to_string(spec), {.strict = options.strict, .log = context.console.log()}));
  HEDGE_TRY(auto start, read_trainable(flags.global));
  HEDGE_TRY(const auto tensors, head_tensors(start.graph, flags.at));
  flags.heads.seed = options.seed;
  HEDGE_TRY(auto network, graph::add_exits(std::move(start.graph), tensors, flags.heads));
  network.metadata[graph::kTrainedOnKey] = opened.dataset->spec();
  network.metadata[graph::kTrainedOnHashKey] = opened.dataset->content_hash();
  HEDGE_TRY(const auto macs, graph::exit_macs(network));
  context.console.say("hedge: training " + std::to_string(tensors.size()) + " exit heads " +
                      (flags.freeze ? "on the frozen network" : "jointly with the network"));
  if (options.checkpoint.empty()) options.checkpoint = flags.out + ".checkpoint";
  train::Objective objective{.output_weights = output_weights(network, flags.freeze ? 1.0 : flags.exit_weight, flags.freeze)};
  if (flags.freeze) objective.only = graph::kExitPrefix;
  HEDGE_TRY(
      const auto trained,
      train::train_classifier(
          std::move(network), *opened.dataset, start.recipe, options,
          {.progress = context.console.progress("hedge: "), .log = context.console.log(), .should_stop = context.should_stop}, objective));
  HEDGE_CHECK(graph::write_onnx(flags.out, trained.graph));
  HEDGE_TRY(const auto sha256, sha256_file(flags.out));
  const Json json = {{"model", flags.out},
                     {"sha256", sha256},
                     {"exits", tensors},
                     {"macs", macs},
                     {"frozen", flags.freeze},
                     {"loss", trained.summary.final_loss},
                     {"seconds", trained.summary.seconds},
                     {"resumed_from_epoch", trained.summary.resumed_from_epoch}};
  if (!flags.summary.empty()) HEDGE_CHECK(write_json(flags.summary, json));
  std::printf("%s\n", json.dump().c_str());
  return {};
}

}  // namespace

void add_exits(CLI::App& root, Context& context) {
  auto* app = root.add_subcommand("exits", "give a network exit heads and train them: for early exits, and for split computation");
  auto f = std::make_shared<Flags>();  // shared with the callback, which outlives this function
  app->add_option("--data", f->data, "the data set; its train split by default")->required();
  app->add_option("--global", f->global, "the trained network (.onnx)")->required();
  app->add_option("--out", f->out, "where the network with exits goes; its checkpoint stands beside it")->required();
  app->add_option("--at", f->at, "stages: a head before each shrinking of the images; cuts: at each tensor where the network can be cut")
      ->capture_default_str()
      ->check(CLI::IsMember({"stages", "cuts"}));
  app->add_flag("--freeze", f->freeze, "train the heads alone: the network and its accuracy stay");
  app->add_option("--exit-weight", f->exit_weight, "of each head's loss beside the network's own, trained jointly")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 10.0));
  app->add_option("--head-width", f->heads.width, "channels of a convolution in each head; 0: pooled and linear")
      ->capture_default_str()
      ->check(CLI::Range(0, 1024));
  app->add_option("--summary", f->summary, "what was trained, as JSON (also printed)");
  f->training.options.epochs = 3;
  f->training.options.learning_rate = 1e-3;
  f->training.add(*app);
  app->callback([f, &context] { context.chosen = [f, &context] { return run(*f, context); }; });
}

}  // namespace hedge::apps

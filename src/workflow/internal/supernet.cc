#include "workflow/internal/supernet.h"

#include <algorithm>
#include <cmath>

#include "graph/once_for_all.h"
#include "graph/zoo.h"
#include "train/supernet.h"

namespace hedge::workflow::internal {
namespace {

/// A part of progressive shrinking: what networks may be in it, and how it is trained.
struct Stage {
  const char* name;
  std::size_t kernels, expands, depths;  ///< how many of the choices, from the largest
  double share;                          ///< of the epochs
  double rate;                           ///< of the learning rate
  std::int64_t networks;                 ///< drawn a step
};

/// Epochs and rates in the proportions of the published training (Cai et al. 2020 and its code: 180 epochs of the largest network, then
/// 120, 25, 120, 25, 120).
constexpr Stage kStages[] = {{"the largest network", 1, 1, 1, 0.31, 1, 1},        {"kernels", 3, 1, 1, 0.20, 1, 1},
                             {"depth, first step", 3, 1, 2, 0.04, 1. / 12, 2},    {"depth", 3, 1, 3, 0.20, 0.25, 2},
                             {"channels, first step", 3, 2, 3, 0.04, 1. / 12, 4}, {"channels", 3, 3, 3, 0.21, 0.25, 4}};

/// The `count` largest of `digits`.
std::string largest_of(std::string digits, std::size_t count) {
  std::sort(digits.begin(), digits.end());
  return digits.substr(digits.size() - std::min(count, digits.size()));
}

Result<train::Trained> shrink_progressively(const graph::OfaChoices& choices, const SupernetOptions& options, Trainable start,
                                            const data::Dataset& dataset, const train::TrainOptions& training, const RunContext& context) {
  if (training.time_budget > 0)
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "progressive shrinking has several trainings, which a time budget does not divide",
                 .where = "time_budget",
                 .hint = "give --epochs, or train by the sandwich rule"};
  train::Trained trained{std::move(start.graph), {}};
  std::optional<train::Teacher> teacher;
  double seconds = 0;
  for (const auto& stage : kStages) {
    auto now = training;
    now.epochs = std::max<std::int64_t>(1, std::llround(stage.share * static_cast<double>(training.epochs)));
    now.warmup_epochs = std::min(now.warmup_epochs, 0.5 * static_cast<double>(now.epochs));
    now.learning_rate *= stage.rate;
    now.checkpoint += "." + std::to_string(&stage - kStages);
    train::Objective objective;
    if (teacher) {
      auto networks = choices;
      networks.kernels = largest_of(choices.kernels, stage.kernels);
      networks.expands = largest_of(choices.expands, stage.expands);
      networks.depths = largest_of(choices.depths, stage.depths);
      if (stage.expands == 1) networks.widths = {choices.largest().width};
      objective.elastic = train::Elastic{.choices = networks, .random = stage.networks, .sandwich = false, .sides = options.sides};
      objective.teacher = teacher;
      now.identity = now.whiten = false;
    }
    if (stage.expands > 1) graph::sort_channels(trained.graph);
    log(context.log, LogLevel::kInfo, std::string("progressive shrinking: ") + stage.name + ", " + std::to_string(now.epochs) + " epochs");
    HEDGE_TRY(trained, train::train_classifier(std::move(trained.graph), dataset, start.recipe, now, hooks_of(context), objective));
    seconds += trained.summary.seconds;
    if (!teacher) teacher = train::Teacher{.graph = trained.graph, .recipe = start.recipe, .weight = 0.5, .temperature = 1};
  }
  trained.summary.seconds = seconds;
  return trained;
}

}  // namespace

Result<train::Trained> train_supernet(const SupernetTask& task, Trainable start, const data::Dataset& dataset,
                                      const train::TrainOptions& training, const RunContext& context) {
  HEDGE_TRY(auto largest, graph::parse_ofa(task.net));
  if (largest.halvings == 0) largest.halvings = graph::usual_halvings({start.recipe.channels, start.recipe.height, start.recipe.width});
  HEDGE_TRY(const auto choices, graph::choices_below(largest, task.options.widths));
  graph::make_supernet(start.graph, choices);
  const auto recipe = start.recipe;
  train::Trained trained;
  if (task.options.method == SupernetOptions::Method::kProgressive) {
    HEDGE_TRY(trained, shrink_progressively(choices, task.options, std::move(start), dataset, training, context));
  } else {
    train::Objective objective;
    objective.elastic = train::Elastic{.choices = choices, .random = task.options.random, .sides = task.options.sides};
    HEDGE_TRY(trained, train::train_classifier(std::move(start.graph), dataset, recipe, training, hooks_of(context), objective));
  }
  HEDGE_TRY(trained.graph, train::recalibrate(std::move(trained.graph), dataset, recipe, training));
  return trained;
}

}  // namespace hedge::workflow::internal

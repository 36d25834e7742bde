#include "train/trainer.h"

#include <torch/torch.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <thread>

#include "data/skipped.h"
#include "graph/operators.h"
#include "train/fingerprint.h"
#include "train/internal/checkpoint.h"
#include "train/internal/epoch.h"
#include "train/internal/loss.h"
#include "train/internal/schedule.h"
#include "train/internal/step.h"
#include "train/internal/trainable_graph.h"
#include "train/internal/workers.h"

namespace hedge::train {
namespace {

using internal::Checkpoint;
using internal::Form;
using internal::Stepper;
using internal::TrainableGraph;

Status check_fit(const graph::Graph& graph, const data::Dataset& dataset, const data::Preprocess& recipe) {
  const Shape image = {-1, recipe.channels, recipe.height, recipe.width};
  if (graph.inputs.empty() || graph.inputs[0].shape.size() != 4 ||
      !std::equal(image.begin() + 1, image.end(), graph.inputs[0].shape.begin() + 1))
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the network takes images of another shape than the recipe makes",
                 .where = graph.name,
                 .got = graph.inputs.empty() ? "no input" : hedge::to_string(graph.inputs[0].shape),
                 .expected = hedge::to_string(image)};
  HEDGE_TRY(const auto shapes, graph::infer_shapes(graph));
  const auto& logits = shapes.at(graph.outputs.at(0).name).shape;
  const auto classes = static_cast<std::int64_t>(dataset.class_names().size());
  if (logits.size() != 2 || logits[1] != classes)
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the network's first output does not fit the data set's classes",
                 .where = graph.name,
                 .got = hedge::to_string(logits),
                 .expected = hedge::to_string(Shape{-1, classes})};
  return {};
}

/// A last step may spoil the weights after its loss was looked at: such weights are neither kept nor given out.
Status check_finite(const TrainableGraph& graph, std::int64_t epoch) {
  for (const auto* group : {&graph.named_parameters(), &graph.named_buffers()})
    for (const auto& [name, value] : *group)
      if (!value.isfinite().all().item<bool>())
        return Error{.code = ErrorCode::kBadData,
                     .what = "a weight is not finite after epoch " + std::to_string(epoch + 1),
                     .where = name,
                     .hint = "use a lower learning rate; the last checkpoint stands"};
  return {};
}

Precision precision_named(const std::string& name) { return name == "bf16" ? Precision::kBf16 : Precision::kF32; }
Layout layout_named(const std::string& name) { return name == "channels_last" ? Layout::kChannelsLast : Layout::kNchw; }

Result<data::Batch> first_batch(data::Loader& loader) {
  loader.start(0);
  HEDGE_TRY(auto batch, loader.next());
  if (!batch) return Error{.code = ErrorCode::kBadData, .what = "the data set gives no batch", .hint = "use a smaller batch"};
  return *std::move(batch);
}

/// One run: what is trained, on what, towards what. Borrowed.
struct Task {
  const graph::Graph& graph;
  const data::Dataset& dataset;
  const data::Preprocess& recipe;
  const Objective& objective;
  const TrainOptions& options;
  const TrainHooks& hooks;
};

/// What a checkpoint or the first measurement settles.
struct Start {
  Form form;
  TrainSummary summary;
  std::unique_ptr<internal::Workers> workers;
};

/// As the options say; where they leave it open, as the run began, so that its result does not depend on the interruption.
internal::ThreadPlan plan_run(const TrainOptions& options, const std::optional<Checkpoint>& resumed, const LogSink& sink) {
  const int threads = options.threads > 0 ? options.threads : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  const auto plan = internal::plan_threads(threads, options.batch);
  if (!resumed || resumed->replicas == 0 || resumed->replicas == plan.replicas) return plan;
  const int before = internal::replicas_for(options.batch, static_cast<int>(resumed->replicas));
  if (options.threads == 0) return {before, std::max(1, threads / before)};
  log(sink, LogLevel::kWarning,
      "the checkpoint was trained with " + std::to_string(before) + " replicas and continues with " + std::to_string(plan.replicas) +
          ": the result differs from that of an uninterrupted run");
  return plan;
}

Result<Start> start_run(const Task& task, const std::string& fingerprint, const internal::Loss& loss, data::Loader& loader,
                        TrainableGraph& network, Stepper& stepper) {
  const auto& options = task.options;
  Start start;
  std::optional<Checkpoint> resumed;
  if (!options.checkpoint.empty() && !options.fresh) {
    HEDGE_TRY(resumed, internal::load_checkpoint(options.checkpoint, fingerprint, network, stepper.optimizer()));
  }
  const auto plan = plan_run(options, resumed, task.hooks.log);
  start.workers = std::make_unique<internal::Workers>(plan);
  start.summary.replicas = plan.replicas;
  if (!resumed) {
    HEDGE_TRY(const auto batch, first_batch(loader));
    HEDGE_TRY(start.form, internal::settle_form({task.graph, options, loss, task.objective.only, batch, *start.workers}, SteadyClock(),
                                                task.hooks.log));
    return start;
  }
  start.summary.resumed_from_epoch = resumed->epochs_done;
  start.summary.final_loss = resumed->loss;
  start.summary.final_accuracy = resumed->accuracy;
  start.summary.pictures_per_second = resumed->pictures_per_second;
  start.form = {precision_named(resumed->precision), layout_named(resumed->layout)};
  log(task.hooks.log, LogLevel::kInfo,
      "continuing from epoch " + std::to_string(resumed->epochs_done) + " of " + options.checkpoint.string());
  return start;
}

std::string csv_line(const TrainOptions& options, std::int64_t epoch, const internal::EpochResult& result) {
  const auto at = static_cast<double>(options.first_epoch + epoch);
  char line[160];
  std::snprintf(line, sizeof line, "%lld,%.6g,%.6f,%.6f,%.1f,%.3f", static_cast<long long>(epoch + 1),
                internal::learning_rate_at(options, at), result.loss, result.accuracy, result.pictures_per_second, result.seconds);
  return line;
}

/// Says which images could not be decoded since the last time.
/// Errors: kBadData where a class has no image left, because a network that never sees a class must not be taken for one that knows it.
Status check_skipped(const Task& task, const data::Loader& loader, std::size_t& said) {
  const auto skipped = loader.skipped();
  if (skipped.size() == said) return {};
  said = skipped.size();
  const auto lines = data::skipped_lines(skipped);
  for (const auto& line : lines) log(task.hooks.log, LogLevel::kWarning, line);
  const auto classes = data::unreadable_classes(task.dataset, skipped);
  if (classes.empty()) return {};
  return Error{.code = ErrorCode::kBadData,
               .what = "no image of a class can be decoded",
               .where = task.dataset.spec(),
               .got = data::some_of(classes) + "; " + lines.front(),
               .hint = "make its images readable, or remove the class"};
}

Result<Trained> train_checked(const Task& task) {
  const auto& options = task.options;
  const auto fingerprint = fingerprint_of(task.graph, task.dataset, task.recipe, options, task.objective);
  HEDGE_TRY(auto network, TrainableGraph::create(task.graph));
  HEDGE_TRY(const auto loss, internal::Loss::create(task.objective, task.graph, task.recipe, options.label_smoothing));
  Stepper stepper(network, options, loss, task.objective.only);
  const auto size = static_cast<std::int64_t>(task.dataset.size());
  const bool drop_last = size > options.batch;
  data::Loader loader(task.dataset, task.recipe,
                      {.batch = options.batch,
                       .shuffle = true,
                       .drop_last = drop_last,
                       .seed = options.seed,
                       .workers = options.loader_workers,
                       .augmentation = options.augmentation,
                       .strict = options.strict});
  HEDGE_TRY(auto start, start_run(task, fingerprint, loss, loader, network, stepper));
  auto& summary = start.summary;
  const auto& form = start.form;
  stepper.begin(form, *start.workers);
  internal::CsvLog csv(options.csv, summary.resumed_from_epoch);
  internal::EpochRunner runner(stepper, loader, options, task.hooks, drop_last ? size / options.batch * options.batch : size);
  runner.begin(summary.resumed_from_epoch);
  std::size_t said = 0;
  for (auto epoch = summary.resumed_from_epoch; epoch < options.epochs; ++epoch) {
    HEDGE_TRY(const auto result, runner.epoch(epoch));
    HEDGE_CHECK(check_skipped(task, loader, said));
    summary.final_loss = result.loss;
    summary.final_accuracy = result.accuracy;
    summary.pictures_per_second = result.pictures_per_second;
    HEDGE_CHECK(check_finite(network, epoch));
    HEDGE_CHECK(csv.add(csv_line(options, epoch, result)));  // before the checkpoint: a resumed run drops lines of epochs it does again
    if (options.checkpoint.empty()) continue;
    const Checkpoint state{.epochs_done = epoch + 1,
                           .fingerprint = fingerprint,
                           .precision = to_string(form.precision),
                           .layout = to_string(form.layout),
                           .replicas = summary.replicas,
                           .loss = result.loss,
                           .accuracy = result.accuracy,
                           .pictures_per_second = result.pictures_per_second};
    HEDGE_CHECK(internal::save_checkpoint(options.checkpoint, state, network, stepper.optimizer()));
  }
  summary.seconds = runner.seconds();
  summary.precision = form.precision;
  summary.layout = form.layout;
  return Trained{network.to_graph(), summary};
}

}  // namespace

Result<Trained> train_classifier(graph::Graph graph, const data::Dataset& dataset, const data::Preprocess& recipe,
                                 const TrainOptions& options, const TrainHooks& hooks, const Objective& objective) {
  HEDGE_CHECK(options.validate());
  HEDGE_CHECK(check_fit(graph, dataset, recipe));
  HEDGE_CHECK(objective.validate(graph.outputs.size(), dataset.size()));
  try {
    return train_checked({graph, dataset, recipe, objective, options, hooks});
  } catch (const std::exception& e) {
    return Error{.code = ErrorCode::kInternal, .what = std::string("libtorch failed: ") + e.what()};
  }
}

}  // namespace hedge::train

#include "train/trainer.h"

#include <torch/torch.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <thread>

#include "data/skipped.h"
#include "graph/operators.h"
#include "train/fingerprint.h"
#include "train/internal/average.h"
#include "train/internal/budget.h"
#include "train/internal/checkpoint.h"
#include "train/internal/device.h"
#include "train/internal/epoch.h"
#include "train/internal/loss.h"
#include "train/internal/schedule.h"
#include "train/internal/start.h"
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
  const internal::Learning& learning;
  const torch::Device& device;
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
  double length = 0;                   ///< epochs of the run
  double epoch_seconds = 0;            ///< with a time budget: what an epoch takes, as measured
  double used_seconds = 0;             ///< of the budget, by an earlier process
  std::vector<torch::Tensor> average;  ///< of a checkpoint
};

/// As the options say; where they leave it open, as the run began, so that its result does not depend on the interruption.
internal::ThreadPlan plan_run(const TrainOptions& options, const std::optional<Checkpoint>& resumed, const LogSink& sink) {
  const int threads = options.threads > 0 ? options.threads : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  const auto plan =
      options.device == Device::kCpu ? internal::plan_threads(threads, options.batch) : internal::ThreadPlan{.operator_threads = threads};
  if (!resumed || resumed->replicas == 0 || resumed->replicas == plan.replicas) return plan;
  const int before = internal::replicas_for(options.batch, static_cast<int>(resumed->replicas));
  if (options.threads == 0 && options.device == Device::kCpu) return {before, std::max(1, threads / before)};
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
  start.length = static_cast<double>(options.epochs);
  if (!resumed) {
    HEDGE_TRY(const auto batch, first_batch(loader));
    const internal::FormTrial trial{task.graph, options, loss, task.learning, batch, *start.workers, task.device};
    HEDGE_TRY(start.form, internal::settle_form(trial, SteadyClock(), task.hooks.log));
    if (options.time_budget > 0) {
      HEDGE_TRY(const auto seconds, internal::seconds_an_image(trial, start.form, SteadyClock()));
      start.epoch_seconds = seconds * static_cast<double>(loader.batches_per_epoch() * options.batch);
    }
    return start;
  }
  if (resumed->length > 0) start.length = resumed->length;
  start.used_seconds = resumed->seconds;
  start.average = std::move(resumed->average);
  start.summary.resumed_from_epoch = resumed->epochs_done;
  start.summary.final_loss = resumed->loss;
  start.summary.final_accuracy = resumed->accuracy;
  start.summary.pictures_per_second = resumed->pictures_per_second;
  start.form = {precision_named(resumed->precision), layout_named(resumed->layout)};
  log(task.hooks.log, LogLevel::kInfo,
      "continuing from epoch " + std::to_string(resumed->epochs_done) + " of " + options.checkpoint.string());
  return start;
}

std::string csv_line(const TrainOptions& options, std::int64_t epoch, const internal::EpochRunner& runner,
                     const internal::EpochResult& result) {
  const internal::Progress at{static_cast<double>(options.first_epoch + epoch), runner.schedule()};
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

/// A run's state between its epochs. Borrowed, but for the numbers.
struct Running {
  const Task& task;
  const std::string& fingerprint;
  TrainableGraph& network;
  Stepper& stepper;
  internal::Average& average;
  internal::EpochRunner& runner;
  Start& start;
  SteadyClock clock = {};
  TimePoint begin = clock.now();

  [[nodiscard]] double used_seconds() const { return start.used_seconds + seconds_between(begin, clock.now()); }
};

Status keep(const Running& run, std::int64_t epochs_done, const internal::EpochResult& result) {
  const auto& options = run.task.options;
  if (options.checkpoint.empty()) return {};
  Checkpoint state{.epochs_done = epochs_done,
                   .fingerprint = run.fingerprint,
                   .precision = to_string(run.start.form.precision),
                   .layout = to_string(run.start.form.layout),
                   .replicas = run.start.summary.replicas,
                   .loss = result.loss,
                   .accuracy = result.accuracy,
                   .pictures_per_second = result.pictures_per_second,
                   .average = run.average.values()};
  if (options.time_budget > 0) state.length = run.runner.length(), state.seconds = run.used_seconds();
  return internal::save_checkpoint(options.checkpoint, state, run.network, run.stepper.optimizer());
}

/// Fits the run's length to what is left of its time budget. `done`: epochs so far; `epoch_seconds`: of one at the full image size.
Status fit_length(Running& run, double done, double epoch_seconds) {
  constexpr double kFewestSteps = 10;
  const auto& options = run.task.options;
  const auto length = internal::epochs_in_budget(options, run.task.recipe.height, done, {epoch_seconds, run.used_seconds()});
  const auto steps = static_cast<double>(run.task.dataset.size()) / static_cast<double>(options.batch);
  char text[160];
  std::snprintf(text, sizeof text, "time budget %.0f s, %.0f used: an epoch takes %.1f s, the training has %.2f epochs",
                options.time_budget, run.used_seconds(), epoch_seconds, length);
  if (done == 0 && length * steps < kFewestSteps)
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "the time budget is too short to train in",
                 .where = "time_budget",
                 .got = text,
                 .hint = "give more time, fewer images (?limit=N), or a smaller network"};
  log(run.task.hooks.log, LogLevel::kInfo, text);
  run.runner.set_length(length);
  return {};
}

/// After an epoch at shares of the run that may have had smaller images.
Status fit_after(Running& run, std::int64_t index, const internal::EpochResult& result) {
  const auto& options = run.task.options;
  const auto from = static_cast<double>(index), to = from + result.share, length = run.runner.length();
  const double cost = internal::mean_cost(options, run.task.recipe.height, from / length, to / length);
  return fit_length(run, to, result.seconds / (result.share * cost));
}

Status run_epochs(Running& run, const data::Loader& loader) {
  constexpr double kLeastPart = 0.01;  // of an epoch: less is not worth a start
  const auto& options = run.task.options;
  auto& summary = run.start.summary;
  internal::CsvLog csv(options.csv, summary.resumed_from_epoch);
  std::size_t said = 0;
  if (run.start.epoch_seconds > 0) HEDGE_CHECK(fit_length(run, 0, run.start.epoch_seconds));
  for (auto epoch = summary.resumed_from_epoch; run.runner.length() - static_cast<double>(epoch) > kLeastPart; ++epoch) {
    HEDGE_TRY(const auto result, run.runner.epoch(epoch));
    HEDGE_CHECK(check_skipped(run.task, loader, said));
    summary.final_loss = result.loss;
    summary.final_accuracy = result.accuracy;
    summary.pictures_per_second = result.pictures_per_second;
    HEDGE_CHECK(check_finite(run.network, epoch));
    // The line before the checkpoint: a resumed run drops lines of epochs it does again.
    HEDGE_CHECK(csv.add(csv_line(options, epoch, run.runner, result)));
    const bool whole = result.share > 1 - kLeastPart;
    if (options.time_budget > 0 && whole) HEDGE_CHECK(fit_after(run, epoch, result));
    HEDGE_CHECK(keep(run, epoch + 1, result));
    if (!whole) break;
  }
  return {};
}

Result<Trained> train_checked(const Task& task) {
  const auto& options = task.options;
  const auto fingerprint = fingerprint_of(task.graph, task.dataset, task.recipe, options, task.objective);
  HEDGE_TRY(auto network, TrainableGraph::create(task.graph));
  network.move_to(task.device);
  HEDGE_TRY(auto loss, internal::Loss::create(task.objective, task.graph, task.recipe, options.label_smoothing));
  loss.move_to(task.device);
  Stepper stepper(network, options, loss, task.learning);
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
  const SteadyClock clock;
  const auto begin = clock.now();
  HEDGE_TRY(auto start, start_run(task, fingerprint, loss, loader, network, stepper));
  stepper.begin(start.form, *start.workers);
  internal::Average average(options.averaging, network);  // after begin: it moves the weights
  average.restore(start.average);
  const auto images = drop_last ? size / options.batch * options.batch : size;
  internal::EpochRunner runner({stepper, average, loader, options, task.hooks, images, task.recipe.height});
  if (options.time_budget > 0) runner.set_length(start.length);
  runner.begin(start.summary.resumed_from_epoch);
  Running run{task, fingerprint, network, stepper, average, runner, start, clock, begin};
  HEDGE_CHECK(run_epochs(run, loader));
  if (options.averaging == Averaging::kEma) average.finish();
  start.summary.seconds = runner.seconds();
  start.summary.epochs = runner.length();
  start.summary.precision = start.form.precision;
  start.summary.layout = start.form.layout;
  return Trained{network.to_graph(), start.summary};
}

/// What the options ask of a network or an objective.
Status check_recipe(const graph::Graph& graph, const data::Preprocess& recipe, const TrainOptions& options, const Objective& objective) {
  const auto refuse = [](const char* where, const char* what) {
    return Error{.code = ErrorCode::kInvalidArgument, .what = what, .where = where};
  };
  const bool gated = objective.teacher && !objective.teacher->gate.empty();
  if ((objective.hybrid || objective.deferring || gated) && (options.mixup > 0 || options.cutmix > 0))
    return refuse("mixup, cutmix", "images cannot be mixed where the loss depends on which images the device answers");
  if (options.first_size >= 1) return {};
  if (objective.teacher && !objective.teacher->cached)
    return refuse("first_size", "the teacher would see small images too: keep its predictions, or use the full size from the start");
  auto smaller = graph;
  const auto side = internal::side_at(options, recipe.height, 0);
  smaller.inputs[0].shape[2] = side, smaller.inputs[0].shape[3] = std::max<std::int64_t>(1, recipe.width * side / recipe.height);
  const auto before = graph::infer_shapes(graph), after = graph::infer_shapes(smaller);
  const auto& logits = graph.outputs.at(0).name;
  if (!before || !after || before->at(logits).shape != after->at(logits).shape)
    return refuse("first_size", "this network takes images of one size only, so that training cannot begin with smaller ones");
  return {};
}

}  // namespace

Result<Trained> train_classifier(graph::Graph graph, const data::Dataset& dataset, const data::Preprocess& recipe,
                                 const TrainOptions& options, const TrainHooks& hooks, const Objective& objective) {
  HEDGE_CHECK(options.validate());
  HEDGE_CHECK(check_fit(graph, dataset, recipe));
  HEDGE_CHECK(objective.validate(graph.outputs.size(), dataset.size()));
  HEDGE_CHECK(check_recipe(graph, recipe, options, objective));
  try {
    HEDGE_TRY(const auto device, internal::open_device(options.device));
    internal::Learning learning{.only = objective.only, .frozen = {}, .rates = objective.rates, .elastic = objective.elastic};
    if (objective.elastic) {  // both ends of what a step may draw
      HEDGE_CHECK(internal::SubNetwork::create(graph, objective.elastic->choices.largest()));
      HEDGE_CHECK(internal::SubNetwork::create(graph, objective.elastic->choices.smallest()));
    }
    if (options.identity) internal::start_as_identity(graph);
    if (options.whiten) {
      HEDGE_TRY(learning.frozen, internal::start_whitening(graph, dataset, recipe, options));
    }
    return train_checked({graph, learning, device, dataset, recipe, objective, options, hooks});
  } catch (const std::exception& e) {
    return Error{.code = ErrorCode::kInternal, .what = std::string("libtorch failed: ") + e.what()};
  }
}

}  // namespace hedge::train

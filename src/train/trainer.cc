#include "train/trainer.h"

#include <torch/torch.h>

#include <cmath>
#include <cstdio>
#include <thread>

#include "core/clock.h"
#include "core/file.h"
#include "graph/operators.h"
#include "train/internal/autocast.h"
#include "train/internal/checkpoint.h"
#include "train/internal/fingerprint.h"
#include "train/internal/schedule.h"
#include "train/internal/trainable_graph.h"

namespace hedge::train {
namespace {

using internal::AutocastGuard;
using internal::Checkpoint;
using internal::TrainableGraph;

Error invalid(const char* field, std::string got, const char* expected) {
  return {.code = ErrorCode::kInvalidArgument, .what = "the training option is out of range", .where = field, .got = std::move(got), .expected = expected};
}

template <typename Options>
std::vector<torch::optim::OptimizerParamGroup> parameter_groups(const std::vector<torch::Tensor>& decayed, const Options& with,
                                                                const std::vector<torch::Tensor>& plain, const Options& without) {
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(decayed, std::make_unique<Options>(with));
  groups.emplace_back(plain, std::make_unique<Options>(without));
  return groups;
}

/// Weights decay; biases, gammas and betas (1-D) do not.
std::unique_ptr<torch::optim::Optimizer> make_optimizer(const TrainableGraph& graph, const TrainOptions& options) {
  std::vector<torch::Tensor> decayed;
  std::vector<torch::Tensor> plain;
  for (const auto& parameter : graph.parameters()) (parameter.dim() > 1 ? decayed : plain).push_back(parameter);
  const double rate = options.learning_rate;
  if (options.optimizer == Optimizer::kSgd) {
    torch::optim::SGDOptions without(rate);
    without.momentum(options.momentum).nesterov(options.momentum > 0);
    auto with = without;
    with.weight_decay(options.weight_decay);
    return std::make_unique<torch::optim::SGD>(parameter_groups(decayed, with, plain, without), without);
  }
  torch::optim::AdamWOptions without(rate);
  without.weight_decay(0);
  auto with = without;
  with.weight_decay(options.weight_decay);
  return std::make_unique<torch::optim::AdamW>(parameter_groups(decayed, with, plain, without), without);
}

void set_learning_rate(torch::optim::Optimizer& optimizer, double rate) {
  for (auto& group : optimizer.param_groups()) group.options().set_lr(rate);
}

struct Form {
  Precision precision = Precision::kF32;
  Layout layout = Layout::kNchw;
  [[nodiscard]] torch::MemoryFormat format() const {
    return layout == Layout::kChannelsLast ? torch::MemoryFormat::ChannelsLast : torch::MemoryFormat::Contiguous;
  }
};

/// One training run's moving parts.
class Run {
 public:
  Run(TrainableGraph& graph, const TrainOptions& options) : graph_(graph), options_(options), optimizer_(make_optimizer(graph, options)) {}

  struct StepResult {
    double loss = 0;
    std::int64_t right = 0;
  };

  StepResult step(const torch::Tensor& images, const torch::Tensor& labels) {
    optimizer_->zero_grad();
    torch::Tensor logits;
    {
      AutocastGuard autocast(form_.precision == Precision::kBf16);
      logits = graph_.forward({images.contiguous(form_.format())}, true)[0];
    }
    logits = logits.to(torch::kFloat);
    auto loss = torch::nn::functional::cross_entropy(
        logits, labels, torch::nn::functional::CrossEntropyFuncOptions().label_smoothing(options_.label_smoothing));
    loss.backward();
    optimizer_->step();
    return {loss.item<double>(), logits.argmax(1).eq(labels).sum().item<std::int64_t>()};
  }

  void set_form(Form form) {
    form_ = form;
    graph_.set_memory_format(form.format());
  }
  [[nodiscard]] const Form& form() const { return form_; }
  torch::optim::Optimizer& optimizer() { return *optimizer_; }

 private:
  TrainableGraph& graph_;
  const TrainOptions& options_;
  std::unique_ptr<torch::optim::Optimizer> optimizer_;
  Form form_;
};

torch::Tensor borrow(const Tensor& tensor) {
  return torch::from_blob(const_cast<std::byte*>(tensor.bytes()), tensor.shape(), torch::kFloat);  // read only
}

/// The fastest of the forms the options leave open, each on the same batch: one step to warm up, then the best of three.
/// The steps run on a copy of the network, so that the measurement leaves no trace in the result.
Result<Form> measure_form(const graph::Graph& graph, const TrainOptions& options, const data::Batch& batch, const LogSink& sink) {
  std::vector<Form> forms;
  for (const auto precision : {Precision::kF32, Precision::kBf16})
    for (const auto layout : {Layout::kNchw, Layout::kChannelsLast})
      if ((options.precision == Precision::kAuto || options.precision == precision) &&
          (options.layout == Layout::kAuto || options.layout == layout))
        forms.push_back({precision, layout});
  if (forms.size() == 1 || options.threads == 1) return forms[0];  // a timing must not decide what is promised to be the same bits
  const auto labels = torch::tensor(batch.labels, torch::kLong);
  const SteadyClock clock;
  Form best;
  double best_s = 1e30;
  for (const auto& form : forms) {
    HEDGE_TRY(auto copy, TrainableGraph::create(graph));
    Run run(copy, options);
    run.set_form(form);
    set_learning_rate(run.optimizer(), 0.0);
    double seconds = 1e30;
    for (int i = 0; i < 4; ++i) {
      const auto start = clock.now();
      run.step(borrow(batch.images), labels);
      if (i > 0) seconds = std::min(seconds, seconds_between(start, clock.now()));
    }
    log(sink, LogLevel::kInfo, std::string("measured ") + to_string(form.precision) + " " + to_string(form.layout) + ": " +
                                   std::to_string(static_cast<int>(static_cast<double>(batch.labels.size()) / seconds)) + " pictures/s");
    if (seconds < best_s) best_s = seconds, best = form;
  }
  return best;
}

Status check_fit(const graph::Graph& graph, const data::Dataset& dataset, const data::Preprocess& recipe) {
  const Shape picture = {-1, recipe.channels, recipe.height, recipe.width};
  if (graph.inputs.empty() || graph.inputs[0].shape.size() != 4 ||
      !std::equal(picture.begin() + 1, picture.end(), graph.inputs[0].shape.begin() + 1))
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the network takes pictures of another shape than the recipe makes",
                 .where = graph.name,
                 .got = graph.inputs.empty() ? "no input" : hedge::to_string(graph.inputs[0].shape),
                 .expected = hedge::to_string(picture)};
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

/// The growing CSV log: written whole after each epoch, so that a resumed run continues it without doubled lines.
class CsvLog {
 public:
  explicit CsvLog(std::filesystem::path path, std::int64_t keep_epochs) : path_(std::move(path)) {
    text_ = "epoch,learning_rate,loss,accuracy,pictures_per_second,seconds\n";
    if (path_.empty() || keep_epochs == 0) return;
    auto old = read_file(path_);
    if (!old) return;
    std::size_t at = 0;
    for (std::int64_t line = 0; line <= keep_epochs && at != std::string::npos; ++line) {
      at = old->find('\n', at);
      if (at != std::string::npos) ++at;
    }
    text_ = old->substr(0, at);
  }
  Status add(const std::string& line) {
    if (path_.empty()) return {};
    text_ += line + "\n";
    return write_file_atomic(path_, text_);
  }

 private:
  std::filesystem::path path_;
  std::string text_;
};

struct EpochResult {
  double loss = 0;
  double accuracy = 0;
  double pictures_per_second = 0;
  double seconds = 0;
};

/// All steps of one epoch.
class EpochRunner {
 public:
  /// `pictures`: of an epoch, as the loader gives them.
  EpochRunner(Run& run, data::Loader& loader, const TrainOptions& options, const TrainHooks& hooks, std::int64_t pictures)
      : run_(run), loader_(loader), options_(options), hooks_(hooks), pictures_(static_cast<double>(pictures)) {}

  Result<EpochResult> epoch(std::int64_t index) {
    const auto start = clock_.now();
    auto shown = start;
    double loss_sum = 0;
    std::int64_t right = 0, seen = 0, step = 0;
    const auto steps = static_cast<double>(std::max<std::int64_t>(1, loader_.batches_per_epoch()));
    loader_.start(index);
    while (true) {
      HEDGE_TRY(const auto batch, loader_.next());
      if (!batch) break;
      if (hooks_.should_stop && hooks_.should_stop())
        return Error{.code = ErrorCode::kCancelled, .what = "stopped on request", .hint = "run the same command again to go on from the last checkpoint"};
      if (batch->labels.size() < 2) continue;  // batch normalisation needs two
      set_learning_rate(run_.optimizer(), internal::learning_rate_at(options_, static_cast<double>(index) + static_cast<double>(step) / steps));
      const auto result = run_.step(borrow(batch->images), torch::tensor(batch->labels, torch::kLong));
      if (!std::isfinite(result.loss))
        return Error{.code = ErrorCode::kBadData,
                     .what = "the loss is not finite",
                     .where = "epoch " + std::to_string(index + 1) + ", step " + std::to_string(step + 1),
                     .hint = "lower the learning rate; the last checkpoint stands"};
      const auto n = static_cast<std::int64_t>(batch->labels.size());
      loss_sum += result.loss * static_cast<double>(n);
      right += result.right, seen += n, ++step;
      trained_ += static_cast<double>(n);
      const auto now = clock_.now();
      if (seconds_between(shown, now) > 0.5) shown = now, show(index, loss_sum, right, seen, now);
    }
    if (seen == 0) return Error{.code = ErrorCode::kBadData, .what = "no picture could be decoded"};
    const double seconds = seconds_between(start, clock_.now());
    show(index, loss_sum, right, seen, clock_.now());
    return EpochResult{loss_sum / static_cast<double>(seen), static_cast<double>(right) / static_cast<double>(seen), static_cast<double>(seen) / seconds, seconds};
  }

  /// Sets the start of the measured time and the pictures done by an earlier process.
  void begin(std::int64_t epochs_done) {
    begin_ = clock_.now();
    trained_ = 0;
    before_ = static_cast<double>(epochs_done) * pictures_;
  }
  [[nodiscard]] double seconds() const { return seconds_between(begin_, clock_.now()); }

 private:
  void show(std::int64_t index, double loss_sum, std::int64_t right, std::int64_t seen, TimePoint now) const {
    if (!hooks_.progress) return;
    const double total = pictures_ * static_cast<double>(options_.epochs);
    const double rate = trained_ / std::max(1e-9, seconds_between(begin_, now));
    char note[128];
    std::snprintf(note, sizeof note, "epoch %lld/%lld  loss %.4f  accuracy %.4f  %.0f pictures/s", static_cast<long long>(index + 1),
                  static_cast<long long>(options_.epochs), loss_sum / static_cast<double>(seen), static_cast<double>(right) / static_cast<double>(seen), rate);
    hooks_.progress({"train", before_ + trained_, total, rate > 0 ? (total - before_ - trained_) / rate : -1, note});
  }

  Run& run_;
  data::Loader& loader_;
  const TrainOptions& options_;
  const TrainHooks& hooks_;
  double pictures_;
  double trained_ = 0;
  double before_ = 0;
  SteadyClock clock_;
  TimePoint begin_ = clock_.now();
};

/// A last step may spoil the weights after its loss was looked at: such weights are neither kept nor given out.
Status check_finite(const TrainableGraph& graph, std::int64_t epoch) {
  for (const auto* group : {&graph.named_parameters(), &graph.named_buffers()})
    for (const auto& [name, value] : *group)
      if (!value.isfinite().all().item<bool>())
        return Error{.code = ErrorCode::kBadData,
                     .what = "a weight is not finite after epoch " + std::to_string(epoch + 1),
                     .where = name,
                     .hint = "lower the learning rate; the last checkpoint stands"};
  return {};
}

Precision precision_named(const std::string& name) { return name == "bf16" ? Precision::kBf16 : Precision::kF32; }
Layout layout_named(const std::string& name) { return name == "channels_last" ? Layout::kChannelsLast : Layout::kNchw; }

Result<data::Batch> first_batch(data::Loader& loader) {
  loader.start(0);
  HEDGE_TRY(auto batch, loader.next());
  if (!batch) return Error{.code = ErrorCode::kBadData, .what = "the data set gives no batch", .hint = "lower the batch size"};
  return *std::move(batch);
}

Result<Trained> train_checked(graph::Graph graph, const data::Dataset& dataset, const data::Preprocess& recipe, const TrainOptions& options,
                              const TrainHooks& hooks) {
  at::set_num_threads(options.threads > 0 ? options.threads : static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
  const auto fingerprint = internal::fingerprint_of(graph, dataset, recipe, options);
  HEDGE_TRY(auto trainable, TrainableGraph::create(graph));
  Run run(trainable, options);
  const auto size = static_cast<std::int64_t>(dataset.size());
  const bool drop_last = size > options.batch;
  data::Loader loader(dataset, recipe,
                      {.batch = options.batch, .shuffle = true, .drop_last = drop_last, .seed = options.seed, .workers = options.loader_workers,
                       .augmentation = options.augmentation, .strict = options.strict});
  TrainSummary summary;
  Form form;
  std::optional<Checkpoint> resumed;
  if (!options.checkpoint.empty() && !options.fresh) {
    HEDGE_TRY(resumed, internal::load_checkpoint(options.checkpoint, fingerprint, trainable, run.optimizer()));
  }
  if (resumed) {
    summary.resumed_from_epoch = resumed->epochs_done;
    summary.final_loss = resumed->loss;
    summary.final_accuracy = resumed->accuracy;
    summary.pictures_per_second = resumed->pictures_per_second;
    form = {precision_named(resumed->precision), layout_named(resumed->layout)};
    log(hooks.log, LogLevel::kInfo, "going on from epoch " + std::to_string(resumed->epochs_done) + " of " + options.checkpoint.string());
  } else {
    HEDGE_TRY(const auto batch, first_batch(loader));
    HEDGE_TRY(form, measure_form(graph, options, batch, hooks.log));
  }
  run.set_form(form);
  CsvLog csv(options.csv, summary.resumed_from_epoch);
  EpochRunner runner(run, loader, options, hooks, drop_last ? size / options.batch * options.batch : size);
  runner.begin(summary.resumed_from_epoch);
  for (auto epoch = summary.resumed_from_epoch; epoch < options.epochs; ++epoch) {
    HEDGE_TRY(const auto result, runner.epoch(epoch));
    summary.final_loss = result.loss;
    summary.final_accuracy = result.accuracy;
    summary.pictures_per_second = result.pictures_per_second;
    HEDGE_CHECK(check_finite(trainable, epoch));
    char line[160];
    std::snprintf(line, sizeof line, "%lld,%.6g,%.6f,%.6f,%.1f,%.3f", static_cast<long long>(epoch + 1),
                  internal::learning_rate_at(options, static_cast<double>(epoch)), result.loss, result.accuracy, result.pictures_per_second, result.seconds);
    HEDGE_CHECK(csv.add(line));  // before the checkpoint: a resumed run drops lines of epochs it does again
    if (options.checkpoint.empty()) continue;
    const Checkpoint state{epoch + 1, fingerprint, to_string(form.precision), to_string(form.layout), result.loss, result.accuracy, result.pictures_per_second};
    HEDGE_CHECK(internal::save_checkpoint(options.checkpoint, state, trainable, run.optimizer()));
  }
  for (const auto& skipped : loader.skipped()) log(hooks.log, LogLevel::kWarning, skipped.path + ": " + skipped.reason);
  summary.seconds = runner.seconds();
  summary.precision = form.precision;
  summary.layout = form.layout;
  return Trained{trainable.to_graph(), summary};
}

}  // namespace

const char* to_string(Precision precision) {
  return precision == Precision::kAuto ? "auto" : precision == Precision::kF32 ? "f32" : "bf16";
}
const char* to_string(Layout layout) {
  return layout == Layout::kAuto ? "auto" : layout == Layout::kNchw ? "nchw" : "channels_last";
}

Status TrainOptions::validate() const {
  if (epochs < 1) return invalid("epochs", std::to_string(epochs), ">= 1");
  if (batch < 2) return invalid("batch", std::to_string(batch), ">= 2");
  if (!(learning_rate > 0) || !std::isfinite(learning_rate)) return invalid("learning_rate", std::to_string(learning_rate), "> 0");
  if (!(momentum >= 0 && momentum < 1)) return invalid("momentum", std::to_string(momentum), "in [0, 1)");
  if (!(weight_decay >= 0) || !std::isfinite(weight_decay)) return invalid("weight_decay", std::to_string(weight_decay), ">= 0");
  if (!(warmup_epochs >= 0 && warmup_epochs < static_cast<double>(epochs)))
    return invalid("warmup_epochs", std::to_string(warmup_epochs), "in [0, epochs)");
  if (!(label_smoothing >= 0 && label_smoothing < 1)) return invalid("label_smoothing", std::to_string(label_smoothing), "in [0, 1)");
  if (threads < 0) return invalid("threads", std::to_string(threads), ">= 0");
  if (loader_workers < 1) return invalid("loader_workers", std::to_string(loader_workers), ">= 1");
  if (augmentation.pad_crop < 0) return invalid("pad_crop", std::to_string(augmentation.pad_crop), ">= 0");
  return {};
}

Result<Trained> train_classifier(graph::Graph graph, const data::Dataset& dataset, const data::Preprocess& recipe, const TrainOptions& options,
                                 const TrainHooks& hooks) {
  HEDGE_CHECK(options.validate());
  HEDGE_CHECK(check_fit(graph, dataset, recipe));
  try {
    return train_checked(std::move(graph), dataset, recipe, options, hooks);
  } catch (const std::exception& e) {
    return Error{.code = ErrorCode::kInternal, .what = std::string("libtorch failed: ") + e.what()};
  }
}

}  // namespace hedge::train

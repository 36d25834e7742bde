#include "workflow/compare.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "data/spec.h"
#include "eval/baselines_json.h"
#include "eval/split_run.h"
#include "graph/exits.h"
#include "graph/operators.h"
#include "infer/openvino/openvino_executor.h"
#include "routing/splits.h"
#include "workflow/internal/trainable.h"
#include "workflow/routers.h"

namespace hedge::workflow {
namespace {

/// What every method is compared on.
struct Study {
  routing::PredictionTable table;
  routing::Outcomes outcomes;
  eval::SharedMethod hybrid;
  eval::Baselines head;  ///< without rows
  std::vector<eval::SharedMethod> methods;
  std::vector<eval::ExitMethod> exits;
};

/// A method whose device runs the table's base and whose cloud runs its global on the image.
eval::SharedMethod of_pair(const routing::PredictionTable& table, const routing::Outcomes& outcomes, std::string name,
                           std::int64_t image_bytes) {
  return {.name = std::move(name),
          .outcomes = outcomes,
          .device_macs = table.info.base_macs,
          .cloud_macs = table.info.global_macs,
          .query_bytes = image_bytes};
}

eval::SharedMethod on_device(const routing::PredictionTable& table, const routing::Outcomes& outcomes, std::string name) {
  auto method = of_pair(table, outcomes, std::move(name), 0);
  method.where = eval::Placement::kDevice;
  method.cloud_macs = 0;
  return method;
}

eval::BaselineModel model_of(const std::string& sha256, std::int64_t macs, std::int64_t parameters, const std::vector<std::uint8_t>& right,
                             std::span<const std::int64_t> groups) {
  return {.sha256 = sha256, .macs = macs, .parameters = parameters, .accuracy = eval::share_interval(right, groups)};
}

/// What stands above the rows, as far as the table says it.
eval::Baselines head_of(const Study& study, const CompareOptions& options) {
  const auto& info = study.table.info;
  return {.dataset = info.dataset,
          .split = info.split,
          .content_hash = info.content_hash,
          .images = static_cast<std::int64_t>(study.table.size()),
          .executor = info.executor,
          .base = model_of(info.base_hash, info.base_macs, info.base_parameters, study.outcomes.base_right,
                           study.table.groups.data<std::int64_t>()),
          .global = model_of(info.global_hash, info.global_macs, info.global_parameters, study.outcomes.global_right,
                             study.table.groups.data<std::int64_t>()),
          .router_seeds = options.hybrids.size(),
          .resamples = options.judging.resamples,
          .seed = options.judging.seed};
}

Result<Study> open_study(const CompareOptions& options) {
  Study study;
  HEDGE_TRY(study.table, routing::read_table(options.table));
  HEDGE_TRY(study.outcomes, routing::outcomes(study.table));
  HEDGE_CHECK(routing::check_unseen(study.table.info));
  HEDGE_TRY(const auto global, internal::read_trainable({.path = options.global}));
  auto& head = study.head;
  head = head_of(study, options);
  head.image_bytes = global.recipe.height * global.recipe.width * global.recipe.channels;
  study.hybrid = of_pair(study.table, study.outcomes, "hybrid", head.image_bytes);
  for (const auto& folder : options.hybrids) {
    HEDGE_TRY(const auto fitted, read_fitted(folder));
    HEDGE_CHECK(routing::check_models(fitted.policy, study.table.info, folder.string()));
    HEDGE_TRY(auto scores, score_table(fitted.router, study.table));
    study.hybrid.scores.push_back(std::move(scores));
    head.router = fitted.policy.router;
    head.router_macs = fitted.macs;
  }
  study.hybrid.device_macs += head.router_macs;
  return study;
}

/// What the pair itself gives without a router: its two ends, the oracle and the free scores.
void add_pair(Study& study) {
  const auto& table = study.table;
  const auto bytes = study.head.image_bytes;
  study.methods.push_back(on_device(table, study.outcomes, "on_device"));
  auto cloud = of_pair(table, study.outcomes, "on_cloud", bytes);
  cloud.where = eval::Placement::kCloud;
  cloud.device_macs = 0;
  study.methods.push_back(std::move(cloud));
  auto bound = of_pair(table, study.outcomes, "upper_bound", bytes);
  bound.scores = {routing::oracle_scores(study.outcomes)};
  study.methods.push_back(std::move(bound));
  for (const auto score : {routing::FreeScore::kEntropy, routing::FreeScore::kMargin, routing::FreeScore::kMaxProbability}) {
    auto method = of_pair(table, study.outcomes, routing::to_string(score), bytes);
    method.scores = {routing::free_score(score, table.base_logits)};
    study.methods.push_back(std::move(method));
  }
}

/// A table of other models on the same images: alone on the device, and as an entropy cascade.
Status add_other(Study& study, const std::string& name, const std::filesystem::path& path) {
  HEDGE_TRY(const auto table, routing::read_table(path));
  HEDGE_CHECK(routing::check_unseen(table.info));
  if (table.info.content_hash != study.table.info.content_hash)
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the table is of other images",
                 .where = path.string(),
                 .got = table.info.dataset,
                 .expected = study.table.info.dataset};
  HEDGE_TRY(const auto outcomes, routing::outcomes(table));
  study.methods.push_back(on_device(table, outcomes, name));
  auto cascade = of_pair(table, outcomes, name + "_entropy", study.head.image_bytes);
  cascade.scores = {routing::free_score(routing::FreeScore::kEntropy, table.base_logits)};
  study.methods.push_back(std::move(cascade));
  return {};
}

/// A network with exits, and the images it is run on.
struct ExitNetwork {
  internal::Trainable model;
  std::vector<std::string> tensors;
};

Result<ExitNetwork> read_exits(const std::filesystem::path& path, const Study& study) {
  ExitNetwork network;
  HEDGE_TRY(network.model, internal::read_trainable({.path = path}));
  HEDGE_TRY(network.tensors, graph::exits_of(network.model.graph));
  if (network.tensors.empty())
    return Error{
        .code = ErrorCode::kMismatch, .what = "the network has no exits", .where = path.string(), .hint = "make it with \"hedge exits\""};
  const auto trained = network.model.graph.metadata.find(graph::kTrainedOnKey);
  if (trained != network.model.graph.metadata.end() && routing::same_or_overlapping(trained->second, study.table.info.dataset))
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the network was trained on images that it would be judged by",
                 .where = path.string(),
                 .got = trained->second};
  return network;
}

/// The comparison's networks on images: what takes the time.
class ImageMethods {
 public:
  ImageMethods(Study& study, const CompareOptions& options, const data::Dataset& images, const RunContext& context)
      : study_(study), options_(options), images_(images), context_(context) {}

  Status add_early_exits() {
    HEDGE_TRY(const auto network, read_exits(options_.exits, study_));
    HEDGE_TRY(auto macs, graph::exit_macs(network.model.graph));
    HEDGE_TRY(const auto executor, open(network.model.graph));
    std::vector<std::string> names;
    for (std::size_t i = 0; i < network.tensors.size(); ++i) names.push_back(graph::kExitPrefix + std::to_string(i + 1));
    HEDGE_TRY(auto method, eval::run_exits(*executor, names, std::move(macs), run_on(images_, network, "early exits")));
    study_.exits.push_back(std::move(method));
    return {};
  }

  Status add_splits() {
    HEDGE_TRY(const auto network, read_exits(options_.split, study_));
    HEDGE_TRY(const auto training, open_calibration());
    for (std::size_t i = 0; i < network.tensors.size(); ++i) {
      if (context_.should_stop && context_.should_stop())
        return Error{.code = ErrorCode::kCancelled, .what = "stopped on request", .where = "compare"};
      HEDGE_CHECK(add_cut(network, i, *training.dataset));
    }
    return {};
  }

 private:
  [[nodiscard]] Result<std::unique_ptr<Executor>> open(const graph::Graph& graph) const {
    return infer::make_openvino_executor(graph, {.throughput = options_.threads != 1, .threads = options_.threads});
  }

  [[nodiscard]] eval::ImageRun run_on(const data::Dataset& images, const ExitNetwork& network, std::string what) const {
    return {.dataset = &images, .recipe = network.model.recipe, .progress = context_.progress, .what = std::move(what)};
  }

  /// The images that give the scales of int8: not those that are judged.
  [[nodiscard]] Result<data::Opened> open_calibration() const {
    const auto& judged = study_.table.info.dataset;
    std::string spec = options_.calibrate;
    if (spec.empty()) {
      HEDGE_TRY(spec, data::spec_with_split(judged, "train"));
    }
    if (routing::same_or_overlapping(spec, judged))
      return Error{.code = ErrorCode::kMismatch,
                   .what = "the scales of int8 would come from the images that are judged",
                   .got = spec,
                   .hint = "name images of another split with --calibrate"};
    return data::open_dataset(spec, {.log = context_.log});
  }

  /// One cut: the scale of its int8 from the training split, then both halves on the judged images.
  Status add_cut(const ExitNetwork& network, std::size_t index, const data::Dataset& training) {
    HEDGE_TRY(const auto split, graph::split_at_exit(network.model.graph, index));
    HEDGE_TRY(const auto device_macs, graph::count_macs(split.device));
    HEDGE_TRY(const auto cloud_macs, graph::count_macs(split.cloud));
    HEDGE_TRY(const auto device, open(split.device));
    HEDGE_TRY(const auto cloud, open(split.cloud));
    HEDGE_TRY(const auto code,
              eval::measure_code(*device, run_on(training, network, "scale of " + split.tensor), options_.calibrate_images));
    HEDGE_TRY(auto methods,
              eval::run_split({.device = device.get(), .cloud = cloud.get()}, code, run_on(images_, network, "cut at " + split.tensor)));
    for (auto* method : {&methods.f32, &methods.int8}) {
      method->variant = split.tensor;
      method->device_macs = device_macs;
      method->cloud_macs = cloud_macs;
      study_.methods.push_back(std::move(*method));
    }
    return {};
  }

  Study& study_;
  const CompareOptions& options_;
  const data::Dataset& images_;
  const RunContext& context_;
};

Status add_networks(Study& study, const CompareOptions& options, const RunContext& context) {
  if (options.exits.empty() && options.split.empty()) return {};
  const auto& info = study.table.info;
  HEDGE_TRY(const auto images, data::open_dataset(info.dataset, {.log = context.log}));
  if (images.dataset->content_hash() != info.content_hash)
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the images are no longer those of the table",
                 .where = info.dataset,
                 .hint = "predict again"};
  ImageMethods methods(study, options, *images.dataset, context);
  if (!options.split.empty()) HEDGE_CHECK(methods.add_splits());
  if (!options.exits.empty()) HEDGE_CHECK(methods.add_early_exits());
  return {};
}

}  // namespace

Result<eval::Baselines> compare(const CompareOptions& options, const RunContext& context) {
  HEDGE_TRY(auto study, open_study(options));
  add_pair(study);
  if (!options.distilled.empty()) HEDGE_CHECK(add_other(study, "distilled", options.distilled));
  for (const auto& other : options.also) HEDGE_CHECK(add_other(study, other.name, other.table));
  HEDGE_CHECK(add_networks(study, options, context));
  auto& baselines = study.head;
  HEDGE_TRY(baselines.rows, eval::baseline_rows(study.hybrid, study.methods, study.exits, options.judging));
  if (!options.out.empty()) HEDGE_CHECK(write_json(options.out, eval::to_json(baselines)));
  return std::move(baselines);
}

}  // namespace hedge::workflow

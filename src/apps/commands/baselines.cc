#include <filesystem>
#include <memory>

#include "apps/commands.h"
#include "apps/routers.h"
#include "apps/training_flags.h"
#include "core/json.h"
#include "data/spec.h"
#include "eval/baselines_json.h"
#include "eval/split_run.h"
#include "graph/exits.h"
#include "graph/operators.h"
#include "infer/openvino/openvino_executor.h"
#include "routing/splits.h"

namespace hedge::apps {
namespace {

struct Flags {
  std::string table, global, exits, split, distilled, calibrate, out;
  std::vector<std::string> hybrid, also;
  std::size_t calibrate_images = 1000;
  int threads = 0;
  eval::BaselineOptions options;
};

/// What every method is compared on.
struct Study {
  routing::PredictionTable table;
  routing::Outcomes outcomes;
  eval::SharedMethod hybrid;
  eval::BaselinesHead head;
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

Result<Study> open_study(const Flags& flags) {
  Study study;
  HEDGE_TRY(study.table, routing::read_table(flags.table));
  HEDGE_TRY(study.outcomes, routing::outcomes(study.table));
  HEDGE_CHECK(routing::check_unseen(study.table.info));
  HEDGE_TRY(const auto global, read_trainable(flags.global));
  auto& head = study.head;
  head.image_bytes = global.recipe.height * global.recipe.width * global.recipe.channels;
  head.resamples = flags.options.resamples;
  head.seed = flags.options.seed;
  study.hybrid = of_pair(study.table, study.outcomes, "hybrid", head.image_bytes);
  for (const auto& folder : flags.hybrid) {
    HEDGE_TRY(const auto fitted, read_fitted(folder));
    HEDGE_CHECK(routing::check_models(fitted.policy, study.table.info, folder));
    HEDGE_TRY(auto scores, score_table(fitted, study.table));
    study.hybrid.scores.push_back(std::move(scores));
    head.router = fitted.policy.router;
    head.router_macs = fitted.macs;
  }
  head.router_seeds = flags.hybrid.size();
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
Status add_other(Study& study, const std::string& name, const std::string& path) {
  HEDGE_TRY(const auto table, routing::read_table(path));
  HEDGE_CHECK(routing::check_unseen(table.info));
  if (table.info.content_hash != study.table.info.content_hash)
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the table is of other images",
                 .where = path,
                 .got = table.info.dataset,
                 .expected = study.table.info.dataset};
  HEDGE_TRY(const auto outcomes, routing::outcomes(table));
  study.methods.push_back(on_device(table, outcomes, name));
  auto cascade = of_pair(table, outcomes, name + "_entropy", study.head.image_bytes);
  cascade.scores = {routing::free_score(routing::FreeScore::kEntropy, table.base_logits)};
  study.methods.push_back(std::move(cascade));
  return {};
}

Result<std::unique_ptr<data::Dataset>> open_images(const std::string& spec, Context& context) {
  HEDGE_TRY(auto opened, data::open_dataset(spec, {.log = context.console.log()}));
  return std::move(opened.dataset);
}

/// A network with exits, and the images it is run on.
struct ExitNetwork {
  Trainable model;
  std::vector<std::string> tensors;
};

Result<ExitNetwork> read_exits(const std::string& path, const Study& study) {
  ExitNetwork network;
  HEDGE_TRY(network.model, read_trainable(path));
  HEDGE_TRY(network.tensors, graph::exits_of(network.model.graph));
  if (network.tensors.empty())
    return Error{.code = ErrorCode::kMismatch, .what = "the network has no exits", .where = path, .hint = "make it with \"hedge exits\""};
  const auto trained = network.model.graph.metadata.find(graph::kTrainedOnKey);
  if (trained != network.model.graph.metadata.end() && routing::same_or_overlapping(trained->second, study.table.info.dataset))
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the network was trained on the images it is to be judged by",
                 .where = path,
                 .got = trained->second};
  return network;
}

Status add_early_exits(Study& study, const Flags& flags, const data::Dataset& images, Context& context) {
  HEDGE_TRY(const auto network, read_exits(flags.exits, study));
  HEDGE_TRY(auto macs, graph::exit_macs(network.model.graph));
  HEDGE_TRY(const auto executor,
            infer::make_openvino_executor(network.model.graph, {.throughput = flags.threads != 1, .threads = flags.threads}));
  std::vector<std::string> names;
  for (std::size_t i = 0; i < network.tensors.size(); ++i) names.push_back(graph::kExitPrefix + std::to_string(i + 1));
  HEDGE_TRY(
      auto method,
      eval::run_exits(
          *executor, names, std::move(macs),
          {.dataset = &images, .recipe = network.model.recipe, .progress = context.console.progress("hedge: "), .what = "early exits"}));
  study.exits.push_back(std::move(method));
  return {};
}

/// One cut: the scale of its int8 from the training split, then both halves on the judged images.
Status add_cut(Study& study, const Flags& flags, const ExitNetwork& network, std::size_t index, const data::Dataset& training,
               const data::Dataset& images, Context& context) {
  HEDGE_TRY(const auto split, graph::split_at_exit(network.model.graph, index));
  HEDGE_TRY(const auto device_macs, graph::count_macs(split.device));
  HEDGE_TRY(const auto cloud_macs, graph::count_macs(split.cloud));
  HEDGE_TRY(const auto device, infer::make_openvino_executor(split.device, {.throughput = flags.threads != 1, .threads = flags.threads}));
  HEDGE_TRY(const auto cloud, infer::make_openvino_executor(split.cloud, {.throughput = flags.threads != 1, .threads = flags.threads}));
  eval::ImageRun run{.dataset = &training,
                     .recipe = network.model.recipe,
                     .progress = context.console.progress("hedge: "),
                     .what = "scale of " + split.tensor};
  HEDGE_TRY(const auto code, eval::measure_code(*device, run, flags.calibrate_images));
  run.dataset = &images;
  run.what = "cut at " + split.tensor;
  HEDGE_TRY(auto methods, eval::run_split({.device = device.get(), .cloud = cloud.get()}, code, run));
  for (auto* method : {&methods.f32, &methods.int8}) {
    method->variant = split.tensor;
    method->device_macs = device_macs;
    method->cloud_macs = cloud_macs;
    study.methods.push_back(std::move(*method));
  }
  return {};
}

Status add_splits(Study& study, const Flags& flags, const data::Dataset& images, Context& context) {
  HEDGE_TRY(const auto network, read_exits(flags.split, study));
  std::string spec = flags.calibrate;
  if (spec.empty()) {
    HEDGE_TRY(spec, data::spec_with_split(study.table.info.dataset, "train"));
  }
  if (routing::same_or_overlapping(spec, study.table.info.dataset))
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the scales of int8 would come from the images that are judged",
                 .got = spec,
                 .hint = "give another split with --calibrate"};
  HEDGE_TRY(const auto training, open_images(spec, context));
  for (std::size_t i = 0; i < network.tensors.size(); ++i) HEDGE_CHECK(add_cut(study, flags, network, i, *training, images, context));
  return {};
}

void print_rows(const std::vector<eval::BaselineRow>& rows) {
  std::printf("%-28s %8s %8s %18s %18s %10s %10s %10s\n", "method", "coverage", "accuracy", "interval", "to the hybrid", "device M",
              "cloud M", "bytes");
  for (const auto& row : rows) {
    char difference[40] = "-";
    if (row.to_hybrid) std::snprintf(difference, sizeof difference, "[%+.2f, %+.2f]", 100 * row.to_hybrid->low, 100 * row.to_hybrid->high);
    std::printf("%-28s %6.1f %% %6.2f %%   [%6.2f, %6.2f] %18s %10.3f %10.3f %10.0f\n",
                (row.name + (row.variant.empty() ? "" : " " + row.variant)).c_str(), 100 * row.coverage, 100 * row.accuracy.value,
                100 * row.accuracy.low, 100 * row.accuracy.high, difference, row.device_macs * 1e-6, row.cloud_macs * 1e-6, row.bytes_sent);
  }
}

Status run(const Flags& flags, Context& context) {
  HEDGE_TRY(auto study, open_study(flags));
  add_pair(study);
  if (!flags.distilled.empty()) HEDGE_CHECK(add_other(study, "distilled", flags.distilled));
  for (const auto& also : flags.also) {
    const auto equals = also.find('=');
    if (equals == std::string::npos || equals == 0)
      return Error{.code = ErrorCode::kInvalidArgument, .what = "--also wants a name and a table", .got = also, .expected = "NAME=TABLE"};
    HEDGE_CHECK(add_other(study, also.substr(0, equals), also.substr(equals + 1)));
  }
  if (!flags.exits.empty() || !flags.split.empty()) {
    HEDGE_TRY(const auto images, open_images(study.table.info.dataset, context));
    if (images->content_hash() != study.table.info.content_hash)
      return Error{.code = ErrorCode::kMismatch,
                   .what = "the images are no longer those of the table",
                   .where = study.table.info.dataset,
                   .hint = "predict again"};
    if (!flags.split.empty()) HEDGE_CHECK(add_splits(study, flags, *images, context));
    if (!flags.exits.empty()) HEDGE_CHECK(add_early_exits(study, flags, *images, context));
  }
  HEDGE_TRY(const auto rows, eval::baseline_rows(study.hybrid, study.methods, study.exits, flags.options));
  HEDGE_CHECK(write_json(flags.out, eval::baselines_json(study.table, study.head, rows)));
  print_rows(rows);
  std::printf("baselines: %s\n", flags.out.c_str());
  return {};
}

}  // namespace

void add_baselines(CLI::App& root, Context& context) {
  auto* app = root.add_subcommand(
      "baselines",
      "the other ways to share the work, on the same images as the hybrid: cascades, early exits, split computation, a distilled base");
  auto f = std::make_shared<Flags>();  // shared with the callback, which outlives this function
  app->add_option("--table", f->table, "predictions of a split that nothing was fitted or calibrated on")->required();
  app->add_option("--hybrid", f->hybrid, "folders of \"hedge fit\", one a router seed")->required();
  app->add_option("--global", f->global, "the global (.onnx): its recipe says how many bytes an image is")->required();
  app->add_option("--exits", f->exits, "the global with exit heads, trained jointly (hedge exits --at stages): early exits on one device");
  app->add_option("--split", f->split, "the global with exit heads at its cuts (hedge exits --at cuts): split computation");
  app->add_option("--distilled", f->distilled, "the same split's table of a base trained with --teacher");
  app->add_option("--also", f->also, "NAME=TABLE: another pair's table of the same images");
  app->add_option("--calibrate", f->calibrate, "images for the scales of int8; default: the same data set's train split");
  app->add_option("--calibrate-images", f->calibrate_images, "so many of them")->capture_default_str()->check(CLI::Range(1, 1000000));
  app->add_option("--threads", f->threads, "0: as many as OpenVINO likes")->capture_default_str()->check(CLI::Range(0, 1024));
  app->add_option("--resamples", f->options.resamples, "of the bootstrap")->capture_default_str()->check(CLI::Range(100, 100000));
  app->add_option("-o,--out", f->out, "where the rows go (JSON)")->required();
  app->callback([f, &context] { context.chosen = [f, &context] { return run(*f, context); }; });
}

}  // namespace hedge::apps

#include "workflow/adapt.h"

#include <algorithm>
#include <cstdio>

#include "data/spec.h"
#include "eval/baselines.h"
#include "eval/curve.h"
#include "graph/onnx/onnx_io.h"
#include "hedge/router.h"
#include "routing/splits.h"
#include "train/held_out.h"
#include "workflow/internal/graph_runs.h"
#include "workflow/internal/trainable.h"
#include "workflow/routers.h"

namespace hedge::workflow {
namespace {

/// A pair to be judged: its networks, and whether with the router it was trained with or with routers fitted anew.
struct Contender {
  std::string name;
  Hybrid hybrid;
  bool keep_router = false;
};

/// The images of a run: to train on, to stop early by, to judge by.
struct Images {
  data::Opened whole, test;
  train::HeldOut parts;
};

Result<Images> open_images(const AdaptOptions& options, const RunContext& context) {
  Images images;
  HEDGE_TRY(images.whole, internal::open_training_images(options.data, false, context));
  auto judge = options.judge;
  if (judge.empty()) {
    HEDGE_TRY(judge, data::spec_with_split(images.whole.dataset->spec(), "test"));
  }
  HEDGE_TRY(images.test, data::open_dataset(judge, {.log = context.log}));
  const auto &fit = images.whole.dataset->spec(), &test = images.test.dataset->spec();
  if (routing::same_or_overlapping(fit, test))
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the images to judge by were used for training",
                 .got = test,
                 .expected = "another split than " + fit};
  HEDGE_TRY(images.parts, train::hold_out(*images.whole.dataset, options.held_share, options.training.seed));
  return images;
}

/// The options of the rounds, with what the run says once for all.
Result<RoundOptions> rounds_of(const AdaptOptions& options) {
  RoundOptions rounds = options.rounds;
  rounds.router.target_coverage = rounds.coverage;
  rounds.router.threads = options.training.threads;
  rounds.base = rounds.global = options.training;
  if (options.global_rate > 0) rounds.global.learning_rate = options.global_rate;
  rounds.folder = options.out / "rounds";
  rounds.predictions = options.out / "predictions";
  HEDGE_CHECK(options.training.validate());
  HEDGE_CHECK(rounds.validate());
  if (options.seeds < 1)
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "a hybrid is judged with at least one router",
                 .where = "seeds",
                 .got = std::to_string(options.seeds)};
  return rounds;
}

/// What a hybrid answers on the test images, with its routers and without one.
struct Judged {
  eval::SharedMethod fitted, free;
  routing::FreeScore score = routing::FreeScore::kEntropy;
};

/// Judges hybrids on the run's test images.
class Judge {
 public:
  Judge(const AdaptOptions& options, const RoundOptions& rounds, const RoundData& data, const data::Dataset& test,
        const RunContext& context)
      : options_(options), rounds_(rounds), data_(data), test_(test), context_(context) {}

  /// Writes a contender's networks and tables, and returns what it answers.
  Result<Judged> judge(const Contender& contender) const {
    const auto folder = options_.out / contender.name;
    const auto& hybrid = contender.hybrid;
    HEDGE_CHECK(graph::write_onnx(folder / "base.onnx", hybrid.base));
    HEDGE_CHECK(graph::write_onnx(folder / "global.onnx", hybrid.global));
    HEDGE_TRY(const auto train_table, predict(hybrid, *data_.fit));
    HEDGE_TRY(const auto test_table, predict(hybrid, test_));
    HEDGE_CHECK(routing::check_unseen(test_table.info));
    HEDGE_CHECK(routing::write_table(folder / "train.table", train_table));
    HEDGE_CHECK(routing::write_table(folder / "test.table", test_table));
    Judged judged{.fitted = {.name = contender.name}, .free = {.name = contender.name}};
    HEDGE_TRY(judged.score, best_free_score(hybrid));
    HEDGE_TRY(judged.free.outcomes, routing::outcomes(test_table));
    judged.free.scores.push_back(routing::free_score(judged.score, test_table.base_logits.view()));
    judged.fitted.outcomes = judged.free.outcomes;
    for (int seed = 1; seed <= (contender.keep_router ? 1 : options_.seeds); ++seed) {
      HEDGE_TRY(const auto router, router_of(contender, train_table, seed));
      HEDGE_CHECK(graph::write_onnx(folder / ("router-" + std::to_string(seed) + ".onnx"), router));
      HEDGE_TRY(auto scores, score_table(router, test_table, options_.training.threads));
      judged.fitted.scores.push_back(std::move(scores));
    }
    return judged;
  }

 private:
  /// By the area on the held-out images.
  Result<routing::FreeScore> best_free_score(const Hybrid& hybrid) const {
    HEDGE_TRY(const auto held, predict(hybrid, *data_.held));
    HEDGE_TRY(const auto outcomes, routing::outcomes(held));
    auto best = routing::kFreeScores[0];
    double area = -1;
    for (const auto score : routing::kFreeScores) {
      HEDGE_TRY(const auto curve, eval::SelectiveCurve::make(routing::free_score(score, held.base_logits.view()), outcomes));
      if (curve.area() > area) area = curve.area(), best = score;
    }
    return best;
  }

  Result<routing::PredictionTable> predict(const Hybrid& hybrid, const data::Dataset& images) const {
    return internal::predict_graphs({hybrid.base, data_.base_recipe}, {hybrid.global, data_.global_recipe}, images,
                                    {.threads = options_.training.threads, .cache = rounds_.predictions, .progress = context_.progress});
  }

  Result<graph::Graph> router_of(const Contender& contender, const routing::PredictionTable& table, int seed) const {
    if (contender.keep_router) return contender.hybrid.router;
    auto fitting = rounds_.router;
    fitting.seed = static_cast<std::uint64_t>(seed);
    HEDGE_TRY(auto fitted, train::fit_router(table, fitting, context_.progress));
    return std::move(fitted.graph);
  }

  const AdaptOptions& options_;
  const RoundOptions& rounds_;
  const RoundData& data_;
  const data::Dataset& test_;
  const RunContext& context_;
};

/// A line a contender: accuracies, area, and the paired differences to the control and to what there was before.
Result<std::vector<AdaptedRow>> compare_hybrids(const std::vector<Judged>& hybrids, int resamples) {
  const eval::BaselineOptions options{.coverages = {kFreeCoverages.begin(), kFreeCoverages.end()}, .resamples = resamples};
  const auto find = [&](const std::string& name) -> const Judged& {
    return *std::find_if(hybrids.begin(), hybrids.end(), [&](const auto& hybrid) { return hybrid.fitted.name == name; });
  };
  std::vector<AdaptedRow> rows;
  for (const auto& hybrid : hybrids) {
    HEDGE_TRY(const auto to_control, eval::compare_areas(hybrid.fitted, find("control").fitted, options));
    HEDGE_TRY(const auto to_before, eval::compare_areas(hybrid.fitted, find("before").fitted, options));
    rows.push_back({.name = hybrid.fitted.name,
                    .base_accuracy = hybrid.fitted.outcomes.base_accuracy(),
                    .global_accuracy = hybrid.fitted.outcomes.global_accuracy(),
                    .router_seeds = hybrid.fitted.scores.size(),
                    .area = to_control.area,
                    .to_control = to_control.difference,
                    .to_before = to_before.difference,
                    .free_score = routing::to_string(hybrid.score)});
    HEDGE_TRY(rows.back().free, eval::compare_areas(hybrid.free, find("control").free, options));
  }
  return rows;
}

AdaptReport describe(const AdaptOptions& options, const Images& images, const std::vector<ArmResult>& arms) {
  AdaptReport report{.trained_on = images.whole.dataset->spec(),
                     .judged_on = images.test.dataset->spec(),
                     .held_out = images.parts.held->size(),
                     .images = images.test.dataset->size(),
                     .method = options.rounds.method,
                     .strength = options.rounds.own_strength(),
                     .share = options.rounds.share,
                     .router = options.rounds.router.kind,
                     .coverage = options.rounds.coverage,
                     .epochs_a_round = options.training.epochs,
                     .teacher_weight = options.rounds.teacher_weight,
                     .resamples = options.resamples};
  for (const auto& arm : arms)
    report.arms.push_back({.name = arm.name, .best_round = arm.best_round, .areas = arm.areas, .mean_share = arm.mean_share});
  return report;
}

Json interval_json(const eval::Interval& i) { return {{"value", i.value}, {"low", i.low}, {"high", i.high}}; }

Json free_json(const AdaptedRow& row) {
  Json at = Json::object();
  for (std::size_t c = 0; c < kFreeCoverages.size(); ++c) {
    char coverage[8];
    std::snprintf(coverage, sizeof coverage, "%.2f", kFreeCoverages[c]);
    at[coverage] = {{"accuracy", interval_json(row.free.accuracy[c])}, {"to_control", interval_json(row.free.accuracy_difference[c])}};
  }
  return {
      {"score", row.free_score}, {"area", interval_json(row.free.area)}, {"to_control", interval_json(row.free.difference)}, {"at", at}};
}

Json row_json(const AdaptedRow& row) {
  return {{"name", row.name},
          {"base_accuracy", row.base_accuracy},
          {"global_accuracy", row.global_accuracy},
          {"router_seeds", row.router_seeds},
          {"area", interval_json(row.area)},
          {"to_control", interval_json(row.to_control)},
          {"to_before", interval_json(row.to_before)},
          {"free", free_json(row)}};
}

Json arm_json(const ArmSummary& arm) {
  return {{"name", arm.name},
          {"rounds", arm.areas.size()},
          {"best_round", arm.best_round},
          {"held_out_areas", arm.areas},
          {"mean_share", arm.mean_share}};
}

}  // namespace

Json to_json(const AdaptReport& report) {
  Json json = {{"schema", 1},
               {"trained_on", report.trained_on},
               {"held_out", report.held_out},
               {"judged_on", report.judged_on},
               {"pictures", report.images},
               {"method", train::to_string(report.method)},
               {"strength", report.strength},
               {"share", train::to_string(report.share)},
               {"router", train::to_string(report.router)},
               {"coverage", report.coverage},
               {"epochs_a_round", report.epochs_a_round},
               {"teacher_weight", report.teacher_weight},
               {"resamples", report.resamples},
               {"arms", Json::array()},
               {"hybrids", Json::array()}};
  for (const auto& arm : report.arms) json["arms"].push_back(arm_json(arm));
  for (const auto& row : report.hybrids) json["hybrids"].push_back(row_json(row));
  return json;
}

Result<AdaptReport> adapt(const AdaptOptions& options, const RunContext& context) {
  HEDGE_TRY(const auto rounds, rounds_of(options));
  HEDGE_CHECK(train::prepare_device(options.training.device));
  HEDGE_TRY(const auto images, open_images(options, context));
  HEDGE_TRY(auto base, internal::read_trainable({.path = options.base}));
  HEDGE_TRY(auto global, internal::read_trainable({.path = options.global}));
  HEDGE_TRY(auto router, graph::read_onnx(options.router));
  for (auto* graph : {&base.graph, &global.graph}) internal::note_training(*graph, *images.whole.dataset);
  const Hybrid start{std::move(base.graph), std::move(global.graph), std::move(router)};
  const RoundData data{
      .fit = images.parts.fit.get(), .held = images.parts.held.get(), .base_recipe = base.recipe, .global_recipe = global.recipe};
  HEDGE_TRY(const auto arms, adapt_rounds(start, data, rounds, context));
  std::vector<Contender> contenders = {{"before", start}};
  for (const auto& arm : arms) contenders.push_back({arm.name, arm.hybrid, arm.name == "end_to_end"});
  if (rounds.end_to_end()) contenders.push_back({"end_to_end_refitted", arms[0].hybrid});
  const Judge judging(options, rounds, data, *images.test.dataset, context);
  std::vector<Judged> hybrids;
  for (const auto& contender : contenders) {
    HEDGE_TRY(auto hybrid, judging.judge(contender));
    hybrids.push_back(std::move(hybrid));
  }
  auto report = describe(options, images, arms);
  HEDGE_TRY(report.hybrids, compare_hybrids(hybrids, options.resamples));
  HEDGE_CHECK(write_json(options.out / "adapt.json", to_json(report)));
  return report;
}

}  // namespace hedge::workflow

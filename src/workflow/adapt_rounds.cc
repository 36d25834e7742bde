#include "workflow/adapt_rounds.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/json.h"
#include "eval/curve.h"
#include "graph/onnx/onnx_io.h"
#include "hedge/router.h"
#include "train/end_to_end.h"
#include "train/fingerprint.h"
#include "train/teacher.h"
#include "workflow/internal/graph_runs.h"
#include "workflow/internal/trainable.h"
#include "workflow/routers.h"

namespace hedge::workflow {
namespace {

constexpr const char* kControl = "control";

/// One round, as its stamp tells it.
struct Round {
  Hybrid hybrid;
  double area = 0;
  double mean_share = 0;
};

/// What the networks of one round learn.
struct Objectives {
  train::Objective base, global;
  std::vector<float> share;  ///< r; empty where the method needs none
};

class Adapting {
 public:
  Adapting(const RoundData& data, const RoundOptions& options, const RunContext& context)
      : data_(data), options_(options), context_(context) {}

  Result<std::vector<ArmResult>> run(const Hybrid& start) {
    fingerprint_ = train::fingerprint_of(start.base, *data_.fit, data_.base_recipe, options_.base) +
                   train::fingerprint_of(start.global, *data_.held, data_.global_recipe, options_.global) + describe();
    std::vector<Arm> arms(2);
    arms[0].result.name = weighs_both() ? "adapted" : train::to_string(options_.method);
    arms[1].result.name = kControl;
    for (auto& arm : arms) arm.now = start;
    std::int64_t since_better = 0;
    for (std::int64_t round = 1; round <= options_.rounds && since_better < options_.patience; ++round) {
      bool better = false;
      for (auto& arm : arms) {
        HEDGE_TRY(auto done, one_round(arm, round));
        better |= take(arm.result, done, round);
        arm.now = std::move(done.hybrid);
      }
      since_better = better ? 0 : since_better + 1;
    }
    std::vector<ArmResult> results;
    for (auto& arm : arms) results.push_back(std::move(arm.result));
    return results;
  }

 private:
  struct Arm {
    ArmResult result;
    Hybrid now;
  };

  /// Everything of the options that changes a round and is not in the trainings' fingerprints.
  [[nodiscard]] std::string describe() const {
    const auto& r = options_.router;
    return Json({train::to_string(options_.method), options_.own_strength(), train::to_string(options_.share), options_.coverage,
                 options_.penalty, options_.rounds, options_.teacher_weight, options_.temperature, train::to_string(r.kind), r.seed,
                 r.epochs, r.batch, r.learning_rate, r.weight_decay.value_or(-1.0), r.hidden, r.target_coverage, r.coverage_penalty,
                 r.dual_rate})
        .dump();
  }

  /// Keeps the round where its area is the arm's best.
  bool take(ArmResult& result, const Round& round, std::int64_t number) const {
    const bool best = result.areas.empty() || round.area > *std::max_element(result.areas.begin(), result.areas.end());
    result.areas.push_back(round.area);
    result.mean_share = round.mean_share;
    if (best) result.hybrid = round.hybrid, result.best_round = number;
    log(context_.log, LogLevel::kInfo,
        result.name + ", round " + std::to_string(number) + ": area " + std::to_string(round.area) + " on the held-out images" +
            (best ? ", the best so far" : ""));
    return best;
  }

  Result<Round> one_round(const Arm& arm, std::int64_t number) {
    const auto folder = options_.folder / arm.result.name / ("round-" + std::to_string(number));
    HEDGE_TRY(auto old, read_round(folder));
    if (old) return *std::move(old);
    Round round;
    if (options_.end_to_end() && arm.result.name != kControl) {
      HEDGE_TRY(round, train_jointly(arm, number, folder));
    } else {
      HEDGE_TRY(round, train_apart(arm, number, folder));
    }
    HEDGE_TRY(const auto held, predict(round.hybrid, *data_.held));
    HEDGE_TRY(round.area, area_of(round.hybrid.router, held));
    HEDGE_CHECK(write_round(folder, round));
    return round;
  }

  /// Base (and, where the method weighs both, global) each by itself, then a new router.
  Result<Round> train_apart(const Arm& arm, std::int64_t number, const std::filesystem::path& folder) {
    Round round{arm.now};
    Objectives learned;
    if (arm.result.name != kControl) {
      HEDGE_TRY(learned, objectives_now(arm.now, round));
    }
    if (weighs_both()) {
      HEDGE_TRY(round.hybrid.global,
                train_one(arm, number, folder / "global", arm.now.global, data_.global_recipe, options_.global, learned.global));
    }
    HEDGE_CHECK(teach(learned, arm, round.hybrid.global));
    HEDGE_TRY(round.hybrid.base, train_one(arm, number, folder / "base", arm.now.base, data_.base_recipe, options_.base, learned.base));
    HEDGE_TRY(const auto table, predict(round.hybrid, *data_.fit));
    HEDGE_TRY(round.hybrid.router, new_router(table, arm));
    return round;
  }

  /// What the method asks of this round's trainings, from the pair as it is; and the mean of r.
  Result<Objectives> objectives_now(const Hybrid& now, Round& round) {
    HEDGE_TRY(const auto table, predict(now, *data_.fit));
    if (table.size() != data_.fit->size()) return missing_rows(table.size());
    Objectives learned;
    if (train::needs_share(options_.method)) {
      HEDGE_TRY(learned.share, share_now(now, table));
      for (const float r : learned.share) round.mean_share += static_cast<double>(r) / static_cast<double>(learned.share.size());
    }
    learned.base = train::base_objective(
        options_.method, {.strength = options_.own_strength(), .coverage = options_.coverage, .share = learned.share, .table = &table});
    if (weighs_both()) learned.global.sample_weights = train::global_weights(learned.share);
    return learned;
  }

  /// Adds the global as a teacher: of the method's own arm, or of both (teacher_weight). Its predictions are kept where it stays.
  Status teach(Objectives& learned, const Arm& arm, const graph::Graph& global) {
    const bool own = arm.result.name != kControl && train::teaches(options_.method);
    const double weight = own ? options_.own_strength() : options_.teacher_weight;
    if (weight == 0) return {};
    auto& teacher = learned.base.teacher.emplace(train::Teacher{global, data_.global_recipe, weight, options_.temperature});
    if (own && options_.method == train::AdaptMethod::kScaffold) teacher.gate = learned.share;
    if (weighs_both()) return {};
    if (!taught_) {
      HEDGE_TRY(taught_, train::predict_teacher(teacher, *data_.fit, options_.base, internal::hooks_of(context_)));
    }
    teacher.cached = taught_;
    return {};
  }

  /// Fitted on the arm's own predictions; where there is nothing to learn any more (the base is right wherever the global is), the old one.
  Result<graph::Graph> new_router(const routing::PredictionTable& table, const Arm& arm) {
    auto fitted = train::fit_router(table, options_.router, context_.progress);
    if (fitted) return std::move(fitted->graph);
    if (fitted.error().code != ErrorCode::kBadData) return fitted.error();
    log(context_.log, LogLevel::kWarning, arm.result.name + ": the router of the previous round is kept: " + fitted.error().message());
    return arm.now.router;
  }

  Result<Round> train_jointly(const Arm& arm, std::int64_t number, const std::filesystem::path& folder) {
    HEDGE_TRY(const auto table, predict(arm.now, *data_.fit));
    if (table.size() != data_.fit->size()) return missing_rows(table.size());
    HEDGE_TRY(const auto joined, train::join_router(arm.now.base, arm.now.router));
    train::Objective objective;
    objective.hybrid = train::ExpectedHybrid{train::global_losses(table), options_.coverage, options_.penalty};
    HEDGE_TRY(const auto trained, train_one(arm, number, folder / "joined", joined, data_.base_recipe, options_.base, objective));
    HEDGE_TRY(auto apart, train::unjoin_router(trained, arm.now.base, arm.now.router));
    return Round{{std::move(apart.base), arm.now.global, std::move(apart.router)}};
  }

  Result<std::vector<float>> share_now(const Hybrid& now, const routing::PredictionTable& table) const {
    HEDGE_TRY(const auto scores, score_table(now.router, table, threads()));
    HEDGE_TRY(const bool probability, train::gives_probability(now.router));
    return train::shares_of(options_.share, probability, scores, table, options_.coverage);
  }

  [[nodiscard]] bool weighs_both() const { return options_.method == train::AdaptMethod::kReweight; }
  [[nodiscard]] int threads() const { return options_.base.threads; }

  Result<routing::PredictionTable> predict(const Hybrid& hybrid, const data::Dataset& images) const {
    return internal::predict_graphs({hybrid.base, data_.base_recipe}, {hybrid.global, data_.global_recipe}, images,
                                    {.threads = threads(), .cache = options_.predictions, .progress = context_.progress});
  }

  /// Of the hybrid's curve.
  Result<double> area_of(const graph::Graph& router, const routing::PredictionTable& table) const {
    HEDGE_TRY(const auto scores, score_table(router, table, threads()));
    HEDGE_TRY(const auto outcomes, routing::outcomes(table));
    HEDGE_TRY(const auto curve, eval::SelectiveCurve::make(scores, outcomes));
    return curve.area();
  }

  [[nodiscard]] Error missing_rows(std::size_t rows) const {
    return {.code = ErrorCode::kBadData,
            .what = "some images cannot be decoded, so that weights and images would not agree",
            .where = data_.fit->spec(),
            .got = std::to_string(rows) + " predictions",
            .expected = std::to_string(data_.fit->size())};
  }

  Result<graph::Graph> train_one(const Arm& arm, std::int64_t round, const std::filesystem::path& stem, const graph::Graph& graph,
                                 const data::Preprocess& recipe, train::TrainOptions options, const train::Objective& objective) {
    std::error_code ignored;
    std::filesystem::create_directories(stem.parent_path(), ignored);  // a failure shows at the first checkpoint
    options.schedule_epochs = options.epochs * options_.rounds;
    options.first_epoch = options.epochs * (round - 1);
    options.checkpoint = stem.string() + ".checkpoint";
    options.csv = stem.string() + ".csv";
    auto hooks = internal::hooks_of(context_);
    const std::string what =
        arm.result.name + " " + stem.filename().string() + ", round " + std::to_string(round) + "/" + std::to_string(options_.rounds);
    if (context_.progress)
      hooks.progress = [this, what](ProgressUpdate update) {
        update.what = what;
        context_.progress(update);
      };
    HEDGE_TRY(auto trained, train::train_classifier(graph, *data_.fit, recipe, options, hooks, objective));
    return std::move(trained.graph);
  }

  Status write_round(const std::filesystem::path& folder, const Round& round) const {
    HEDGE_CHECK(graph::write_onnx(folder / "base.onnx", round.hybrid.base));
    HEDGE_CHECK(graph::write_onnx(folder / "global.onnx", round.hybrid.global));
    HEDGE_CHECK(graph::write_onnx(folder / "router.onnx", round.hybrid.router));
    return write_json(folder / "round.json",
                      {{"schema", 1}, {"fingerprint", fingerprint_}, {"area", round.area}, {"mean_share", round.mean_share}});
  }

  /// Nothing where the round has not been finished.
  Result<std::optional<Round>> read_round(const std::filesystem::path& folder) const {
    const auto stamp = folder / "round.json";
    const auto json = read_json(stamp);
    if (!json && json.error().code == ErrorCode::kNotFound) return std::optional<Round>();
    if (!json) return json.error();
    HEDGE_TRY(const auto fingerprint, get_field<std::string>(*json, "fingerprint", stamp.string()));
    if (fingerprint != fingerprint_)
      return Error{.code = ErrorCode::kMismatch,
                   .what = "the folder holds rounds of a run with other data, networks or options",
                   .where = stamp.string(),
                   .hint = "name another folder, or delete this one"};
    Round round;
    HEDGE_TRY(round.area, get_field<double>(*json, "area", stamp.string()));
    HEDGE_TRY(round.mean_share, get_field<double>(*json, "mean_share", stamp.string()));
    HEDGE_TRY(round.hybrid.base, graph::read_onnx(folder / "base.onnx"));
    HEDGE_TRY(round.hybrid.global, graph::read_onnx(folder / "global.onnx"));
    HEDGE_TRY(round.hybrid.router, graph::read_onnx(folder / "router.onnx"));
    return std::optional<Round>(std::move(round));
  }

  const RoundData& data_;
  const RoundOptions& options_;
  const RunContext& context_;
  std::string fingerprint_;
  std::optional<Tensor> taught_;  ///< the global's predictions, where it stays and teaches
};

}  // namespace

Status RoundOptions::validate() const {
  const auto bad = [](const char* field, std::string got, std::string expected) {
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "the adapting option is out of range",
                 .where = field,
                 .got = std::move(got),
                 .expected = std::move(expected)};
  };
  if (!(coverage >= 0 && coverage <= 1)) return bad("coverage", std::to_string(coverage), "in 0..1");
  if (!(penalty >= 0) || !std::isfinite(penalty)) return bad("penalty", std::to_string(penalty), ">= 0");
  if (rounds < 1) return bad("rounds", std::to_string(rounds), ">= 1");
  if (patience < 1) return bad("patience", std::to_string(patience), ">= 1");
  if (!(teacher_weight >= 0 && teacher_weight <= 1)) return bad("teacher_weight", std::to_string(teacher_weight), "in 0..1");
  if (!(own_strength() >= 0 && own_strength() <= 1)) return bad("strength", std::to_string(own_strength()), "in 0..1");
  if ((end_to_end() || train::teaches(method)) && teacher_weight > 0)
    return bad("teacher_weight", std::to_string(teacher_weight), std::string("0 with the method ") + train::to_string(method));
  if (!(temperature > 0)) return bad("temperature", std::to_string(temperature), "> 0");
  if (folder.empty()) return bad("folder", "nothing", "a path");
  if (!train::is_fitted(router.kind)) return bad("router", to_string(router.kind), "a router that is fitted");
  HEDGE_CHECK(base.validate());
  HEDGE_CHECK(global.validate());
  return router.validate();
}

Result<std::vector<ArmResult>> adapt_rounds(const Hybrid& start, const RoundData& data, const RoundOptions& options,
                                            const RunContext& context) {
  HEDGE_CHECK(options.validate());
  return Adapting(data, options, context).run(start);
}

}  // namespace hedge::workflow

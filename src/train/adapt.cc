#include "train/adapt.h"

#include <algorithm>
#include <cmath>

#include "core/json.h"
#include "graph/operators.h"
#include "hedge/router.h"
#include "train/end_to_end.h"
#include "train/internal/fingerprint.h"
#include "train/router_graph.h"

namespace hedge::train {
namespace {

constexpr const char* kControl = "control";

/// One round, as its stamp tells it.
struct Round {
  Hybrid hybrid;
  double area = 0;
  double mean_share = 0;
};

/// Whether the router's score is a probability already (the poster's).
Result<bool> gives_probability(const graph::Graph& router) {
  HEDGE_TRY(const auto tensors, graph::infer_shapes(router));
  const auto logits = tensors.find(kRouterLogits);
  return logits != tensors.end() && logits->second.shape.back() == 1;
}

/// The global's cross entropy, a row.
std::vector<float> global_losses(const routing::PredictionTable& table) {
  const auto logits = table.global_logits.data<float>();
  const auto labels = table.labels.data<std::int64_t>();
  const auto classes = static_cast<std::size_t>(table.classes());
  std::vector<float> losses;
  for (std::size_t row = 0; row < table.size(); ++row) {
    const auto z = logits.subspan(row * classes, classes);
    const double top = *std::max_element(z.begin(), z.end());
    double sum = 0;
    for (const float value : z) sum += std::exp(static_cast<double>(value) - top);
    losses.push_back(
        static_cast<float>(std::max(0.0, top + std::log(sum) - static_cast<double>(z[static_cast<std::size_t>(labels[row])]))));
  }
  return losses;
}

class Adapting {
 public:
  Adapting(const AdaptData& data, const AdaptOptions& options, const AdaptTools& tools, const TrainHooks& hooks)
      : data_(data), options_(options), tools_(tools), hooks_(hooks) {}

  Result<std::vector<ArmResult>> run(const Hybrid& start) {
    fingerprint_ = internal::fingerprint_of(start.base, *data_.fit, data_.base_recipe, options_.base) +
                   internal::fingerprint_of(start.global, *data_.held, data_.global_recipe, options_.global) + describe();
    std::vector<Arm> arms(2);
    arms[0].result.name = options_.end_to_end ? "end_to_end" : "adapted";
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
    return Json({options_.end_to_end, to_string(options_.share), options_.coverage, options_.penalty, options_.rounds,
                 options_.teacher_weight, options_.temperature, to_string(r.kind), r.seed, r.epochs, r.batch, r.learning_rate,
                 r.weight_decay.value_or(-1.0), r.hidden, r.target_coverage, r.coverage_penalty, r.dual_rate})
        .dump();
  }

  /// Keeps the round where its area is the arm's best.
  bool take(ArmResult& result, const Round& round, std::int64_t number) const {
    const bool best = result.areas.empty() || round.area > *std::max_element(result.areas.begin(), result.areas.end());
    result.areas.push_back(round.area);
    result.mean_share = round.mean_share;
    if (best) result.hybrid = round.hybrid, result.best_round = number;
    log(hooks_.log, LogLevel::kInfo,
        result.name + ", round " + std::to_string(number) + ": area " + std::to_string(round.area) + " on the held-out images" +
            (best ? ", the best so far" : ""));
    return best;
  }

  Result<Round> one_round(const Arm& arm, std::int64_t number) {
    const auto folder = options_.folder / arm.result.name / ("round-" + std::to_string(number));
    HEDGE_TRY(auto old, read_round(folder));
    if (old) return *std::move(old);
    Round round;
    if (options_.end_to_end && arm.result.name != kControl) {
      HEDGE_TRY(round, train_jointly(arm, number, folder));
    } else {
      HEDGE_TRY(round, train_apart(arm, number, folder));
    }
    HEDGE_TRY(const auto held, tools_.predict(round.hybrid.base, round.hybrid.global, *data_.held));
    HEDGE_TRY(const auto scores, tools_.score(round.hybrid.router, held));
    HEDGE_TRY(round.area, tools_.area(scores, held));
    HEDGE_CHECK(write_round(folder, round));
    return round;
  }

  /// Base (and, unless end to end is compared with, global) each by itself, then a new router.
  Result<Round> train_apart(const Arm& arm, std::int64_t number, const std::filesystem::path& folder) {
    Round round{arm.now};
    Objective base_objective, global_objective;
    if (arm.result.name != kControl) {
      HEDGE_TRY(const auto share, share_now(arm.now));
      base_objective.sample_weights = base_weights(share);
      global_objective.sample_weights = global_weights(share);
      for (const float r : share) round.mean_share += static_cast<double>(r) / static_cast<double>(share.size());
    }
    if (!options_.end_to_end) {
      HEDGE_TRY(round.hybrid.global,
                train(arm, number, folder / "global", arm.now.global, data_.global_recipe, options_.global, global_objective));
    }
    if (options_.teacher_weight > 0)
      base_objective.teacher = Teacher{round.hybrid.global, data_.global_recipe, options_.teacher_weight, options_.temperature};
    HEDGE_TRY(round.hybrid.base, train(arm, number, folder / "base", arm.now.base, data_.base_recipe, options_.base, base_objective));
    HEDGE_TRY(const auto table, tools_.predict(round.hybrid.base, round.hybrid.global, *data_.fit));
    HEDGE_TRY(round.hybrid.router, new_router(table, arm));
    return round;
  }

  /// Fitted on the arm's own predictions; where there is nothing to learn any more (the base is right wherever the global is), the old one.
  Result<graph::Graph> new_router(const routing::PredictionTable& table, const Arm& arm) {
    auto fitted = fit_router(table, options_.router, hooks_.progress);
    if (fitted) return std::move(fitted->graph);
    if (fitted.error().code != ErrorCode::kBadData) return fitted.error();
    log(hooks_.log, LogLevel::kWarning, arm.result.name + ": the router of the round before is kept: " + fitted.error().message());
    return arm.now.router;
  }

  Result<Round> train_jointly(const Arm& arm, std::int64_t number, const std::filesystem::path& folder) {
    HEDGE_TRY(const auto table, tools_.predict(arm.now.base, arm.now.global, *data_.fit));
    if (table.size() != data_.fit->size()) return missing_rows(table.size());
    HEDGE_TRY(const auto joined, join_router(arm.now.base, arm.now.router));
    Objective objective;
    objective.hybrid = ExpectedHybrid{global_losses(table), options_.coverage, options_.penalty};
    HEDGE_TRY(const auto trained, train(arm, number, folder / "joined", joined, data_.base_recipe, options_.base, objective));
    HEDGE_TRY(auto apart, unjoin_router(trained, arm.now.base, arm.now.router));
    return Round{{std::move(apart.base), arm.now.global, std::move(apart.router)}};
  }

  Result<std::vector<float>> share_now(const Hybrid& now) {
    HEDGE_TRY(const auto table, tools_.predict(now.base, now.global, *data_.fit));
    if (table.size() != data_.fit->size()) return missing_rows(table.size());
    HEDGE_TRY(const auto scores, tools_.score(now.router, table));
    HEDGE_TRY(const bool probability, gives_probability(now.router));
    return shares_of(options_.share, probability, scores, table, options_.coverage);
  }

  [[nodiscard]] Error missing_rows(std::size_t rows) const {
    return {.code = ErrorCode::kBadData,
            .what = "some images cannot be decoded, so that weights and images would not agree",
            .where = data_.fit->spec(),
            .got = std::to_string(rows) + " predictions",
            .expected = std::to_string(data_.fit->size())};
  }

  Result<graph::Graph> train(const Arm& arm, std::int64_t round, const std::filesystem::path& stem, const graph::Graph& graph,
                             const data::Preprocess& recipe, TrainOptions options, const Objective& objective) {
    std::error_code ignored;
    std::filesystem::create_directories(stem.parent_path(), ignored);  // a failure shows at the first checkpoint
    options.schedule_epochs = options.epochs * options_.rounds;
    options.first_epoch = options.epochs * (round - 1);
    options.checkpoint = stem.string() + ".checkpoint";
    options.csv = stem.string() + ".csv";
    TrainHooks hooks = hooks_;
    const std::string what =
        arm.result.name + " " + stem.filename().string() + ", round " + std::to_string(round) + "/" + std::to_string(options_.rounds);
    if (hooks_.progress)
      hooks.progress = [this, what](ProgressUpdate update) {
        update.what = what;
        hooks_.progress(update);
      };
    HEDGE_TRY(auto trained, train_classifier(graph, *data_.fit, recipe, options, hooks, objective));
    return std::move(trained.graph);
  }

  Status write_round(const std::filesystem::path& folder, const Round& round) const {
    HEDGE_CHECK(tools_.save(folder / "base.onnx", round.hybrid.base));
    HEDGE_CHECK(tools_.save(folder / "global.onnx", round.hybrid.global));
    HEDGE_CHECK(tools_.save(folder / "router.onnx", round.hybrid.router));
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
    HEDGE_TRY(round.hybrid.base, tools_.load(folder / "base.onnx"));
    HEDGE_TRY(round.hybrid.global, tools_.load(folder / "global.onnx"));
    HEDGE_TRY(round.hybrid.router, tools_.load(folder / "router.onnx"));
    return std::optional<Round>(std::move(round));
  }

  const AdaptData& data_;
  const AdaptOptions& options_;
  const AdaptTools& tools_;
  const TrainHooks& hooks_;
  std::string fingerprint_;
};

}  // namespace

Result<std::vector<ArmResult>> adapt(const Hybrid& start, const AdaptData& data, const AdaptOptions& options, const AdaptTools& tools,
                                     const TrainHooks& hooks) {
  HEDGE_CHECK(options.validate());
  return Adapting(data, options, tools, hooks).run(start);
}

}  // namespace hedge::train

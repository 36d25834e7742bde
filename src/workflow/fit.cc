#include "hedge/workflow.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <unordered_set>
#include <utility>

#include "core/file.h"
#include "core/sha256.h"
#include "graph/onnx/onnx_io.h"
#include "graph/operators.h"
#include "routing/splits.h"
#include "routing/table_view.h"
#include "routing/temperature.h"
#include "train/cross_fit.h"
#include "train/router_data.h"
#include "train/router_fit.h"
#include "workflow/choose_router.h"
#include "workflow/internal/grouped_promise.h"
#include "workflow/internal/quiet_check.h"
#include "workflow/predict.h"
#include "workflow/routers.h"

namespace hedge::workflow {
namespace {

/// Of the choice among routers by cross-fitting: with many rows a router that learns from two thirds of them is no other than with four
/// fifths, and the choice takes half the time.
constexpr int kFoldsToChoose = 5, kFoldsOfManyRows = 3;

/// A router with the scores that calibrate it.
struct Chosen {
  train::RouterKind kind = train::RouterKind::kMargin;
  train::FittedRouter fitted;
  std::optional<routing::RouterChoice> choice;
  std::vector<float> scores;
  double temperature = 1;
};

Error contradiction(const char* what, const char* hint) { return {.code = ErrorCode::kInvalidArgument, .what = what, .hint = hint}; }

/// Whether something is learned or chosen on held-out predictions, beside the threshold.
bool needs_held_out(const FitOptions& options) {
  return options.fuse || options.calibrate_temperature || (!options.router && options.cross_fit == 0);
}

Result<FitTables> read_tables(const FitOptions& options) {
  if (options.table.empty() || (options.calibration.empty() && options.cross_fit == 0))
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "there is nothing to fit on",
                 .expected = "--table and --calibration, --table with --cross-fit, or --data with --base and --global"};
  FitTables tables;
  HEDGE_TRY(tables.fit, routing::read_table(options.table));
  if (options.cross_fit == 0) {
    HEDGE_TRY(tables.calibration, routing::read_table(options.calibration));
  }
  return tables;
}

/// Whether the images that the router learns from do as held-out ones too: the models have not seen them, as far as is known and to be
/// seen, and they are not fewer than the share of the calibration's that would do else. Errors: kMismatch (no global).
Result<bool> learned_from_do(const FitOptions& options, const FitTables& tables) {
  const auto share = options.held_out_share * static_cast<double>(tables.calibration.size());
  if (train::protocol_of(tables.fit.info) != train::RouterProtocol::kHeldOut || static_cast<double>(tables.fit.size()) < share)
    return false;
  HEDGE_TRY(const auto warning, train::interpolation_warning(tables.fit, tables.calibration));
  return !warning;
}

/// Held-out images of their own, those that the router learns from, or a part of the calibration's, which the threshold then does without.
Status hold_out(const FitOptions& options, FitTables& tables, const LogSink& sink) {
  if (tables.held_out) {
    HEDGE_CHECK(routing::check_calibration(tables.fit.info, tables.held_out->info));
    return routing::check_calibration(tables.held_out->info, tables.calibration.info);
  }
  if (!needs_held_out(options)) return {};
  HEDGE_TRY(const bool learned_from, learned_from_do(options, tables));
  if (learned_from) {
    log(sink, LogLevel::kInfo,
        "neither model has seen the " + std::to_string(tables.fit.size()) +
            " images that the router learns from: choosing and fusing are judged on them, cross-fitted, and all calibration images set the "
            "threshold");
    return {};
  }
  HEDGE_TRY(auto parts, train::divide(tables.calibration, options.held_out_share, 1));
  log(sink, LogLevel::kInfo,
      std::to_string(parts.first.size()) + " of the " + std::to_string(tables.calibration.size()) +
          " calibration images are held out for choosing and fusing, the others set the threshold; --held-out gives separate images");
  tables.held_out = std::move(parts.first);
  tables.calibration = std::move(parts.second);
  return {};
}

/// Calibration images that the router learns from under another name: its threshold would be a little optimistic.
void say_shared_images(const FitTables& tables, const LogSink& sink) {
  const auto fitted = tables.fit.image_hashes.data<std::int64_t>(), others = tables.calibration.image_hashes.data<std::int64_t>();
  const std::unordered_set<std::int64_t> seen(fitted.begin(), fitted.end());
  const auto shared = std::count_if(others.begin(), others.end(), [&](std::int64_t hash) { return seen.contains(hash); });
  if (shared > 0)
    log(sink, LogLevel::kWarning,
        std::to_string(shared) + " of the " + std::to_string(others.size()) +
            " calibration images are exact copies of images that the router learns from; remove the copies (hedge data --overlap counts "
            "them)");
}

/// What belongs together is disjoint where it must be; the held-out images are there where they are needed.
Status prepare(const FitOptions& options, FitTables& tables, const LogSink& sink) {
  if (options.cross_fit > 0) {
    if (train::protocol_of(tables.fit.info) == train::RouterProtocol::kHeldOut) return {};
    return Error{.code = ErrorCode::kMismatch,
                 .what = "cross-fitting needs images that neither model has seen, because they also set the threshold",
                 .where = tables.fit.info.dataset,
                 .hint = "predict a split that the models were not trained on"};
  }
  HEDGE_CHECK(routing::check_calibration(tables.fit.info, tables.calibration.info));
  say_shared_images(tables, sink);
  HEDGE_CHECK(hold_out(options, tables, sink));
  const auto& seen_never = tables.held_out ? *tables.held_out : tables.calibration;
  HEDGE_TRY(const auto warning, train::interpolation_warning(tables.fit, seen_never));
  if (warning && train::protocol_of(tables.fit.info) == train::RouterProtocol::kTrainingSet) log(sink, LogLevel::kWarning, *warning);
  return {};
}

Result<routing::Outcomes> outcomes_of(const routing::PredictionTable& table, const std::optional<routing::Fusion>& fusion) {
  if (fusion && fusion->adopted) return routing::outcomes(table, *fusion);
  return routing::outcomes(table);
}

/// What the calibration images say against the models, and what the tables' makers accepted. A risk that was accepted when the images were
/// predicted is accepted here too. Errors: kAlarm.
Result<std::vector<std::string>> check_risks(const FitOptions& options, const FitTables& tables, const LogSink& sink) {
  const auto& calibration = options.cross_fit > 0 ? tables.fit : tables.calibration;
  std::vector<std::string> risks = calibration.info.accepted_risks;
  if (options.cross_fit == 0) internal::add_risks(tables.fit.info.accepted_risks, risks);
  const bool accepted = options.pair.accept_risk || !risks.empty();
  const auto alarms = internal::table_alarms(calibration);
  HEDGE_CHECK(internal::accept(alarms, accepted, calibration.info.dataset, sink));
  internal::add_risks(alarms, risks);
  return risks;
}

/// One fit: what every step of it looks at.
class Fit {
 public:
  /// `risks`: those that were accepted.
  Fit(const FitTables& tables, const FitOptions& options, const RunContext& context, std::vector<std::string> risks)
      : tables_(tables), options_(options), context_(context), risks_(std::move(risks)), training_(options.training) {
    training_.target_coverage = options.point.coverage;
  }

  Result<FitResult> run() {
    if (options_.fuse) {
      HEDGE_TRY(fusion_, routing::fit_fusion(held_out()));
      log(context_.log, LogLevel::kInfo, "fused answers: " + fusion_->why);
    }
    HEDGE_TRY(auto chosen, make_router());
    HEDGE_TRY(const auto outcomes, outcomes_of(calibration(), fusion_));
    HEDGE_CHECK(score_calibration(outcomes, chosen));
    FitResult result{.kind = chosen.kind};
    HEDGE_TRY(result.policy, make_policy(outcomes, chosen));
    HEDGE_TRY(result.macs, graph::count_macs(chosen.fitted.graph));
    HEDGE_TRY(result.router_onnx, graph::serialize_onnx(chosen.fitted.graph));
    result.policy.router_sha256 = sha256_hex(result.router_onnx);
    result.figures = chosen.fitted.figures;
    return result;
  }

 private:
  /// Cross-fitted, the images that are learned from calibrate too.
  [[nodiscard]] const routing::PredictionTable& calibration() const { return options_.cross_fit > 0 ? tables_.fit : tables_.calibration; }

  /// What chooses, fuses and finds temperatures where something does.
  [[nodiscard]] const routing::PredictionTable& held_out() const { return tables_.held_out ? *tables_.held_out : tables_.fit; }

  Result<Chosen> make_router() const {
    if (!options_.router) return choose();
    const auto kind = *options_.router;
    if (options_.calibrate_temperature) return with_temperature(kind);
    HEDGE_TRY(const auto outcomes, outcomes_of(tables_.fit, fusion_));
    Chosen chosen{.kind = kind};
    HEDGE_TRY(chosen.fitted, train::fit_router(tables_.fit, outcomes, training_of(kind), context_.progress));
    return chosen;
  }

  [[nodiscard]] train::RouterFitOptions training_of(train::RouterKind kind) const {
    auto training = training_;
    training.kind = kind;
    return training;
  }

  Result<Chosen> choose() const {
    HEDGE_TRY(auto outcomes, outcomes_of(tables_.fit, fusion_));
    const train::RouterRows rows{.table = tables_.fit, .outcomes = std::move(outcomes)};
    ChooseOptions choosing{.fit = training_};
    const int folds = rows.table.size() < choosing.gain_from ? kFoldsToChoose : kFoldsOfManyRows;
    choosing.folds = options_.cross_fit > 0 ? options_.cross_fit : folds;
    std::optional<train::RouterRows> held;
    if (tables_.held_out) {
      HEDGE_TRY(auto held_outcomes, outcomes_of(*tables_.held_out, fusion_));
      held.emplace(train::RouterRows{.table = *tables_.held_out, .outcomes = std::move(held_outcomes)});
    }
    HEDGE_TRY(auto automatic, choose_router(rows, held ? &*held : nullptr, choosing, context_.progress));
    log(context_.log, LogLevel::kInfo, "auto chose " + automatic.choice.chosen + ": " + automatic.choice.why);
    return Chosen{.kind = automatic.kind, .fitted = std::move(automatic.fitted), .choice = std::move(automatic.choice)};
  }

  /// A free score of logits divided by the temperature that calibrates the base on held-out images.
  Result<Chosen> with_temperature(train::RouterKind kind) const {
    HEDGE_TRY(const auto temperature, routing::fit_temperature(held_out().base_logits, held_out().labels.data<std::int64_t>()));
    Chosen chosen{.kind = kind, .temperature = temperature.value};
    HEDGE_TRY(chosen.fitted.graph, train::build_router(kind, {.classes = tables_.fit.classes(), .temperature = temperature.value}, 1));
    return chosen;
  }

  /// Of images that the router has not seen: the calibration's, or by cross-fitting.
  Status score_calibration(const routing::Outcomes& outcomes, Chosen& chosen) const {
    if (options_.cross_fit > 0 && train::is_fitted(chosen.kind)) {
      const train::RouterRows rows{.table = tables_.fit, .outcomes = outcomes};
      HEDGE_TRY(chosen.scores, train::cross_fitted_scores(rows, training_of(chosen.kind), options_.cross_fit, context_.progress));
    } else {
      HEDGE_TRY(chosen.scores, score_table(chosen.fitted.graph, calibration()));
    }
    return {};
  }

  [[nodiscard]] std::string protocol(train::RouterKind kind) const {
    if (!train::is_fitted(kind)) return "free score";
    const auto how = options_.cross_fit > 0 ? train::RouterProtocol::kCrossFitted : train::protocol_of(tables_.fit.info);
    return std::string(train::to_string(how)) + ", " + tables_.fit.info.dataset;
  }

  Status set_point(const std::vector<float>& scores, const routing::Outcomes& outcomes, routing::Policy& policy) const {
    const auto& point = options_.point;
    if (point.promise) return keep_promise(scores, outcomes, policy);
    if (point.accuracy > 0) {
      HEDGE_TRY(policy.chosen, routing::threshold_for_accuracy(scores, outcomes, point.accuracy));
    } else {
      HEDGE_TRY(policy.chosen, routing::threshold_for_coverage(scores, outcomes, point.coverage));
    }
    return {};
  }

  /// A promise counts independent images; of a group that is one, drawn at random.
  Status keep_promise(const std::vector<float>& scores, const routing::Outcomes& outcomes, routing::Policy& policy) const {
    const auto groups = calibration().groups.data<std::int64_t>();
    HEDGE_TRY(const auto independent, internal::keep_promise(policy, scores, outcomes, groups, *options_.point.promise));
    if (!groups.empty())
      log(context_.log, LogLevel::kInfo,
          "the promise rests on one image of each of the " + std::to_string(independent) +
              " groups of the calibration images, as images of one group depend on each other: it holds for an image of a new group");
    return {};
  }

  /// That images with equal scores moved the threshold, or that it queries all or none.
  void say_remark(const routing::Policy& policy) const {
    const auto text = routing::remark(policy.chosen, policy.calibration_size);
    const bool asked_for = policy.chosen.coverage == policy.chosen.target_coverage;
    if (!text.empty()) log(context_.log, asked_for ? LogLevel::kInfo : LogLevel::kWarning, text);
  }

  [[nodiscard]] routing::Policy describe(const Chosen& chosen) const {
    const auto& info = calibration().info;
    routing::Policy policy{.router = train::to_string(chosen.kind),
                           .base_sha256 = info.base_hash,
                           .global_sha256 = info.global_hash,
                           .executor = info.executor,
                           .protocol = protocol(chosen.kind),
                           .features = info.features,
                           .temperature = chosen.temperature,
                           .calibration_dataset = info.dataset,
                           .calibration_hash = info.content_hash,
                           .calibration_size = static_cast<std::int64_t>(calibration().size()),
                           .fusion = fusion_,
                           .choice = chosen.choice,
                           .calibration_groups = routing::count_groups(calibration().groups.data<std::int64_t>())};
    if (train::is_fitted(chosen.kind)) {
      policy.fit_hash = tables_.fit.info.content_hash;
      policy.fit_dataset = tables_.fit.info.dataset;
    }
    if (tables_.held_out || needs_held_out(options_)) {
      policy.held_out_hash = held_out().info.content_hash;
      policy.held_out_dataset = held_out().info.dataset;
    }
    policy.classes = info.classes;
    return policy;
  }

  Result<routing::Policy> make_policy(const routing::Outcomes& outcomes, const Chosen& chosen) const {
    /// Listed beside the chosen one, so that an operator can move along them.
    constexpr double kListedCoverages[] = {0.30, 0.40, 0.50, 0.60, 0.70, 0.80, 0.90, 0.95, 1.0};
    auto policy = describe(chosen);
    policy.accepted_risks = risks_;
    HEDGE_CHECK(set_point(chosen.scores, outcomes, policy));
    say_remark(policy);
    for (const double coverage : kListedCoverages) {
      HEDGE_TRY(auto point, routing::threshold_for_coverage(chosen.scores, outcomes, coverage));
      policy.table.push_back(point);
    }
    return policy;
  }

  const FitTables& tables_;
  const FitOptions& options_;
  const RunContext& context_;
  std::vector<std::string> risks_;
  train::RouterFitOptions training_;
  std::optional<routing::Fusion> fusion_;
};

const routing::TableInfo& calibration_info(const FitOptions& options, const FitTables& tables) {
  return options.cross_fit > 0 ? tables.fit.info : tables.calibration.info;
}

/// A price target as the coverage that keeps it. Errors: kInvalidArgument where the price of a query is not known.
Result<FitOptions> with_price(FitOptions options, const FitTables& tables) {
  if (!options.point.price_per_1000) return options;
  const auto& info = calibration_info(options, tables);
  if (!info.price)
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "the calibration table does not know what a query costs, so a price cannot be aimed at",
                 .where = info.dataset,
                 .hint = "give the price when the table is made: hedge table import --price-per-query"};
  constexpr double kImages = 1000;
  options.point.coverage = std::clamp(1 - *options.point.price_per_1000 / (kImages * info.price->per_query), 0.0, 1.0);
  return options;
}

Status write(const std::filesystem::path& folder, FitResult& result) {
  if (folder.empty()) return {};
  result.router_path = folder / "router.onnx";
  HEDGE_CHECK(write_file_atomic(result.router_path, result.router_onnx));
  return write_file_atomic(folder / "policy.json", result.policy.to_json());
}

}  // namespace

Status FitOptions::validate() const {
  if (calibrate_temperature && router && train::is_fitted(*router))
    return contradiction("a fitted router needs no temperature",
                         "--calibrate-temperature goes with entropy, margin, max_probability or energy");
  if (point.price_per_1000 && !(*point.price_per_1000 >= 0 && std::isfinite(*point.price_per_1000)))
    return contradiction("a price is no number from 0", "--price 0.5: at most this much for 1000 images");
  if (cross_fit == 0) return {};
  if (!calibration.empty() || !data.empty() || !held_out.empty())
    return contradiction("--cross-fit calibrates on the images it fits on", "leave out --calibration, --held-out and --data");
  if (fuse || calibrate_temperature)
    return contradiction("--fuse and --calibrate-temperature need held-out images", "leave --cross-fit out and give --calibration");
  if (point.promise)
    return contradiction("a promise needs a calibration split that the router has not used",
                         "leave --cross-fit out and give --calibration");
  return {};
}

Result<FitResult> fit(FitTables tables, const FitOptions& given, const RunContext& context) {
  HEDGE_CHECK(given.validate());
  HEDGE_TRY(const auto options, with_price(given, tables));
  HEDGE_TRY(auto risks, check_risks(options, tables, context.log));
  HEDGE_CHECK(prepare(options, tables, context.log));
  HEDGE_TRY(auto result, Fit(tables, options, context, std::move(risks)).run());
  result.price = calibration_info(options, tables).price;
  HEDGE_CHECK(write(options.out, result));
  return result;
}

Result<FitResult> fit(const FitOptions& options, const RunContext& context) {
  HEDGE_CHECK(options.validate());
  if (!options.data.empty()) {
    HEDGE_TRY(auto split, predict_splits({.data = options.data, .pair = options.pair, .out = options.out}, context));
    HEDGE_TRY(auto result, fit({.fit = std::move(split.fit), .calibration = std::move(split.calibration)}, options, context));
    result.test_table = std::move(split.test);
    return result;
  }
  HEDGE_TRY(auto tables, read_tables(options));
  if (!options.held_out.empty()) {
    HEDGE_TRY(tables.held_out, routing::read_table(options.held_out));
  }
  return fit(std::move(tables), options, context);
}

}  // namespace hedge::workflow

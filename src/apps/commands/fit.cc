#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "apps/commands.h"
#include "apps/pair.h"
#include "apps/routers.h"
#include "core/json.h"
#include "core/sha256.h"
#include "eval/router_scores.h"
#include "graph/onnx/onnx_io.h"
#include "graph/operators.h"
#include "hedge/policy.h"
#include "infer/openvino/openvino_executor.h"
#include "routing/splits.h"
#include "routing/temperature.h"
#include "train/auto_router.h"

namespace hedge::apps {
namespace {

constexpr const char* kAuto = "auto";
constexpr int kJudgeResamples = 1000;

struct Flags {
  std::string table, calibration, held_out, out;
  std::string router = kAuto;
  std::string promise;
  double delta = 0.05;
  double coverage = 0.8;
  double accuracy = 0;
  double held_out_share = 0.5;
  int cross_fit = 0;  ///< folds; 0: not
  bool fuse = false;
  bool calibrate_temperature = false;
  train::RouterFitOptions options;
  std::string data;  ///< instead of the tables: predicted here
  PairFlags pair;

  /// Whether something is learned or chosen on held-out predictions, beside the threshold.
  [[nodiscard]] bool needs_held_out() const { return fuse || calibrate_temperature || (router == kAuto && cross_fit == 0); }
};

/// What is learned from, chosen by and calibrated on; cross-fitted, all three are one.
struct Tables {
  routing::PredictionTable fit, held_out, calibration;
  bool has_held_out = false;
  std::filesystem::path test;
};

/// A router with the scores that calibrate it.
struct Chosen {
  train::RouterKind kind = train::RouterKind::kMargin;
  train::FittedRouter fitted;
  std::optional<routing::RouterChoice> choice;
  std::vector<float> scores;
  double temperature = 1;
};

Error contradiction(const char* what, const char* hint) { return {.code = ErrorCode::kInvalidArgument, .what = what, .hint = hint}; }

/// Read, or predicted from images and models and left beside the router.
Result<Tables> read_tables(const Flags& flags, Context& context) {
  Tables tables;
  if (!flags.data.empty()) {
    HEDGE_TRY(auto split, predict_splits(flags.pair, flags.data, flags.out, context.console, context.should_stop));
    tables.fit = std::move(split.fit);
    tables.calibration = std::move(split.calibration);
    tables.test = std::move(split.test);
    return tables;
  }
  if (flags.table.empty() || (flags.calibration.empty() && flags.cross_fit == 0))
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "there is nothing to fit on",
                 .expected = "--table and --calibration, --table with --cross-fit, or --data with --base and --global"};
  HEDGE_TRY(tables.fit, routing::read_table(flags.table));
  if (flags.cross_fit == 0) {
    HEDGE_TRY(tables.calibration, routing::read_table(flags.calibration));
  }
  return tables;
}

/// Held-out images of their own, or a part of the calibration's, which the threshold then does without.
Status hold_out(const Flags& flags, Tables& tables, Context& context) {
  if (!flags.held_out.empty()) {
    HEDGE_TRY(tables.held_out, routing::read_table(flags.held_out));
    HEDGE_CHECK(routing::check_calibration(tables.fit.info, tables.held_out.info));
    HEDGE_CHECK(routing::check_calibration(tables.held_out.info, tables.calibration.info));
    tables.has_held_out = true;
  } else if (flags.needs_held_out()) {
    HEDGE_TRY(auto parts, train::divide(tables.calibration, flags.held_out_share, 1));
    context.console.say("hedge: " + std::to_string(parts.first.size()) + " of the " + std::to_string(tables.calibration.size()) +
                        " calibration images are held out to choose and learn by, the others give the threshold; --held-out brings others");
    tables.held_out = std::move(parts.first);
    tables.calibration = std::move(parts.second);
    tables.has_held_out = true;
  }
  return {};
}

Result<Tables> make_tables(const Flags& flags, Context& context) {
  HEDGE_TRY(auto tables, read_tables(flags, context));
  if (flags.cross_fit > 0) {
    if (train::protocol_of(tables.fit.info) != train::RouterProtocol::kHeldOut)
      return Error{.code = ErrorCode::kMismatch,
                   .what = "cross-fitting takes images that neither model has seen, as the threshold comes from them too",
                   .where = tables.fit.info.dataset,
                   .hint = "predict a split that the models were not trained on"};
    return tables;
  }
  HEDGE_CHECK(routing::check_calibration(tables.fit.info, tables.calibration.info));
  HEDGE_CHECK(hold_out(flags, tables, context));
  const auto& seen_never = tables.has_held_out ? tables.held_out : tables.calibration;
  HEDGE_TRY(const auto warning, train::interpolation_warning(tables.fit, seen_never));
  if (warning && train::protocol_of(tables.fit.info) == train::RouterProtocol::kTrainingSet)
    context.console.say("hedge: warning: " + *warning);
  return tables;
}

Result<routing::Outcomes> outcomes_of(const routing::PredictionTable& table, const std::optional<routing::Fusion>& fusion) {
  if (fusion && fusion->adopted) return routing::outcomes(table, *fusion);
  return routing::outcomes(table);
}

/// The scores by the same runner and precision as on the device.
Result<std::vector<float>> device_scores(const graph::Graph& router, const routing::PredictionTable& table) {
  HEDGE_TRY(const auto executor, infer::make_openvino_executor(router, {.throughput = true}));
  return eval::scores_of(*executor, table);
}

Result<Chosen> choose(const Flags& flags, const Tables& tables, const std::optional<routing::Fusion>& fusion, Context& context) {
  HEDGE_TRY(auto outcomes, outcomes_of(tables.fit, fusion));
  const train::RouterRows rows{.table = tables.fit, .outcomes = std::move(outcomes)};
  const train::AutoRouterOptions options{.fit = flags.options, .folds = flags.cross_fit > 0 ? flags.cross_fit : 5};
  const auto judge = make_judge(kJudgeResamples, 1);
  const auto progress = context.console.progress("hedge: ");
  Result<train::AutoRouter> made = train::AutoRouter{};
  if (tables.has_held_out) {
    HEDGE_TRY(auto held_outcomes, outcomes_of(tables.held_out, fusion));
    const train::RouterRows held{.table = tables.held_out, .outcomes = std::move(held_outcomes)};
    made = train::choose_router(rows, &held, options, judge, progress);
  } else {
    made = train::choose_router(rows, nullptr, options, judge, progress);
  }
  HEDGE_TRY(auto automatic, std::move(made));
  context.console.say("hedge: auto chose " + automatic.choice.chosen + ": " + automatic.choice.why);
  return Chosen{.kind = automatic.kind, .fitted = std::move(automatic.fitted), .choice = std::move(automatic.choice)};
}

/// A free score of logits divided by the temperature that calibrates the base on held-out images.
Result<Chosen> with_temperature(train::RouterKind kind, const Tables& tables) {
  if (train::is_fitted(kind))
    return contradiction("a fitted router needs no temperature",
                         "--calibrate-temperature goes with entropy, margin, max_probability or energy");
  HEDGE_TRY(const auto temperature, routing::fit_temperature(tables.held_out.base_logits, tables.held_out.labels.data<std::int64_t>()));
  Chosen chosen{.kind = kind, .temperature = temperature.value};
  HEDGE_TRY(chosen.fitted.graph, train::build_router(kind, {.classes = tables.fit.classes(), .temperature = temperature.value}, 1));
  return chosen;
}

Result<Chosen> make_router(const Flags& flags, const Tables& tables, const std::optional<routing::Fusion>& fusion, Context& context) {
  if (flags.router == kAuto) return choose(flags, tables, fusion, context);
  HEDGE_TRY(const auto kind, train::router_kind(flags.router));
  if (flags.calibrate_temperature) return with_temperature(kind, tables);
  HEDGE_TRY(const auto outcomes, outcomes_of(tables.fit, fusion));
  Chosen chosen{.kind = kind};
  auto options = flags.options;
  options.kind = kind;
  HEDGE_TRY(chosen.fitted, train::fit_router(tables.fit, outcomes, options, context.console.progress("hedge: ")));
  return chosen;
}

/// Of images that the router has not seen: the calibration's, or by cross-fitting.
Status score_calibration(const Flags& flags, const Tables& tables, const routing::Outcomes& outcomes, Chosen& chosen, Context& context) {
  if (flags.cross_fit > 0 && train::is_fitted(chosen.kind)) {
    auto options = flags.options;
    options.kind = chosen.kind;
    const train::RouterRows rows{.table = tables.fit, .outcomes = outcomes};
    HEDGE_TRY(chosen.scores, train::cross_fitted_scores(rows, options, flags.cross_fit, context.console.progress("hedge: ")));
  } else {
    HEDGE_TRY(chosen.scores, device_scores(chosen.fitted.graph, flags.cross_fit > 0 ? tables.fit : tables.calibration));
  }
  return {};
}

std::string protocol(const Flags& flags, const Tables& tables, const Chosen& chosen) {
  if (!train::is_fitted(chosen.kind)) return "free score";
  const auto how = flags.cross_fit > 0 ? train::RouterProtocol::kCrossFitted : train::protocol_of(tables.fit.info);
  return std::string(train::to_string(how)) + ", " + tables.fit.info.dataset;
}

Status set_point(const Flags& flags, const std::vector<float>& scores, const routing::Outcomes& outcomes, routing::Policy& policy) {
  if (!flags.promise.empty()) {
    HEDGE_TRY(const auto promise, routing::parse_promise(flags.promise, flags.delta));
    return routing::keep_promise(policy, scores, outcomes, promise);
  }
  if (flags.accuracy > 0) {
    HEDGE_TRY(policy.chosen, routing::threshold_for_accuracy(scores, outcomes, flags.accuracy));
  } else {
    HEDGE_TRY(policy.chosen, routing::threshold_for_coverage(scores, outcomes, flags.coverage));
  }
  return {};
}

/// The coverages that a policy lists beside the chosen one, so that an operator can move along it.
constexpr double kListedCoverages[] = {0.30, 0.40, 0.50, 0.60, 0.70, 0.80, 0.90, 0.95, 1.0};

Result<routing::Policy> make_policy(const Flags& flags, const Tables& tables, const routing::Outcomes& outcomes, const Chosen& chosen,
                                    std::optional<routing::Fusion> fusion) {
  const auto& calibration = flags.cross_fit > 0 ? tables.fit : tables.calibration;
  routing::Policy policy{.router = train::to_string(chosen.kind),
                         .base_sha256 = calibration.info.base_hash,
                         .global_sha256 = calibration.info.global_hash,
                         .executor = calibration.info.executor,
                         .protocol = protocol(flags, tables, chosen),
                         .features = calibration.info.features,
                         .temperature = chosen.temperature,
                         .calibration_dataset = calibration.info.dataset,
                         .calibration_hash = calibration.info.content_hash,
                         .calibration_size = static_cast<std::int64_t>(calibration.size()),
                         .fusion = std::move(fusion),
                         .choice = chosen.choice};
  if (train::is_fitted(chosen.kind)) {
    policy.fit_hash = tables.fit.info.content_hash;
    policy.fit_dataset = tables.fit.info.dataset;
  }
  if (tables.has_held_out) {
    policy.held_out_hash = tables.held_out.info.content_hash;
    policy.held_out_dataset = tables.held_out.info.dataset;
  }
  HEDGE_CHECK(set_point(flags, chosen.scores, outcomes, policy));
  for (const double coverage : kListedCoverages) {
    HEDGE_TRY(auto point, routing::threshold_for_coverage(chosen.scores, outcomes, coverage));
    policy.table.push_back(point);
  }
  return policy;
}

Json choice_json(const routing::RouterChoice& choice) {
  Json json = {{"chosen", choice.chosen}, {"why", choice.why}, {"candidates", Json::array()}};
  for (const auto& c : choice.candidates)
    json["candidates"].push_back(
        {{"router", c.name},
         {"macs", c.macs},
         {"gap_closed_percent",
          {{"value", c.gap_closed_percent.value}, {"low", c.gap_closed_percent.low}, {"high", c.gap_closed_percent.high}}}});
  return json;
}

void print(const routing::Policy& policy, const Chosen& chosen, const std::filesystem::path& path, std::int64_t macs) {
  const auto& fitted = chosen.fitted;
  Json json = {{"router", policy.router},
               {"path", path.string()},
               {"macs", macs},
               {"threshold", policy.chosen.threshold},
               {"coverage", policy.chosen.coverage},
               {"calibration_accuracy", policy.chosen.accuracy},
               {"protocol", policy.protocol},
               {"loss", fitted.final_loss},
               {"rows_per_second", fitted.rows_per_second},
               {"helps", fitted.helps},
               {"hurts", fitted.hurts}};
  if (policy.temperature != 1) json["temperature"] = policy.temperature;
  if (chosen.kind == train::RouterKind::kPoster) json["lambda"] = fitted.lambda;
  if (policy.choice) json["choice"] = choice_json(*policy.choice);
  if (policy.fusion) json["fusion"] = {{"adopted", policy.fusion->adopted}, {"why", policy.fusion->why}};
  if (policy.promise)
    json["promise"] = {{"promise", policy.promise->promise.to_string()},
                       {"bound", policy.promise->bound},
                       {"accuracy_given_up", policy.promise->accuracy_given_up()}};
  std::printf("%s\n", json.dump().c_str());
}

Status check(const Flags& flags) {
  if (flags.cross_fit == 0) return {};
  if (!flags.calibration.empty() || !flags.data.empty() || !flags.held_out.empty())
    return contradiction("--cross-fit calibrates on the images it fits on", "leave --calibration, --held-out and --data out");
  if (flags.fuse || flags.calibrate_temperature)
    return contradiction("fusing and temperatures need held-out images of their own", "leave --cross-fit out and give --calibration");
  if (!flags.promise.empty())
    return contradiction("a promise needs a calibration split that the router has not used",
                         "leave --cross-fit out and give --calibration");
  return {};
}

Status run(Flags& flags, Context& context) {
  HEDGE_CHECK(check(flags));
  flags.options.target_coverage = flags.coverage;
  HEDGE_TRY(const auto tables, make_tables(flags, context));
  std::optional<routing::Fusion> fusion;
  if (flags.fuse) {
    HEDGE_TRY(fusion, routing::fit_fusion(tables.held_out));
    context.console.say("hedge: fused answers: " + fusion->why);
  }
  HEDGE_TRY(auto chosen, make_router(flags, tables, fusion, context));
  HEDGE_TRY(const auto outcomes, outcomes_of(flags.cross_fit > 0 ? tables.fit : tables.calibration, fusion));
  HEDGE_CHECK(score_calibration(flags, tables, outcomes, chosen, context));
  HEDGE_TRY(auto policy, make_policy(flags, tables, outcomes, chosen, std::move(fusion)));
  const auto router_path = std::filesystem::path(flags.out) / "router.onnx";
  HEDGE_TRY(const auto bytes, graph::serialize_onnx(chosen.fitted.graph));
  policy.router_sha256 = sha256_hex(bytes);
  HEDGE_CHECK(write_file_atomic(router_path, bytes));
  HEDGE_CHECK(write_file_atomic(std::filesystem::path(flags.out) / "policy.json", policy.to_json()));
  HEDGE_TRY(const auto macs, graph::count_macs(chosen.fitted.graph));
  print(policy, chosen, router_path, macs);
  if (!tables.test.empty())
    context.console.say("hedge: a report: hedge eval --table " + tables.test.string() + " --hybrid " + flags.out + " --out " + flags.out +
                        "/report");
  return {};
}

/// What is learned from, chosen by and calibrated on.
void add_predictions(CLI::App& app, Flags& f) {
  app.add_option("--table", f.table,
                 "predictions to learn from: of the training set, in evaluation mode, or of images the models have not seen");
  app.add_option("--calibration", f.calibration, "predictions that neither models nor router have used: the threshold comes from them");
  app.add_option("--held-out", f.held_out,
                 "predictions that neither models nor router have used, to choose, fuse and find temperatures by");
  app.add_option("--held-out-share", f.held_out_share, "without --held-out, where it is needed: this share of the calibration's images")
      ->capture_default_str()
      ->check(CLI::Range(0.05, 0.95));
  app.add_option("--cross-fit", f.cross_fit,
                 "for small data: so many folds of --table; every image is scored by a router that has not seen it, and calibrates")
      ->check(CLI::Range(2, 100));
  app.add_option("--data", f.data, "instead of the two: images (folder:PATH), predicted here with --base and --global")
      ->excludes("--table")
      ->excludes("--calibration");
  add_pair_flags(app, f.pair, false);
}

void add_router(CLI::App& app, Flags& f) {
  app.add_option("--router", f.router,
                 "auto (the best on held-out predictions), gain, linear, poster, or a free score: entropy, margin, max_probability, energy")
      ->capture_default_str();
  app.add_flag("--calibrate-temperature", f.calibrate_temperature,
               "of a free score: divide the logits by the temperature that calibrates the base on held-out images");
  app.add_flag("--fuse", f.fuse, "learn on held-out images whether a query's answer is better combined with the base's");
}

/// Where the threshold is put.
void add_point(CLI::App& app, Flags& f) {
  auto* coverage = app.add_option("--coverage", f.coverage, "share of images that stay on the device, at least")
                       ->capture_default_str()
                       ->check(CLI::Range(0.0, 1.0));
  auto* accuracy = app.add_option("--accuracy", f.accuracy, "or: the highest coverage whose calibration accuracy is at least this")
                       ->check(CLI::Range(0.0, 1.0))
                       ->excludes(coverage);
  app.add_option("--promise", f.promise, "or: hold this for new images with confidence 1 - delta: coverage>=C, accuracy>=A or risk<=E")
      ->excludes(coverage)
      ->excludes(accuracy);
  app.add_option("--delta", f.delta, "the chance that the promise does not hold")->capture_default_str();
}

void add_training(CLI::App& app, train::RouterFitOptions& o) {
  app.add_option("--seed", o.seed, "of the router's weights and order")->capture_default_str();
  app.add_option("--epochs", o.epochs, "passes over the table; 0: as many as make 800 steps")->capture_default_str();
  app.add_option("--batch", o.batch, "rows a step")->capture_default_str();
  app.add_option("--lr", o.learning_rate, "peak learning rate (AdamW)")->capture_default_str();
  app.add_option("--weight-decay", o.weight_decay, "AdamW's; default: 0.3 for gain, 0.01 else");
  app.add_option("--hidden", o.hidden, "width of the gain router")->capture_default_str();
  app.add_option("--penalty", o.coverage_penalty, "the poster's lambda at the start")->capture_default_str();
  app.add_option("--dual-rate", o.dual_rate, "what a step adds to lambda for each unit of missing coverage")->capture_default_str();
  app.add_option("--threads", o.threads, "0: all cores")->capture_default_str();
}

}  // namespace

void add_fit(CLI::App& root, Context& context) {
  auto* app = root.add_subcommand("fit", "fit a router on one prediction table and calibrate its threshold on another");
  auto f = std::make_shared<Flags>();  // shared with the callback, which outlives this function
  add_predictions(*app, *f);
  app->add_option("--out", f->out, "a folder: router.onnx and policy.json")->required();
  add_router(*app, *f);
  add_point(*app, *f);
  add_training(*app, f->options);
  app->callback([f, &context] { context.chosen = [f, &context] { return run(*f, context); }; });
}

}  // namespace hedge::apps

#include <filesystem>
#include <memory>

#include "apps/commands.h"
#include "apps/pair.h"
#include "core/json.h"
#include "core/sha256.h"
#include "eval/router_scores.h"
#include "graph/onnx/onnx_io.h"
#include "graph/operators.h"
#include "infer/openvino/openvino_executor.h"
#include "routing/policy.h"
#include "routing/splits.h"
#include "train/router_fit.h"

namespace hedge::apps {
namespace {

struct Flags {
  std::string table, calibration, out;
  std::string router = "gain";
  double coverage = 0.8;
  double accuracy = 0;
  train::RouterFitOptions options;
  std::string data;  ///< instead of the tables: predicted here
  PairFlags pair;
};

/// Read, or predicted from pictures and models and left beside the router.
Result<SplitTables> split_tables(const Flags& flags, Context& context) {
  if (!flags.data.empty()) return predict_splits(flags.pair, flags.data, flags.out, context.console, context.should_stop);
  if (flags.table.empty() || flags.calibration.empty())
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "there is nothing to fit on",
                 .expected = "--table and --calibration, or --data with --base and --global"};
  SplitTables tables;
  HEDGE_TRY(tables.fit, routing::read_table(flags.table));
  HEDGE_TRY(tables.calibration, routing::read_table(flags.calibration));
  return tables;
}

/// The coverages that a policy lists beside the chosen one, so that an operator can move along it.
constexpr double kListedCoverages[] = {0.30, 0.40, 0.50, 0.60, 0.70, 0.80, 0.90, 0.95, 1.0};

Result<routing::Policy> make_policy(const Flags& flags, const routing::PredictionTable& fit, const routing::PredictionTable& calibration,
                                    const std::vector<float>& scores) {
  HEDGE_TRY(const auto outcomes, routing::outcomes(calibration));
  routing::Policy policy{.router = flags.router,
                         .base_sha256 = calibration.info.base_hash,
                         .global_sha256 = calibration.info.global_hash,
                         .executor = calibration.info.executor,
                         .features = calibration.info.features,
                         .calibration_dataset = calibration.info.dataset,
                         .calibration_hash = calibration.info.content_hash,
                         .calibration_size = static_cast<std::int64_t>(calibration.size())};
  if (train::is_fitted(flags.options.kind)) {
    policy.protocol = "predictions on " + fit.info.dataset + ", " + fit.info.mode + " mode";
    policy.fit_hash = fit.info.content_hash;
    policy.fit_dataset = fit.info.dataset;
  } else {
    policy.protocol = "free score";
  }
  if (flags.accuracy > 0) {
    HEDGE_TRY(policy.chosen, routing::threshold_for_accuracy(scores, outcomes, flags.accuracy));
  } else {
    HEDGE_TRY(policy.chosen, routing::threshold_for_coverage(scores, outcomes, flags.coverage));
  }
  for (const double coverage : kListedCoverages) {
    HEDGE_TRY(auto point, routing::threshold_for_coverage(scores, outcomes, coverage));
    policy.table.push_back(point);
  }
  return policy;
}

Status run(Flags& flags, Context& context) {
  HEDGE_TRY(flags.options.kind, train::router_kind(flags.router));
  flags.options.target_coverage = flags.coverage;
  HEDGE_TRY(const auto tables, split_tables(flags, context));
  const auto& [fit, calibration, test] = tables;
  HEDGE_CHECK(routing::check_calibration(fit.info, calibration.info));
  HEDGE_TRY(const auto fitted, train::fit_router(fit, flags.options, context.console.progress("hedge: ")));
  const auto router_path = std::filesystem::path(flags.out) / "router.onnx";
  HEDGE_TRY(const auto bytes, graph::serialize_onnx(fitted.graph));
  HEDGE_TRY(const auto executor, infer::make_openvino_executor(fitted.graph, {.throughput = true}));
  HEDGE_TRY(const auto scores, eval::scores_of(*executor, calibration));
  HEDGE_TRY(auto policy, make_policy(flags, fit, calibration, scores));
  policy.router_sha256 = sha256_hex(bytes);
  HEDGE_CHECK(write_file_atomic(router_path, bytes));
  HEDGE_CHECK(write_file_atomic(std::filesystem::path(flags.out) / "policy.json", policy.to_json()));
  HEDGE_TRY(const auto macs, graph::count_macs(fitted.graph));
  const Json json = {{"router", flags.router},          {"path", router_path.string()},
                     {"macs", macs},                    {"threshold", policy.chosen.threshold},
                     {"coverage", policy.chosen.coverage}, {"calibration_accuracy", policy.chosen.accuracy},
                     {"loss", fitted.final_loss},       {"rows_per_second", fitted.rows_per_second},
                     {"helps", fitted.helps},           {"hurts", fitted.hurts}};
  std::printf("%s\n", json.dump().c_str());
  if (!test.empty()) context.console.say("hedge: a report: hedge eval --table " + test.string() + " --hybrid " + flags.out + " --out " + flags.out + "/report");
  return {};
}

}  // namespace

void add_fit(CLI::App& root, Context& context) {
  auto* app = root.add_subcommand("fit", "fit a router on one prediction table and calibrate its threshold on another");
  auto f = std::make_shared<Flags>();  // shared with the callback, which outlives this function
  auto& o = f->options;
  app->add_option("--table", f->table, "predictions to learn from: of the training set, in evaluation mode");
  app->add_option("--calibration", f->calibration, "predictions that neither models nor router have used: the threshold comes from them");
  app->add_option("--data", f->data, "instead of the two: pictures (folder:PATH), predicted here with --base and --global")->excludes("--table")->excludes("--calibration");
  add_pair_flags(*app, f->pair, false);
  app->add_option("--out", f->out, "a folder: router.onnx and policy.json")->required();
  app->add_option("--router", f->router, "gain (default), poster, or a free score: entropy, margin, max_probability")->capture_default_str();
  auto* coverage = app->add_option("--coverage", f->coverage, "share of pictures that stay on the device, at least")->capture_default_str()->check(CLI::Range(0.0, 1.0));
  app->add_option("--accuracy", f->accuracy, "or: the highest coverage whose calibration accuracy is at least this")->check(CLI::Range(0.0, 1.0))->excludes(coverage);
  app->add_option("--seed", o.seed, "of the router's weights and order")->capture_default_str();
  app->add_option("--epochs", o.epochs, "passes over the table")->capture_default_str();
  app->add_option("--batch", o.batch, "rows a step")->capture_default_str();
  app->add_option("--lr", o.learning_rate, "peak learning rate (AdamW)")->capture_default_str();
  app->add_option("--weight-decay", o.weight_decay, "AdamW's")->capture_default_str();
  app->add_option("--hidden", o.hidden, "width of the gain router")->capture_default_str();
  app->add_option("--penalty", o.coverage_penalty, "the poster's lambda")->capture_default_str();
  app->add_option("--threads", o.threads, "0: all cores")->capture_default_str();
  app->callback([f, &context] { context.chosen = [f, &context] { return run(*f, context); }; });
}

}  // namespace hedge::apps

#include "workflow/evaluate.h"

#include <algorithm>

#include "core/file.h"
#include "eval/baselines_json.h"
#include "eval/report/html.h"
#include "eval/report_json.h"
#include "routing/row_identity.h"
#include "routing/splits.h"
#include "workflow/copies.h"
#include "workflow/internal/quiet_check.h"
#include "workflow/routers.h"

namespace hedge::workflow {
namespace {

/// A method with its router seeds.
struct Judged {
  eval::MethodScores scores;
  std::vector<FittedFolder> folders;  ///< a folder a seed; empty for a free score
};

/// The router of one source on the predictions it is for, as one more seed of `method`.
Status add_seed(const MethodSource& source, const routing::TableView& predictions, Judged& method) {
  if (const auto score = routing::free_score_named(source.router)) {
    if (!method.scores.per_seed.empty())
      return Error{.code = ErrorCode::kInvalidArgument,
                   .what = "a free score can neither be given twice nor share its name with a folder",
                   .where = source.name};
    method.scores.router = source.router;
    method.scores.per_seed.push_back(routing::free_score(*score, predictions.base_logits));
    return {};
  }
  HEDGE_TRY(auto fitted, read_fitted(source.router));
  HEDGE_CHECK(routing::check_models(fitted.policy, predictions.info, source.router));
  HEDGE_TRY(auto scores, score_table(fitted.router, predictions));
  method.scores.router = fitted.policy.router;
  method.scores.protocol = fitted.policy.protocol;
  method.scores.router_macs = fitted.macs;
  method.scores.per_seed.push_back(std::move(scores));
  method.folders.push_back(std::move(fitted));
  return {};
}

/// On another pair's predictions of the same images, one table a seed.
Status add_pair_seed(const MethodSource& source, const routing::TableView& table, Judged& method) {
  HEDGE_TRY(const auto pair, routing::read_table(source.table));
  HEDGE_CHECK(routing::check_unseen(pair.info));
  HEDGE_CHECK(add_seed(source, pair, method));
  std::vector<routing::Outcomes> earlier = std::move(method.scores.outcomes);
  HEDGE_TRY(method.scores, eval::with_models(std::move(method.scores), table, pair));
  earlier.push_back(std::move(method.scores.outcomes[0]));
  method.scores.outcomes = std::move(earlier);
  return {};
}

/// Reads the routers and scores the table with them, in the order in which methods are first named.
Result<std::vector<Judged>> read_methods(const std::vector<MethodSource>& sources, const routing::TableView& table) {
  std::vector<Judged> methods;
  for (const MethodSource& source : sources) {
    auto method = std::find_if(methods.begin(), methods.end(), [&](const Judged& m) { return m.scores.name == source.name; });
    if (method == methods.end()) {
      methods.push_back({});
      method = methods.end() - 1;
      method->scores.name = source.name;
    } else if (method->scores.outcomes.empty() != source.table.empty()) {
      return Error{.code = ErrorCode::kInvalidArgument,
                   .what = "either all seeds of a method have a table of other models or none",
                   .where = source.name};
    }
    HEDGE_CHECK(source.table.empty() ? add_seed(source, table, *method) : add_pair_seed(source, table, *method));
  }
  return methods;
}

/// What is compared: with the fused twins of methods whose policies have fused answers; a name that ends in "_fused" means the twin alone.
Result<std::vector<eval::MethodScores>> compared(const std::vector<Judged>& judged, const routing::TableView& table) {
  std::vector<eval::MethodScores> methods;
  for (const auto& method : judged) {
    methods.push_back(method.scores);
    const bool of_this_pair = table.has_global() && method.scores.kind != eval::MethodKind::kPair;
    if (method.folders.empty() || !method.folders[0].policy.fusion || !of_this_pair) continue;
    HEDGE_TRY(auto fused, eval::with_fusion(method.scores, table, *method.folders[0].policy.fusion));
    if (fused.name == method.scores.name) methods.pop_back();
    methods.push_back(std::move(fused));
  }
  return methods;
}

/// Whose policy, areas and verdict the report is about: the named one, else the first. nullptr where none is given.
Result<const Judged*> default_of(const std::string& name, const std::vector<Judged>& judged) {
  if (judged.empty() || name.empty()) return judged.empty() ? nullptr : &judged.front();
  for (const auto& method : judged)
    if (method.scores.name == name) return &method;
  return Error{.code = ErrorCode::kNotFound, .what = "the default method is not among the given ones", .where = "--default", .got = name};
}

/// The default method, and its first seed's policy: fused where the policy adopted that.
void choose(const Judged& method, eval::EvaluateOptions& judging) {
  judging.default_method = method.scores.name;
  judging.router_name = method.scores.router;
  if (method.folders.empty()) return;
  const auto& policy = method.folders[0].policy;
  if (policy.fusion && policy.fusion->adopted) judging.default_method = eval::fused_name(judging.default_method);
  if (auto remark = routing::remark(policy.chosen, policy.calibration_size); !remark.empty()) judging.notes.push_back(std::move(remark));
  judging.policy = eval::PolicyUse{.policy = policy, .method = judging.default_method};
}

eval::EvaluateOptions judging_of(const EvaluateOptions& options, const routing::TableView& table, const std::vector<Judged>& judged,
                                 const Judged* chosen) {
  eval::EvaluateOptions judging{.title = options.title, .resamples = options.resamples, .notes = options.notes};
  if (!table.info.base_name.empty()) judging.base_name = table.info.base_name;
  if (!table.info.global_name.empty()) judging.global_name = table.info.global_name;
  if (chosen != nullptr)
    choose(*chosen, judging);
  else
    judging.default_method = judging.router_name = "margin";  // no router is given: the free scores alone
  std::vector<std::string> risks = table.info.accepted_risks;
  for (const auto& method : judged)
    for (const auto& folder : method.folders) {
      judging.add_splits(folder.policy);
      internal::add_risks(folder.policy.accepted_risks, risks);
    }
  for (const auto& risk : risks) judging.notes.push_back("Risk accepted: " + risk);
  return judging;
}

Result<eval::Baselines> read_baselines_of(const std::filesystem::path& path, const routing::TableInfo& info) {
  HEDGE_TRY(auto baselines, eval::read_baselines(path));
  if (baselines.content_hash == info.content_hash) return baselines;
  return Error{.code = ErrorCode::kMismatch,
               .what = "the baselines were measured on other images",
               .where = path.string(),
               .got = baselines.content_hash,
               .expected = info.content_hash};
}

/// Some of the images that the default method queries, and some around its threshold; a report without them is a report too.
void add_images(const EvaluateOptions& options, const routing::TableView& table, const Judged* method, const LogSink& sink,
                eval::EvaluationReport& report) {
  const bool imported = !routing::name_of_table(table.info.dataset).empty();
  if (method == nullptr || method->folders.empty() || imported) return;
  auto gallery = eval::make_gallery(table, {.scores = method->scores.per_seed[0],
                                            .threshold = method->folders[0].policy.chosen.threshold,
                                            .queried = options.images,
                                            .spread = 4 * options.images});
  if (gallery)
    report.gallery = *std::move(gallery);
  else
    log(sink, LogLevel::kInfo, "no images in the report: " + gallery.error().message());
}

Status write_report(const std::filesystem::path& folder, const eval::EvaluationReport& report) {
  if (folder.empty()) return {};
  const auto json = eval::to_json(report);
  HEDGE_CHECK(write_json(folder / "report.json", json));
  HEDGE_CHECK(write_file_atomic(folder / "curve.csv", eval::to_csv(report)));
  HEDGE_TRY(const auto html, eval::render_html(json));
  return write_file_atomic(folder / "report.html", html);
}

/// From the disk, so that a table may be larger than the memory.
Result<routing::MappedTable> open_table(const std::filesystem::path& path) {
  HEDGE_TRY(auto table, routing::MappedTable::open(path));
  auto status = routing::TableView(table).validate();
  if (status) return table;
  Error error = std::move(status).error();
  error.where = path.string() + ": " + error.where;
  return error;
}

Status go_on(const RunContext& context) {
  if (!context.should_stop || !context.should_stop()) return {};
  return Error{.code = ErrorCode::kCancelled, .what = "stopped on request", .where = "evaluate"};
}

}  // namespace

Result<eval::EvaluationReport> evaluate(const routing::TableView& table, const EvaluateOptions& options, const RunContext& context) {
  HEDGE_TRY(const auto judged, read_methods(options.methods, table));
  HEDGE_TRY(const auto* chosen, default_of(options.default_method, judged));
  std::optional<eval::Baselines> baselines;
  if (!options.baselines.empty()) {
    HEDGE_TRY(baselines, read_baselines_of(options.baselines, table.info));
  }
  HEDGE_TRY(const auto methods, compared(judged, table));
  HEDGE_CHECK(go_on(context));
  auto judging = judging_of(options, table, judged, chosen);
  judging.copied = find_copies(table, context.log);
  HEDGE_TRY(auto report, eval::evaluate(table, methods, judging));
  report.baselines = std::move(baselines);
  HEDGE_CHECK(go_on(context));
  add_images(options, table, chosen, context.log, report);
  HEDGE_CHECK(write_report(options.out, report));
  return report;
}

Result<eval::EvaluationReport> evaluate(const EvaluateOptions& options, const RunContext& context) {
  HEDGE_TRY(const auto table, open_table(options.table));
  return evaluate(routing::TableView(table), options, context);
}

}  // namespace hedge::workflow

#include "eval/evaluate.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <span>

#include "eval/internal/study.h"
#include "eval/verdict.h"
#include "routing/splits.h"

namespace hedge::eval {
namespace {

Error refused(std::string what, std::string where, std::string hint) {
  return Error{.code = ErrorCode::kMismatch, .what = std::move(what), .where = std::move(where), .hint = std::move(hint)};
}

/// Whether a table's images are among splits that something was made on.
bool hold(const std::vector<std::string>& hashes, const std::vector<std::string>& datasets, const routing::TableInfo& info) {
  return std::find(hashes.begin(), hashes.end(), info.content_hash) != hashes.end() ||
         std::any_of(datasets.begin(), datasets.end(),
                     [&](const auto& dataset) { return routing::same_or_overlapping(dataset, info.dataset); });
}

/// A score's figures on images that made it flatter; so such a table is refused.
Status refuse_own_split(const routing::TableInfo& info, const EvaluateOptions& options) {
  if (info.content_hash.empty())
    return Error{
        .code = ErrorCode::kBadData, .what = "the table does not record which images it has (no content hash)", .where = info.dataset};
  EvaluateOptions all = options;
  if (options.policy) all.add_splits(options.policy->policy);
  if (hold(all.fitted_hashes, all.fitted_datasets, info))
    return refused("a method was fitted on this table's own split", info.dataset, "evaluate on a split that nothing was fitted on");
  if (hold(all.calibration_hashes, all.calibration_datasets, info))
    return refused("the threshold was calibrated on this table's own split", info.dataset, "evaluate on the test split");
  return routing::check_unseen(info);
}

Status check_policy(const routing::TableInfo& info, const EvaluateOptions& options) {
  if (!options.policy) return {};
  const routing::Policy& policy = options.policy->policy;
  HEDGE_CHECK(routing::check_models(policy, info, info.dataset));
  if (policy.calibration_size < 1)
    return Error{
        .code = ErrorCode::kInvalidArgument, .what = "the policy's calibration split has no size", .where = policy.calibration_dataset};
  return {};
}

/// The policy's method and one of its seeds. Errors: kNotFound.
Result<const Method*> method_of(const PolicyUse& use, const Study& study) {
  const Method* method = study.find(use.method);
  if (method != nullptr && use.seed_index < method->given.per_seed.size()) return method;
  return Error{.code = ErrorCode::kNotFound,
               .what = "the policy's method or seed is not among the scores",
               .where = use.method,
               .got = "seed index " + std::to_string(use.seed_index)};
}

Result<OperatingReport> operate_in(const PolicyUse& use, const Study& study, std::span<const std::int64_t> groups) {
  HEDGE_TRY(const Method* method, method_of(use, study));
  auto report = operate(use.policy, method->given.per_seed[use.seed_index], study.outcomes_of(*method, use.seed_index), groups);
  report.method = use.method;
  return report;
}

void describe(const routing::TableView& table, const EvaluateOptions& options, const routing::Outcomes& outcomes,
              EvaluationReport& report) {
  const routing::TableInfo& info = table.info;
  report.title = options.title;
  report.dataset = info.dataset;
  report.split = info.split;
  report.executor = info.executor;
  report.price = info.price;
  report.images = static_cast<std::int64_t>(table.size());
  report.classes = info.class_names;
  report.base = {.name = options.base_name,
                 .macs = info.base_macs,
                 .parameters = info.base_parameters,
                 .accuracy = share_interval(outcomes.base_right, table.row_groups())};
  report.has_global = table.has_global();
  report.global = {.name = options.global_name, .macs = info.global_macs, .parameters = info.global_parameters, .accuracy = {}};
  if (report.has_global) report.global.accuracy = share_interval(outcomes.global_right, table.row_groups());
  report.router_name = options.router_name;
  report.router_macs = options.router_macs;
  report.default_method = options.default_method;
  const auto labels = table.labels.data<std::int64_t>();
  report.base_reliability = reliability(table.base_logits, labels);
  if (report.has_global) report.global_reliability = reliability(table.global_logits, labels);
  report.notes = options.notes;
  report.answers = count_answers(table);
  report.groups = routing::count_groups(table.row_groups());
  if (report.groups > 0)
    report.notes.push_back(
        "The images are of " + std::to_string(report.groups) +
        " groups that depend on each other within: intervals are made of whole groups, and for the base's accuracy the " +
        std::to_string(table.size()) + " images are worth " + std::to_string(worth(outcomes.base_right, table.row_groups())) +
        " independent ones.");
  if (std::adjacent_find(labels.begin(), labels.end(), std::not_equal_to<>()) == labels.end() && labels.size() > 1)
    report.notes.push_back("All images are of one class: what is said here holds for that class alone.");
  if (options.policy && options.policy->policy.executor != info.executor)
    report.notes.push_back("The threshold was calibrated with " + options.policy->policy.executor + ", this table predicted with " +
                           info.executor + ": scores may move across the threshold.");
}

/// Of the methods that are no upper bound; the free scores come first, entropy at their head: the others are compared with it.
std::vector<AbstainingScore> abstaining_scores(std::vector<MethodScores> methods, const routing::Outcomes& outcomes) {
  std::stable_partition(methods.begin(), methods.end(), [](const MethodScores& m) { return m.kind == MethodKind::kFreeScore; });
  std::vector<AbstainingScore> scores;
  for (MethodScores& method : methods) {
    if (method.kind == MethodKind::kFused || method.kind == MethodKind::kUpperBound)
      continue;  // fused: the same scores and base as its twin
    AbstainingScore score = {.method = method.name, .per_seed = std::move(method.per_seed), .base_right = {}};
    for (const routing::Outcomes& own : method.outcomes) score.base_right.push_back(own.base_right);
    if (score.base_right.empty()) score.base_right.push_back(outcomes.base_right);
    scores.push_back(std::move(score));
  }
  return scores;
}

std::vector<AbstainingScore> abstaining_scores(const Study& study) {
  std::vector<MethodScores> methods;
  for (const Method& method : study.methods) methods.push_back(method.given);
  return abstaining_scores(std::move(methods), study.outcomes);
}

/// At the policy's threshold, or where there is none at the default method's 80 %.
Result<PerClass> judge_classes(const routing::TableView& table, const Study& study, const EvaluateOptions& options) {
  constexpr double kCoverage = 0.8;
  const bool has_policy = options.policy.has_value();
  const Method* method = study.find(has_policy ? options.policy->method : options.default_method);
  const std::size_t seed = has_policy ? options.policy->seed_index : 0;
  const std::vector<float>& scores = method->given.per_seed[seed];
  const routing::Outcomes& outcomes = study.outcomes_of(*method, seed);
  float threshold = has_policy ? options.policy->policy.chosen.threshold : 0;
  if (!has_policy) {
    HEDGE_TRY(const routing::OperatingPoint point, routing::threshold_for_coverage(scores, outcomes, kCoverage));
    threshold = point.threshold;
  }
  PerClass classes = per_class({.labels = table.labels.data<std::int64_t>(),
                                .classes = table.classes(),
                                .outcomes = &outcomes,
                                .scores = scores,
                                .threshold = threshold,
                                .resamples = options.resamples,
                                .seed = options.seed,
                                .groups = table.row_groups()});
  classes.method = method->given.name;
  return classes;
}

/// On the draws of the study.
Interval answer_gain(const routing::Outcomes& fused, const Study& study, const EvaluateOptions& options,
                     std::span<const std::int64_t> groups) {
  Resampler resampler(fused, options.seed, groups);
  std::vector<double> gains;
  for (const double global : study.samples.global_accuracy) {
    const SampleWeights& weights = resampler.next();
    gains.push_back(static_cast<double>(weights.global_right) / static_cast<double>(weights.total) - global);
  }
  return percentile_interval(fused.global_accuracy() - study.outcomes.global_accuracy(), std::move(gains));
}

Result<FusionReport> judge_fusion(const routing::TableView& table, const routing::Fusion& fusion, const Study& study,
                                  const EvaluateOptions& options) {
  HEDGE_TRY(const routing::Outcomes fused, routing::outcomes(table, fusion));
  return FusionReport{.fusion = fusion, .test_gain = answer_gain(fused, study, options, table.row_groups())};
}

/// Nothing for a method with models of its own, whose answers the table does not have.
Result<std::optional<Explorer>> explore(const routing::TableView& table, const Method& method, const EvaluateOptions& options) {
  const bool fused = method.given.kind == MethodKind::kFused;
  const bool known = fused ? options.policy && options.policy->policy.fusion : method.given.kind != MethodKind::kPair;
  if (!known || options.explorer_images == 0) return std::optional<Explorer>();
  const std::vector<float>& scores = method.given.per_seed[0];
  const std::vector<std::int64_t> base = routing::argmax_rows(table.base_logits);
  std::vector<std::int64_t> global = routing::argmax_rows(table.global_logits);
  if (fused) {
    HEDGE_TRY(global, routing::fused_answers(table, *options.policy->policy.fusion));
  }
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  Explorer explorer = {.method = method.given.name, .fused = fused, .images = static_cast<std::int64_t>(scores.size())};
  const std::size_t listed = std::min(scores.size(), options.explorer_images);
  for (std::size_t i = 0; i < listed; ++i) {
    const std::size_t row = order[listed < 2 ? 0 : i * (order.size() - 1) / (listed - 1)];
    explorer.rows.push_back(static_cast<std::int64_t>(row));
    explorer.scores.push_back(scores[row]);
    explorer.labels.push_back(table.labels.data<std::int64_t>()[row]);
    explorer.base.push_back(base[row]);
    explorer.global.push_back(global[row]);
  }
  return std::optional<Explorer>(std::move(explorer));
}

/// Counts and a note; `hybrid_right`: empty where there is no operating point.
void add_copies(const routing::TableView& table, const CopiedRows& copied, const routing::Outcomes& outcomes,
                const std::vector<std::uint8_t>& hybrid_right, EvaluationReport& report) {
  report.copies = judge_copies(copied, outcomes, hybrid_right, table.row_groups());
  const auto said = say_copies(*report.copies, report.images, report.base.accuracy.value);
  if (!said.empty()) report.notes.push_back(said);
}

/// A table without a global: nothing but abstaining can be judged.
Result<EvaluationReport> evaluate_alone(const routing::TableView& table, const std::vector<MethodScores>& methods,
                                        const EvaluateOptions& options) {
  HEDGE_CHECK(check_names(methods));
  const routing::Outcomes outcomes = routing::base_outcomes(table);
  EvaluationReport report;
  describe(table, options, outcomes, report);
  std::vector<MethodScores> all = free_methods(table);
  all.insert(all.end(), methods.begin(), methods.end());
  HEDGE_TRY(report.abstention,
            abstention(abstaining_scores(std::move(all), outcomes), options.resamples, options.seed, table.row_groups()));
  if (options.copied) add_copies(table, *options.copied, outcomes, {}, report);
  report.verdict = verdict(report);
  return report;
}

}  // namespace

void EvaluateOptions::add_splits(const routing::Policy& policy) {
  fitted_hashes.insert(fitted_hashes.end(), {policy.fit_hash, policy.held_out_hash});
  fitted_datasets.insert(fitted_datasets.end(), {policy.fit_dataset, policy.held_out_dataset});
  calibration_hashes.push_back(policy.calibration_hash);
  calibration_datasets.push_back(policy.calibration_dataset);
  if (!policy.fusion) return;
  fitted_hashes.push_back(policy.fusion->fit_hash);
  fitted_datasets.push_back(policy.fusion->fit_dataset);
}

const AreaRow* EvaluationReport::area_of(const std::string& method) const {
  const auto found = std::find_if(areas.begin(), areas.end(), [&](const AreaRow& row) { return row.method == method; });
  return found == areas.end() ? nullptr : &*found;
}

Result<EvaluationReport> evaluate(const routing::TableView& table, const std::vector<MethodScores>& methods,
                                  const EvaluateOptions& options) {
  HEDGE_CHECK(table.validate());
  HEDGE_CHECK(refuse_own_split(table.info, options));
  if (options.copied && (options.copied->in_train.size() != table.size() || options.copied->in_calibration.size() != table.size()))
    return Error{.code = ErrorCode::kMismatch, .what = "the copies are of other images than the table's", .where = table.info.dataset};
  HEDGE_CHECK(check_policy(table.info, options));
  if (!table.has_global()) return evaluate_alone(table, methods, options);
  HEDGE_TRY(const Study study, make_study(table, methods, options));
  const Method* chosen = study.find(options.default_method);
  if (chosen == nullptr)
    return Error{.code = ErrorCode::kNotFound, .what = "the default method is not among the scores", .where = options.default_method};
  EvaluationReport report;
  describe(table, options, study.outcomes, report);
  report.seeds = chosen->given.per_seed.size();
  report.router_macs = chosen->given.router_macs;
  report.global_over_base = difference(study.outcomes.global_accuracy() - study.outcomes.base_accuracy(), study.samples.global_accuracy,
                                       study.samples.base_accuracy);
  report.curve = curve_rows(study, *chosen, table.info);
  report.methods = method_summaries(study, table.info);
  for (std::size_t m = 0; m < study.methods.size(); ++m)
    if (study.methods[m].given.kind == MethodKind::kFused)
      report.methods[m].answer_gain = answer_gain(study.methods[m].given.outcomes[0], study, options, table.row_groups());
  report.areas = area_rows(study);
  report.paired = paired_rows(study);
  if (options.policy) {
    const routing::Policy& policy = options.policy->policy;
    HEDGE_TRY(report.operating_point, operate_in(*options.policy, study, table.row_groups()));
    report.choice = policy.choice;
    if (policy.fusion) {
      HEDGE_TRY(report.fusion, judge_fusion(table, *policy.fusion, study, options));
    }
  }
  HEDGE_TRY(report.per_class, judge_classes(table, study, options));
  HEDGE_TRY(report.abstention, abstention(abstaining_scores(study), options.resamples, options.seed, table.row_groups()));
  HEDGE_TRY(report.explorer, explore(table, *chosen, options));
  if (options.copied) {
    std::vector<std::uint8_t> hybrid;
    if (options.policy) {
      HEDGE_TRY(const Method* method, method_of(*options.policy, study));
      const auto seed = options.policy->seed_index;
      hybrid =
          hybrid_answers(method->given.per_seed[seed], options.policy->policy.chosen.threshold, study.outcomes_of(*method, seed), {}).right;
    }
    add_copies(table, *options.copied, study.outcomes, hybrid, report);
  }
  report.verdict = verdict(report);
  return report;
}

}  // namespace hedge::eval

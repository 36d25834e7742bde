#include "eval/evaluate.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "eval/verdict.h"
#include "routing/splits.h"

namespace hedge::eval {
namespace {

constexpr const char* kEntropy = "entropy";
constexpr const char* kMargin = "margin";
constexpr const char* kUpperBound = "upper_bound";
constexpr int kLowestPercent = 30;
constexpr int kPercentStep = 5;

/// A method, sorted and evaluated: the estimate (mean over its seeds) and its bootstrap samples, a coverage and for the area.
struct Method {
  std::string name;
  std::vector<std::vector<float>> per_seed;
  std::vector<std::vector<double>> accuracy;  ///< [coverage][seed]
  double area = 0;
  FamilySamples samples;
};

struct Study {
  routing::Outcomes outcomes;
  std::vector<double> coverages;
  std::vector<Method> methods;
  BootstrapSamples samples;

  [[nodiscard]] const Method* find(const std::string& name) const {
    const auto found = std::find_if(methods.begin(), methods.end(), [&](const Method& m) { return m.name == name; });
    return found == methods.end() ? nullptr : &*found;
  }
};

Error refused(std::string what, std::string where, std::string hint) {
  return Error{.code = ErrorCode::kMismatch, .what = std::move(what), .where = std::move(where), .hint = std::move(hint)};
}

/// Splits that something was made on.
struct UsedSplits {
  std::vector<std::string> hashes;
  std::vector<std::string> datasets;

  [[nodiscard]] bool hold(const routing::TableInfo& info) const {
    return std::find(hashes.begin(), hashes.end(), info.content_hash) != hashes.end() ||
           std::any_of(datasets.begin(), datasets.end(), [&](const auto& dataset) { return routing::same_or_overlapping(dataset, info.dataset); });
  }
};

/// A score's figures on pictures that made it flatter; so such a table is refused.
Status refuse_own_split(const routing::TableInfo& info, const EvaluateOptions& options) {
  if (info.content_hash.empty())
    return Error{.code = ErrorCode::kBadData, .what = "the table does not say which pictures it is of (no content hash)", .where = info.dataset};
  UsedSplits fitted{.hashes = options.fitted_hashes, .datasets = options.fitted_datasets};
  UsedSplits calibration{.hashes = options.calibration_hashes, .datasets = options.calibration_datasets};
  if (options.policy) {
    const routing::Policy& policy = options.policy->policy;
    fitted.hashes.push_back(policy.fit_hash);
    fitted.datasets.push_back(policy.fit_dataset);
    calibration.hashes.push_back(policy.calibration_hash);
    calibration.datasets.push_back(policy.calibration_dataset);
  }
  if (fitted.hold(info)) return refused("a method was fitted on this table's own split", info.dataset, "evaluate on a split that nothing was fitted on");
  if (calibration.hold(info)) return refused("the threshold was calibrated on this table's own split", info.dataset, "evaluate on the test split");
  return routing::check_unseen(info);
}

Status check_policy(const routing::TableInfo& info, const EvaluateOptions& options) {
  if (!options.policy) return {};
  const routing::Policy& policy = options.policy->policy;
  HEDGE_CHECK(routing::check_models(policy, info, info.dataset));
  if (policy.calibration_size < 1)
    return Error{.code = ErrorCode::kInvalidArgument, .what = "the policy's calibration split has no size", .where = policy.calibration_dataset};
  return {};
}

bool well_formed(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

Status check_names(const std::vector<MethodScores>& methods) {
  std::set<std::string> seen = {kEntropy, kMargin, "max_probability", kUpperBound, "coverage", "macs"};
  for (const MethodScores& method : methods) {
    if (!well_formed(method.name) || !seen.insert(method.name).second)
      return Error{.code = ErrorCode::kInvalidArgument,
                   .what = "a method's name is malformed, reserved or given twice",
                   .where = method.name,
                   .expected = "lower case, digits and \"_\"; the free scores and the upper bound are added by themselves"};
    if (method.per_seed.empty()) return Error{.code = ErrorCode::kBadData, .what = "a method has no scores", .where = method.name};
  }
  return {};
}

/// The given methods, then the free scores, then the upper bound: the order of the report.
std::vector<Method> all_methods(const routing::PredictionTable& table, const std::vector<MethodScores>& given,
                                const routing::Outcomes& outcomes) {
  std::vector<Method> methods;
  for (const MethodScores& method : given) methods.push_back({.name = method.name, .per_seed = method.per_seed});
  for (const auto score : {routing::FreeScore::kEntropy, routing::FreeScore::kMargin, routing::FreeScore::kMaxProbability})
    methods.push_back({.name = routing::to_string(score), .per_seed = {routing::free_score(score, table.base_logits)}});
  methods.push_back({.name = kUpperBound, .per_seed = {routing::oracle_scores(outcomes)}});
  return methods;
}

Result<CurveFamily> measure(Method& method, const Study& study, CoverageRange range) {
  CurveFamily family;
  method.accuracy.resize(study.coverages.size());
  for (const std::vector<float>& scores : method.per_seed) {
    auto curve = SelectiveCurve::make(scores, study.outcomes);
    if (!curve) {
      Error error = std::move(curve).error();
      error.where = method.name + (error.where.empty() ? "" : ", " + error.where);
      return error;
    }
    std::vector<double> accuracy(study.coverages.size());
    method.area += curve->evaluate(unit_weights(study.outcomes), study.coverages, range, accuracy);
    for (std::size_t c = 0; c < accuracy.size(); ++c) method.accuracy[c].push_back(accuracy[c]);
    family.push_back(std::move(*curve));
  }
  method.area /= static_cast<double>(method.per_seed.size());
  return family;
}

Result<Study> make_study(const routing::PredictionTable& table, const std::vector<MethodScores>& given, const EvaluateOptions& options) {
  Study study;
  HEDGE_TRY(study.outcomes, routing::outcomes(table));
  for (int percent = kLowestPercent; percent <= 100; percent += kPercentStep) study.coverages.push_back(percent / 100.0);
  study.methods = all_methods(table, given, study.outcomes);
  const BootstrapOptions bootstrap = {.resamples = options.resamples, .seed = options.seed, .coverages = study.coverages};
  std::vector<CurveFamily> families;
  for (Method& method : study.methods) {
    HEDGE_TRY(CurveFamily family, measure(method, study, bootstrap.range));
    families.push_back(std::move(family));
  }
  HEDGE_TRY(study.samples, paired_bootstrap(families, study.outcomes, bootstrap));
  for (std::size_t m = 0; m < study.methods.size(); ++m) study.methods[m].samples = std::move(study.samples.families[m]);
  return study;
}

Interval difference(double value, const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> samples(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) samples[i] = a[i] - b[i];
  return percentile_interval(value, std::move(samples));
}

CurveRow curve_row(const Study& study, std::size_t at, const Method& chosen, const EvaluationReport& report) {
  CurveRow row;
  row.coverage = study.coverages[at];
  row.macs = static_cast<double>(report.base.macs + report.router_macs) + (1 - row.coverage) * static_cast<double>(report.global.macs);
  for (const Method& method : study.methods)
    row.methods.push_back({.method = method.name,
                           .accuracy = percentile_interval(mean(method.accuracy[at]), method.samples.accuracy[at]),
                           .sd = standard_deviation(method.accuracy[at])});
  const double accuracy = mean(chosen.accuracy[at]);
  row.over_base = difference(accuracy - study.outcomes.base_accuracy(), chosen.samples.accuracy[at], study.samples.base_accuracy);
  row.over_global = difference(accuracy - study.outcomes.global_accuracy(), chosen.samples.accuracy[at], study.samples.global_accuracy);
  return row;
}

/// Resamples in which entropy is the upper bound have no gap to close and are left out.
std::optional<Interval> gap_closed(const Method& method, const Method& entropy, const Method& bound) {
  constexpr double kNoGap = 1e-12;  // far below one picture's weight in any table
  if (bound.area - entropy.area < kNoGap) return std::nullopt;
  std::vector<double> samples;
  for (std::size_t i = 0; i < method.samples.area.size(); ++i) {
    const double gap = bound.samples.area[i] - entropy.samples.area[i];
    if (gap >= kNoGap) samples.push_back(100 * (method.samples.area[i] - entropy.samples.area[i]) / gap);
  }
  if (samples.empty()) return std::nullopt;
  return percentile_interval(100 * (method.area - entropy.area) / (bound.area - entropy.area), std::move(samples));
}

AreaRow area_row(const Study& study, const Method& method) {
  const Method& entropy = *study.find(kEntropy);
  const Method& margin = *study.find(kMargin);
  return {.method = method.name,
          .area = percentile_interval(method.area, method.samples.area),
          .to_entropy = difference(method.area - entropy.area, method.samples.area, entropy.samples.area),
          .to_margin = difference(method.area - margin.area, method.samples.area, margin.samples.area),
          .gap_closed_percent = gap_closed(method, entropy, *study.find(kUpperBound))};
}

Result<OperatingReport> operate(const PolicyUse& use, const Study& study) {
  const Method* method = study.find(use.method);
  if (method == nullptr || use.seed_index >= method->per_seed.size())
    return Error{.code = ErrorCode::kNotFound,
                 .what = "the policy's method or seed is not among the scores",
                 .where = use.method,
                 .got = "seed index " + std::to_string(use.seed_index)};
  const std::vector<float>& scores = method->per_seed[use.seed_index];
  const routing::OperatingPoint& point = use.policy.chosen;
  std::int64_t covered = 0;
  std::int64_t right = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const bool query = scores[i] > point.threshold;
    covered += query ? 0 : 1;
    right += query ? study.outcomes.global_right[i] : study.outcomes.base_right[i];
  }
  const auto total = static_cast<std::int64_t>(scores.size());
  OperatingReport report = {.target_coverage = point.target_coverage, .threshold = point.threshold};
  report.coverage = wilson_interval(covered, total);
  report.accuracy = wilson_interval(right, total);
  report.predicted_coverage = prediction_interval(point.coverage, use.policy.calibration_size, total);
  report.predicted_accuracy = prediction_interval(point.accuracy, use.policy.calibration_size, total);
  report.inside = report.predicted_coverage.contains(report.coverage.value) && report.predicted_accuracy.contains(report.accuracy.value);
  return report;
}

Interval accuracy_interval(const std::vector<std::uint8_t>& right) {
  return wilson_interval(std::accumulate(right.begin(), right.end(), std::int64_t{0}), static_cast<std::int64_t>(right.size()));
}

void describe(const routing::PredictionTable& table, const EvaluateOptions& options, const Study& study, EvaluationReport& report) {
  const routing::TableInfo& info = table.info;
  report.title = options.title;
  report.dataset = info.dataset;
  report.split = info.split;
  report.executor = info.executor;
  report.pictures = static_cast<std::int64_t>(table.size());
  report.classes = info.class_names;
  report.base = {.name = options.base_name,
                 .macs = info.base_macs,
                 .parameters = info.base_parameters,
                 .accuracy = accuracy_interval(study.outcomes.base_right)};
  report.global = {.name = options.global_name,
                   .macs = info.global_macs,
                   .parameters = info.global_parameters,
                   .accuracy = accuracy_interval(study.outcomes.global_right)};
  report.router_name = options.router_name;
  report.router_macs = options.router_macs;
  report.default_method = options.default_method;
  const auto labels = table.labels.data<std::int64_t>();
  report.base_reliability = reliability(table.base_logits, labels);
  report.global_reliability = reliability(table.global_logits, labels);
  report.notes = options.notes;
  if (options.policy && options.policy->policy.executor != info.executor)
    report.notes.push_back("The threshold was calibrated with " + options.policy->policy.executor + ", this table predicted with " +
                           info.executor + ": scores may move across the threshold.");
}

}  // namespace

const AreaRow* EvaluationReport::area_of(const std::string& method) const {
  const auto found = std::find_if(areas.begin(), areas.end(), [&](const AreaRow& row) { return row.method == method; });
  return found == areas.end() ? nullptr : &*found;
}

Result<EvaluationReport> evaluate(const routing::PredictionTable& table, const std::vector<MethodScores>& methods,
                                  const EvaluateOptions& options) {
  HEDGE_CHECK(table.validate());
  HEDGE_CHECK(refuse_own_split(table.info, options));
  HEDGE_CHECK(check_policy(table.info, options));
  HEDGE_CHECK(check_names(methods));
  HEDGE_TRY(const Study study, make_study(table, methods, options));
  const Method* chosen = study.find(options.default_method);
  if (chosen == nullptr)
    return Error{.code = ErrorCode::kNotFound, .what = "the default method is not among the scores", .where = options.default_method};
  EvaluationReport report;
  describe(table, options, study, report);
  report.seeds = chosen->per_seed.size();
  report.global_over_base = difference(study.outcomes.global_accuracy() - study.outcomes.base_accuracy(), study.samples.global_accuracy,
                                       study.samples.base_accuracy);
  for (std::size_t c = 0; c < study.coverages.size(); ++c) report.curve.push_back(curve_row(study, c, *chosen, report));
  for (const Method& method : study.methods) report.areas.push_back(area_row(study, method));
  if (options.policy) {
    HEDGE_TRY(report.operating_point, operate(*options.policy, study));
  }
  report.verdict = verdict(report);
  return report;
}

}  // namespace hedge::eval

#include "eval/internal/study.h"

#include <algorithm>
#include <set>

namespace hedge::eval {
namespace {

constexpr int kLowestPercent = 30;
constexpr int kPercentStep = 5;

bool well_formed(const std::string& name) {
  return !name.empty() &&
         std::all_of(name.begin(), name.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

Status check_outcomes(const MethodScores& method, std::size_t rows) {
  const bool counted = method.outcomes.size() <= 1 || method.outcomes.size() == method.per_seed.size();
  const bool sized = std::all_of(method.outcomes.begin(), method.outcomes.end(),
                                 [&](const routing::Outcomes& o) { return o.base_right.size() == rows && o.global_right.size() == rows; });
  if (counted && sized) return {};
  return Error{.code = ErrorCode::kMismatch, .what = "a method's own answers are of other images or seeds", .where = method.name};
}

std::vector<Method> all_methods(const routing::TableView& table, const std::vector<MethodScores>& given,
                                const routing::Outcomes& outcomes) {
  std::vector<Method> methods;
  for (const MethodScores& method : given) methods.push_back({.given = method});
  for (MethodScores& method : free_methods(table)) methods.push_back({.given = std::move(method)});
  methods.push_back(
      {.given = {
           .name = kUpperBound, .per_seed = {routing::oracle_scores(outcomes)}, .kind = MethodKind::kUpperBound, .router = "oracle"}});
  return methods;
}

Result<CurveFamily> measure(Method& method, const Study& study, CoverageRange range) {
  HEDGE_CHECK(check_outcomes(method.given, study.outcomes.size()));
  CurveFamily family;
  method.accuracy.resize(study.coverages.size());
  method.ends = {0, 0};
  const auto seeds = static_cast<double>(method.given.per_seed.size());
  for (std::size_t s = 0; s < method.given.per_seed.size(); ++s) {
    const routing::Outcomes& outcomes = study.outcomes_of(method, s);
    auto curve = SelectiveCurve::make(method.given.per_seed[s], outcomes);
    if (!curve) {
      Error error = std::move(curve).error();
      error.where = method.given.name + (error.where.empty() ? "" : ", " + error.where);
      return error;
    }
    std::vector<double> accuracy(study.coverages.size());
    method.seed_areas.push_back(curve->evaluate(unit_weights(outcomes), study.coverages, range, accuracy));
    method.area += method.seed_areas.back() / seeds;
    for (std::size_t c = 0; c < accuracy.size(); ++c) method.accuracy[c].push_back(accuracy[c]);
    method.ends[0] += outcomes.global_accuracy() / seeds;
    method.ends[1] += outcomes.base_accuracy() / seeds;
    family.push_back(std::move(*curve));
  }
  return family;
}

double macs_at(const Method& method, double coverage, const routing::TableInfo& info) {
  const auto base = static_cast<double>(method.given.base_macs.value_or(info.base_macs));
  const auto global = static_cast<double>(method.given.global_macs.value_or(info.global_macs));
  return base + static_cast<double>(method.given.router_macs) + (1 - coverage) * global;
}

/// Resamples in which entropy is the upper bound have no gap to close and are left out.
std::optional<Interval> gap_closed(const Method& method, const Method& entropy, const Method& bound) {
  constexpr double kNoGap = 1e-12;  // far below one image's weight in any table
  if (bound.area - entropy.area < kNoGap) return std::nullopt;
  std::vector<double> samples;
  for (std::size_t i = 0; i < method.samples.area.size(); ++i) {
    const double gap = bound.samples.area[i] - entropy.samples.area[i];
    if (gap >= kNoGap) samples.push_back(100 * (method.samples.area[i] - entropy.samples.area[i]) / gap);
  }
  if (samples.empty()) return std::nullopt;
  return percentile_interval(100 * (method.area - entropy.area) / (bound.area - entropy.area), std::move(samples));
}

/// Standard deviation over the router seeds of the percent of the gap that each closes; 0 where there is no gap.
double gap_closed_sd(const Method& method, const Method& entropy, const Method& bound) {
  const double gap = bound.area - entropy.area;
  return gap > 0 ? 100 * standard_deviation(method.seed_areas) / gap : 0;
}

std::size_t index_of(const Study& study, double coverage) {
  return static_cast<std::size_t>(std::lower_bound(study.coverages.begin(), study.coverages.end(), coverage - 1e-9) -
                                  study.coverages.begin());
}

}  // namespace

const Method* Study::find(const std::string& name) const {
  const auto found = std::find_if(methods.begin(), methods.end(), [&](const Method& m) { return m.given.name == name; });
  return found == methods.end() ? nullptr : &*found;
}

const routing::Outcomes& Study::outcomes_of(const Method& method, std::size_t seed) const {
  if (method.given.outcomes.empty()) return outcomes;
  return method.given.outcomes[method.given.outcomes.size() == 1 ? 0 : seed];
}

std::vector<MethodScores> free_methods(const routing::TableView& table) {
  std::vector<MethodScores> methods;
  for (const routing::FreeScore score : routing::kFreeScores)
    methods.push_back({.name = routing::to_string(score),
                       .per_seed = {routing::free_score(score, table.base_logits)},
                       .kind = MethodKind::kFreeScore,
                       .router = routing::to_string(score)});
  return methods;
}

Status check_names(const std::vector<MethodScores>& methods) {
  std::set<std::string> seen = {kUpperBound, "coverage", "macs"};
  for (const routing::FreeScore score : routing::kFreeScores) seen.insert(routing::to_string(score));
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

Result<Study> make_study(const routing::TableView& table, const std::vector<MethodScores>& given, const EvaluateOptions& options) {
  HEDGE_CHECK(check_names(given));
  Study study;
  HEDGE_TRY(study.outcomes, routing::outcomes(table));
  for (int percent = kLowestPercent; percent <= 100; percent += kPercentStep) study.coverages.push_back(percent / 100.0);
  study.methods = all_methods(table, given, study.outcomes);
  for (Method& method : study.methods)
    if (method.given.name == options.default_method && method.given.router_macs == 0) method.given.router_macs = options.router_macs;
  const BootstrapOptions bootstrap = {
      .resamples = options.resamples, .seed = options.seed, .coverages = study.coverages, .groups = table.row_groups()};
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

std::vector<CurveRow> curve_rows(const Study& study, const Method& chosen, const routing::TableInfo& info) {
  std::vector<CurveRow> rows;
  for (std::size_t at = 0; at < study.coverages.size(); ++at) {
    CurveRow row;
    row.coverage = study.coverages[at];
    row.macs = macs_at(chosen, row.coverage, info);
    for (const Method& method : study.methods)
      row.methods.push_back({.method = method.given.name,
                             .accuracy = percentile_interval(mean(method.accuracy[at]), method.samples.accuracy[at]),
                             .sd = standard_deviation(method.accuracy[at]),
                             .macs = macs_at(method, row.coverage, info)});
    const double accuracy = mean(chosen.accuracy[at]);
    row.over_base = difference(accuracy - study.outcomes.base_accuracy(), chosen.samples.accuracy[at], study.samples.base_accuracy);
    row.over_global = difference(accuracy - study.outcomes.global_accuracy(), chosen.samples.accuracy[at], study.samples.global_accuracy);
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<MethodSummary> method_summaries(const Study& study, const routing::TableInfo& info) {
  std::vector<MethodSummary> rows;
  for (const Method& method : study.methods)
    rows.push_back({.name = method.given.name,
                    .kind = method.given.kind,
                    .router = method.given.router,
                    .protocol = method.given.protocol,
                    .seeds = method.given.per_seed.size(),
                    .router_macs = method.given.router_macs,
                    .base_macs = method.given.base_macs.value_or(info.base_macs),
                    .global_macs = method.given.global_macs.value_or(info.global_macs),
                    .base_accuracy = method.ends[1],
                    .global_accuracy = method.ends[0]});
  return rows;
}

std::vector<AreaRow> area_rows(const Study& study) {
  const Method& entropy = *study.find("entropy");
  const Method& margin = *study.find("margin");
  std::vector<AreaRow> rows;
  for (const Method& method : study.methods)
    rows.push_back({.method = method.given.name,
                    .area = percentile_interval(method.area, method.samples.area),
                    .to_entropy = difference(method.area - entropy.area, method.samples.area, entropy.samples.area),
                    .to_margin = difference(method.area - margin.area, method.samples.area, margin.samples.area),
                    .gap_closed_percent = gap_closed(method, entropy, *study.find(kUpperBound)),
                    .gap_closed_sd = gap_closed_sd(method, entropy, *study.find(kUpperBound))});
  return rows;
}

std::vector<PairedRow> paired_rows(const Study& study) {
  std::vector<PairedRow> rows;
  for (std::size_t i = 0; i < study.methods.size(); ++i) {
    for (std::size_t j = i + 1; j < study.methods.size(); ++j) {
      const Method& a = study.methods[i];
      const Method& b = study.methods[j];
      if (b.given.kind == MethodKind::kUpperBound) continue;
      PairedRow row = {.a = a.given.name, .b = b.given.name, .area = difference(a.area - b.area, a.samples.area, b.samples.area), .at = {}};
      for (const double coverage : kPairedCoverages) {
        const std::size_t at = index_of(study, coverage);
        row.at.push_back(difference(mean(a.accuracy[at]) - mean(b.accuracy[at]), a.samples.accuracy[at], b.samples.accuracy[at]));
      }
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

}  // namespace hedge::eval

#pragma once

#include <string>
#include <vector>

#include "eval/evaluate.h"

namespace hedge::eval {

/// A method, sorted and evaluated: the estimate (mean over its seeds) and its bootstrap samples, a coverage and for the area.
struct Method {
  MethodScores given;
  std::vector<std::vector<double>> accuracy;  ///< [coverage][seed]
  std::vector<double> ends;                   ///< accuracy at coverage 0, mean over the seeds; and at coverage 1
  double area = 0;                            ///< mean over the seeds
  std::vector<double> seed_areas;             ///< [seed]
  FamilySamples samples;
};

/// All methods on one table, on the same resampled images.
struct Study {
  routing::Outcomes outcomes;     ///< the table's
  std::vector<double> coverages;  ///< 0.30, 0.35 … 1.00
  std::vector<Method> methods;    ///< the given ones, then the free scores, then the upper bound: the report's order
  BootstrapSamples samples;

  /// nullptr where there is no such method.
  [[nodiscard]] const Method* find(const std::string& name) const;
  [[nodiscard]] const routing::Outcomes& outcomes_of(const Method& method, std::size_t seed) const;
};

inline constexpr const char* kUpperBound = "upper_bound";

/// The free scores of the table's rows.
std::vector<MethodScores> free_methods(const routing::TableView& table);
/// Errors: kInvalidArgument (a method's name, resamples), kBadData, kMismatch (scores). Precondition: the table has a global.
Result<Study> make_study(const routing::TableView& table, const std::vector<MethodScores>& given, const EvaluateOptions& options);
/// Errors: kInvalidArgument, kBadData (a method without scores).
Status check_names(const std::vector<MethodScores>& methods);

/// value with the interval of the paired samples' differences.
Interval difference(double value, const std::vector<double>& a, const std::vector<double>& b);

std::vector<CurveRow> curve_rows(const Study& study, const Method& chosen, const routing::TableInfo& info);
std::vector<MethodSummary> method_summaries(const Study& study, const routing::TableInfo& info);
std::vector<AreaRow> area_rows(const Study& study);
std::vector<PairedRow> paired_rows(const Study& study);

}  // namespace hedge::eval

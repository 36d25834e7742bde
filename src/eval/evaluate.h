#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "eval/bootstrap.h"
#include "eval/reliability.h"
#include "eval/statistics.h"
#include "routing/policy.h"
#include "routing/prediction_table.h"

namespace hedge::eval {

/// A method's scores on the table's rows, one vector a router seed.
struct MethodScores {
  std::string name;  ///< lower case, digits and "_"; "hybrid" is the default router, "poster_router" the poster's
  std::vector<std::vector<float>> per_seed;
};

/// The policy that a report's operating point shows.
struct PolicyUse {
  routing::Policy policy;
  std::string method = "hybrid";  ///< whose scores the threshold cuts: a given method's or a free score's
  std::size_t seed_index = 0;     ///< which of its score vectors
};

struct EvaluateOptions {
  std::string title = "Hedge";
  std::string base_name = "base";
  std::string global_name = "global";
  std::string router_name = "gain";
  std::string default_method = "hybrid";  ///< whom the areas, the MACs and the verdict are about
  std::int64_t router_macs = 0;           ///< a picture; of the default method
  /// Content hashes and specifications of the splits that any method was fitted or calibrated on; an empty one is passed over. The
  /// policy's own are added to them; what the models were trained on stands in the table.
  std::vector<std::string> fitted_hashes;
  std::vector<std::string> fitted_datasets;
  std::vector<std::string> calibration_hashes;
  std::vector<std::string> calibration_datasets;
  std::optional<PolicyUse> policy;
  int resamples = 1000;
  std::uint64_t seed = 1;
  std::vector<std::string> notes;  ///< said in the report as they are, e.g. that a data set's JPEGs are lossy
};

struct ModelSummary {
  std::string name;
  std::int64_t macs = 0;
  std::int64_t parameters = 0;
  Interval accuracy;  ///< Wilson
};

/// A method at one coverage. `sd`: standard deviation over the router seeds.
struct MethodPoint {
  std::string method;
  Interval accuracy;
  double sd = 0;
};

struct CurveRow {
  double coverage = 0;
  double macs = 0;  ///< a picture, on average: base + router + (1 - coverage) * global
  std::vector<MethodPoint> methods;
  Interval over_base;    ///< the default method's accuracy less the base's, paired
  Interval over_global;  ///< the default method's accuracy less the global's, paired
};

/// Mean accuracy over coverage 0.3..1, and what it is worth against the free scores; all differences are paired.
struct AreaRow {
  std::string method;
  Interval area;
  Interval to_entropy;
  Interval to_margin;
  /// Percent of the way from entropy's area to the upper bound's. Nothing where entropy is the upper bound already.
  std::optional<Interval> gap_closed_percent;
};

/// The policy's threshold, applied to this table.
struct OperatingReport {
  double target_coverage = 0;
  float threshold = 0;
  Interval coverage;            ///< Wilson
  Interval accuracy;            ///< Wilson
  Interval predicted_coverage;  ///< from the calibration split alone (prediction_interval)
  Interval predicted_accuracy;
  bool inside = false;          ///< both measured values lie in the predicted intervals
};

/// Everything that is said of a hybrid on one split (docs/formats/report_json.md).
struct EvaluationReport {
  std::string title, dataset, split, executor;
  std::int64_t pictures = 0;
  std::vector<std::string> classes;
  ModelSummary base, global;
  std::string router_name;
  std::int64_t router_macs = 0;
  std::string default_method;
  std::size_t seeds = 0;  ///< of the default method
  Interval global_over_base;
  std::vector<CurveRow> curve;  ///< ascending coverage
  std::vector<AreaRow> areas;
  std::optional<OperatingReport> operating_point;
  Reliability base_reliability, global_reliability;
  std::vector<std::string> notes;
  std::string verdict;

  /// nullptr where there is no such method.
  [[nodiscard]] const AreaRow* area_of(const std::string& method) const;
};

/// Evaluates methods on a table: the free scores and the upper bound are added by itself, at coverages 0.30, 0.35 … 1.00.
/// Errors: those of PredictionTable::validate; kMismatch: the table's split was trained, fitted or calibrated on - the same pictures, or
/// the same split whatever its limit (routing::same_or_overlapping) -, there is no global, the policy is of other models or features, a score vector has another length; kBadData: a score that is not finite, a method without scores, a table without
/// a content hash; kInvalidArgument: a name that is malformed, reserved or given twice; resamples < 100; kNotFound: the default or the
/// policy's method is not there.
Result<EvaluationReport> evaluate(const routing::PredictionTable& table, const std::vector<MethodScores>& methods,
                                  const EvaluateOptions& options = {});

}  // namespace hedge::eval

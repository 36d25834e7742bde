#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "eval/abstention.h"
#include "eval/answer_counts.h"
#include "eval/baselines.h"
#include "eval/bootstrap.h"
#include "eval/copies.h"
#include "eval/gallery.h"
#include "eval/operate.h"
#include "eval/per_class.h"
#include "eval/reliability.h"
#include "eval/statistics.h"
#include "hedge/policy.h"
#include "hedge/result.h"
#include "routing/table_view.h"

namespace hedge::eval {

/// What a method is. The values appear in files as text.
enum class MethodKind {
  kRouter,      ///< fitted, or a free score with a policy
  kFused,       ///< a router whose queries are answered by both models' logits
  kPair,        ///< a router or score on other models' predictions of the same images
  kFreeScore,   ///< added by itself
  kUpperBound,  ///< added by itself
};
const char* to_string(MethodKind kind);
/// Errors: kInvalidArgument, with the names there are.
Result<MethodKind> method_kind(const std::string& name);

/// A method's scores on the table's rows, one vector a router seed.
struct MethodScores {
  std::string name;  ///< lower case, digits and "_"; "hybrid" is the default router, "selective_query" the paper's
  std::vector<std::vector<float>> per_seed;
  MethodKind kind = MethodKind::kRouter;
  std::string router = {};    ///< what the router is: "gain", "margin", …
  std::string protocol = {};  ///< how its data were made
  std::int64_t router_macs = 0;
  /// Its own answers to the table's images, one for all seeds or one a seed; empty: the table's base and global.
  std::vector<routing::Outcomes> outcomes = {};
  std::optional<std::int64_t> base_macs = {}, global_macs = {};  ///< of its own models; nothing: the table's
};

/// "<name>_fused", or the name itself where it ends so already.
std::string fused_name(const std::string& name);
/// `method` under its fused_name, its queries answered as `fusion` says. Errors: those of routing::outcomes.
Result<MethodScores> with_fusion(const MethodScores& method, const routing::TableView& table, const routing::Fusion& fusion);
/// `method` with the answers and MACs of `pair`: other models' predictions of the same images. Errors: kMismatch (other images, no
/// global).
Result<MethodScores> with_models(MethodScores method, const routing::TableView& table, const routing::TableView& pair);

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
  std::int64_t router_macs = 0;           ///< an image; of the default method
  /// Content hashes and specifications of the splits that any method was fitted or calibrated on; an empty one is passed over. The
  /// policy's own are added to them; what the models were trained on stands in the table.
  std::vector<std::string> fitted_hashes;
  std::vector<std::string> fitted_datasets;
  std::vector<std::string> calibration_hashes;
  std::vector<std::string> calibration_datasets;
  /// Adds the splits that a policy's router, threshold and fusion were learned, chosen and calibrated on.
  void add_splits(const routing::Policy& policy);
  std::optional<PolicyUse> policy;
  std::size_t explorer_images = 20000;  ///< at most so many are listed one by one; 0: none
  int resamples = 1000;
  std::uint64_t seed = 1;
  std::vector<std::string> notes;    ///< said in the report as they are, e.g. that a data set's JPEGs are lossy
  std::optional<CopiedRows> copied;  ///< the table's rows that stand in other splits too; nothing: not known
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
  double macs = 0;  ///< an image, on average: base + router + (1 - coverage) * global, of its own models
};

/// A method as a whole.
struct MethodSummary {
  std::string name;
  MethodKind kind = MethodKind::kRouter;
  std::string router, protocol;
  std::size_t seeds = 0;
  std::int64_t router_macs = 0, base_macs = 0, global_macs = 0;
  double base_accuracy = 0, global_accuracy = 0;  ///< its two ends, mean over the seeds: coverage 1 and coverage 0
  std::optional<Interval> answer_gain;            ///< of fused answers: their accuracy less the global's, paired
};

struct CurveRow {
  double coverage = 0;
  double macs = 0;  ///< the default method's
  std::vector<MethodPoint> methods;
  /// The default method's accuracy less the base's and the global's, paired. Not in a report's file: nothing where one was read.
  std::optional<Interval> over_base, over_global;
};

/// Mean accuracy over coverage 0.3..1, and what it is worth against the free scores; all differences are paired.
struct AreaRow {
  std::string method;
  Interval area;
  Interval to_entropy;
  Interval to_margin;
  /// Percent of the way from entropy's area to the upper bound's. Nothing where entropy is the upper bound already.
  std::optional<Interval> gap_closed_percent;
  double gap_closed_sd = 0;  ///< of that percentage over the router seeds
};

/// Method a's accuracy less method b's, on the same resampled images.
struct PairedRow {
  std::string a, b;
  Interval area;
  std::vector<Interval> at;  ///< at kPairedCoverages
};
inline constexpr std::array kPairedCoverages = {0.5, 0.7, 0.8, 0.9, 0.95};

/// How queries are answered, with what that brings on this table.
struct FusionReport {
  routing::Fusion fusion;
  Interval test_gain;  ///< accuracy of the fused answer less the global's, paired
};

/// The default method's images one by one, in ascending score.
struct Explorer {
  std::string method;
  bool fused = false;
  std::int64_t images = 0;                               ///< of the table; fewer may be listed
  std::vector<std::int64_t> rows, labels, base, global;  ///< row of the table; classes
  std::vector<float> scores;
};

/// Everything that is said of a hybrid on one split (docs/formats/report_json.md).
struct EvaluationReport {
  std::string title, dataset, split, executor;
  std::int64_t images = 0;
  std::vector<std::string> classes;
  ModelSummary base, global;
  bool has_global = true;  ///< false: abstaining only; then nothing below but abstention, reliability, notes and verdict is filled
  std::string router_name;
  std::int64_t router_macs = 0;
  std::string default_method;
  std::size_t seeds = 0;                     ///< of the default method
  std::optional<Interval> global_over_base;  ///< not in a report's file: nothing where one was read
  std::vector<CurveRow> curve;               ///< ascending coverage
  std::vector<MethodSummary> methods;
  std::vector<AreaRow> areas;
  std::vector<PairedRow> paired;
  Abstention abstention;
  std::optional<PerClass> per_class;
  std::optional<FusionReport> fusion;           ///< the policy's
  std::optional<routing::RouterChoice> choice;  ///< the policy's
  std::optional<Explorer> explorer;
  std::optional<OperatingReport> operating_point;
  Reliability base_reliability, global_reliability;
  std::optional<Baselines> baselines;  ///< of the same images; put in by the caller
  std::optional<Gallery> gallery;      ///< put in by the caller
  std::vector<std::string> notes;
  std::string verdict;
  std::int64_t groups = 0;              ///< of images that depend on each other; 0: they are independent
  std::optional<AnswerCounts> answers;  ///< nothing where an older report was read
  std::optional<CopyReport> copies;     ///< nothing where it is not known
  std::optional<routing::Price> price;  ///< of a query; nothing where the table does not know it

  /// nullptr where there is no such method.
  [[nodiscard]] const AreaRow* area_of(const std::string& method) const;
};

/// Evaluates methods on a table: the free scores and the upper bound are added by itself, at coverages 0.30, 0.35 … 1.00. A table without a
/// global is judged for abstaining alone. Errors: those of PredictionTable::validate; kMismatch: the table's split was trained, fitted or
/// calibrated on - the same images, or the same split whatever its limit (routing::same_or_overlapping) -, the policy is of other models
/// or features, a score vector has another length; kBadData: a score that is not finite, a method without scores, a table without a content
/// hash; kInvalidArgument: a name that is malformed, reserved or given twice; resamples < 100; kNotFound: the default or the policy's
/// method is not there.
Result<EvaluationReport> evaluate(const routing::TableView& table, const std::vector<MethodScores>& methods,
                                  const EvaluateOptions& options = {});

}  // namespace hedge::eval

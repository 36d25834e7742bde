#include "workflow/shift.h"

#include <algorithm>

#include "data/spec.h"
#include "routing/splits.h"
#include "workflow/internal/grouped_promise.h"
#include "workflow/predict.h"
#include "workflow/routers.h"

namespace hedge::workflow {
namespace {

struct Method {
  std::string name;
  FittedFolder fitted;
};

Result<std::vector<Method>> read_methods(const std::vector<MethodSource>& sources) {
  std::vector<Method> methods;
  for (const auto& source : sources) {
    Method method{.name = source.name, .fitted = {}};
    HEDGE_TRY(method.fitted, read_fitted(source.router));
    const auto& fusion = method.fitted.policy.fusion;
    if (fusion && fusion->adopted && !method.name.ends_with("_fused")) method.name += "_fused";
    methods.push_back(std::move(method));
  }
  return methods;
}

Standing standing_of(const eval::OperatingReport& report) {
  const auto& promise = report.promise->promise;
  const bool risk = promise.kind == routing::PromiseKind::kRisk;
  const auto& interval = risk                                              ? report.risk_on_covered
                         : promise.kind == routing::PromiseKind::kCoverage ? report.coverage
                                                                           : report.accuracy;
  if (report.promise->kept) return Standing::kKept;
  return (risk ? interval.low > promise.target : interval.high < promise.target) ? Standing::kBroken : Standing::kMissed;
}

/// What of a table one method looks at.
struct Judged {
  std::vector<float> scores;
  routing::Outcomes outcomes;
};

Result<Judged> judge_rows(const Method& method, const routing::PredictionTable& table) {
  const auto& policy = method.fitted.policy;
  HEDGE_CHECK(routing::check_models(policy, table.info, method.name));
  Judged judged;
  HEDGE_TRY(judged.scores, score_table(method.fitted.router, table));
  const bool fused = policy.fusion && policy.fusion->adopted;
  HEDGE_TRY(judged.outcomes, fused ? routing::outcomes(table, *policy.fusion) : routing::outcomes(table));
  return judged;
}

/// The accuracy where `coverage` of these images stay, in the order of `scores`.
Result<double> accuracy_at(double coverage, std::span<const float> scores, const routing::Outcomes& outcomes) {
  HEDGE_TRY(const auto point, routing::threshold_for_coverage(scores, outcomes, coverage));
  return point.accuracy;
}

/// The policy with a threshold for its target from other images.
Result<routing::Policy> recalibrate(const Method& method, const routing::PredictionTable& table) {
  HEDGE_TRY(const auto judged, judge_rows(method, table));
  auto policy = method.fitted.policy;
  policy.calibration_size = static_cast<std::int64_t>(table.size());
  policy.calibration_groups = routing::count_groups(routing::TableView(table).row_groups());
  if (policy.promise) {
    const auto promise = policy.promise->promise;
    HEDGE_CHECK(internal::keep_promise(policy, judged.scores, judged.outcomes, routing::TableView(table).row_groups(), promise));
    return policy;
  }
  HEDGE_TRY(policy.chosen, routing::threshold_for_coverage(judged.scores, judged.outcomes, policy.chosen.coverage));
  return policy;
}

Result<ShiftedMethod> shifted(const Method& method, const routing::PredictionTable& test, const routing::PredictionTable* calibration) {
  const auto& policy = method.fitted.policy;
  HEDGE_TRY(const auto judged, judge_rows(method, test));
  const auto groups = routing::TableView(test).row_groups();
  ShiftedMethod row{.name = method.name, .unchanged = eval::operate(policy, judged.scores, judged.outcomes, groups)};
  row.unchanged.method = method.name;
  if (policy.promise) row.standing = standing_of(row.unchanged);
  HEDGE_TRY(row.at_same_coverage, accuracy_at(policy.chosen.coverage, judged.scores, judged.outcomes));
  const auto margin = routing::free_score(routing::FreeScore::kMargin, test.base_logits);
  HEDGE_TRY(row.margin_at_same_coverage, accuracy_at(policy.chosen.coverage, margin, judged.outcomes));
  if (calibration == nullptr) return row;
  const auto anew = recalibrate(method, *calibration);
  if (!anew && anew.error().code != ErrorCode::kUnreachable) return anew.error();
  if (!anew) {
    row.not_recalibrated = anew.error().what;
    return row;
  }
  row.recalibrated = eval::operate(*anew, judged.scores, judged.outcomes, groups);
  row.recalibrated->method = method.name;
  if (policy.promise) row.recalibrated_standing = standing_of(*row.recalibrated);
  return row;
}

/// `split` of the data set, corrupted, at most `limit` images of it.
Result<routing::PredictionTable> predict_split(const ShiftOptions& options, data::Split split, const ShiftRow& row, std::size_t limit,
                                               const RunContext& context) {
  HEDGE_TRY(auto spec, data::parse_spec(options.data));
  spec.split = split;
  spec.corrupt = row.corruption;
  if (limit > 0) spec.limit = std::min(limit, spec.limit.value_or(limit));
  const PredictOptions predicting{.data = data::to_string(spec), .pair = options.pair};
  auto quiet = context;
  quiet.log = {};  // what is odd of the files was said of the images as they are
  HEDGE_TRY(auto predicted, row.corruption ? predict_unchecked(predicting, quiet) : predict(predicting, context));
  return std::move(predicted.table);
}

/// The test images, as far as none of the methods has seen them.
Status check_unseen(const std::vector<Method>& methods, const routing::TableInfo& test) {
  HEDGE_CHECK(routing::check_unseen(test));
  for (const auto& method : methods) {
    const auto& policy = method.fitted.policy;
    for (const auto& dataset : {policy.fit_dataset, policy.held_out_dataset, policy.calibration_dataset})
      if (routing::same_or_overlapping(dataset, test.dataset))
        return Error{.code = ErrorCode::kMismatch,
                     .what = "a policy was made on images of the test split",
                     .where = method.name,
                     .got = dataset,
                     .expected = "other images than " + test.dataset};
  }
  return {};
}

std::vector<std::optional<data::Corruption>> rows_of(const ShiftOptions& options) {
  std::vector<std::optional<data::Corruption>> rows = {std::nullopt};
  rows.insert(rows.end(), options.corruptions.begin(), options.corruptions.end());
  if (!options.corruptions.empty()) return rows;
  for (const auto kind : data::kCorruptions)
    for (int strength = 1; strength <= data::kStrengths; ++strength) rows.emplace_back(data::Corruption{kind, strength});
  return rows;
}

Json to_json(const eval::Interval& interval) { return {{"value", interval.value}, {"low", interval.low}, {"high", interval.high}}; }

Json to_json(const eval::OperatingReport& report, const std::optional<Standing>& standing) {
  Json json = {{"threshold", static_cast<double>(report.threshold)},
               {"coverage", to_json(report.coverage)},
               {"accuracy", to_json(report.accuracy)},
               {"risk_on_covered", to_json(report.risk_on_covered)}};
  if (standing) json["promise"] = to_string(*standing);
  return json;
}

}  // namespace

const char* to_string(Standing standing) {
  switch (standing) {
    case Standing::kKept: return "kept";
    case Standing::kMissed: return "missed";
    case Standing::kBroken: return "broken";
  }
  return "unknown";
}

Status ShiftOptions::validate() const {
  const auto bad = [&](const char* what, const char* expected) {
    return Error{.code = ErrorCode::kInvalidArgument, .what = what, .where = data, .expected = expected};
  };
  HEDGE_TRY(const auto spec, data::parse_spec(data));
  if (spec.split != data::Split::kAll) return bad("the splits are taken here", "a data set without ?split=");
  if (spec.corrupt) return bad("the corruptions are made here", "a data set without corrupt=");
  if (methods.empty()) return bad("there is no policy to judge", "a folder that \"hedge fit\" wrote");
  if (pair.global.path.empty()) return bad("a hybrid needs two models", "a base and a global");
  return {};
}

Result<ShiftReport> measure_shift(const ShiftOptions& options, const RunContext& context) {
  HEDGE_CHECK(options.validate());
  HEDGE_TRY(const auto methods, read_methods(options.methods));
  ShiftReport report{.data = options.data, .recalibration = options.recalibrate};
  for (const auto& method : methods) report.policies.push_back(method.fitted.policy);
  for (const auto& corruption : rows_of(options)) {
    ShiftRow row{.corruption = corruption};
    HEDGE_TRY(const auto test, predict_split(options, data::Split::kTest, row, 0, context));
    if (!corruption) HEDGE_CHECK(check_unseen(methods, test.info));
    std::optional<routing::PredictionTable> calibration;
    if (options.recalibrate > 0) {
      HEDGE_TRY(calibration, predict_split(options, data::Split::kCalibration, row, options.recalibrate, context));
    }
    HEDGE_TRY(const auto outcomes, routing::outcomes(test));
    const auto groups = routing::TableView(test).row_groups();
    row.base = eval::share_interval(outcomes.base_right, groups);
    row.global = eval::share_interval(outcomes.global_right, groups);
    for (const auto& method : methods) {
      HEDGE_TRY(auto one, shifted(method, test, calibration ? &*calibration : nullptr));
      row.methods.push_back(std::move(one));
    }
    report.images = test.size();
    report.rows.push_back(std::move(row));
  }
  return report;
}

Json to_json(const ShiftReport& report) {
  Json json = {{"schema", 1}, {"data", report.data}, {"images", report.images}, {"recalibration_images", report.recalibration}};
  for (std::size_t m = 0; m < report.policies.size(); ++m) {
    const auto& policy = report.policies[m];
    Json method = {{"name", report.rows.front().methods[m].name}, {"router", policy.router},
                   {"calibration", policy.calibration_dataset},   {"calibration_images", policy.calibration_size},
                   {"coverage", policy.chosen.coverage},          {"accuracy", policy.chosen.accuracy}};
    if (policy.promise) {
      method["promise"] = policy.promise->promise.to_string();
      method["delta"] = policy.promise->promise.delta;
    }
    json["methods"].push_back(std::move(method));
  }
  for (const auto& row : report.rows) {
    Json line = {{"corruption", row.corruption ? Json(data::to_string(*row.corruption)) : Json()},
                 {"base", to_json(row.base)},
                 {"global", to_json(row.global)}};
    for (const auto& method : row.methods) {
      Json one = {{"name", method.name},
                  {"unchanged", to_json(method.unchanged, method.standing)},
                  {"accuracy_at_same_coverage", method.at_same_coverage},
                  {"margin_at_same_coverage", method.margin_at_same_coverage}};
      if (method.recalibrated) one["recalibrated"] = to_json(*method.recalibrated, method.recalibrated_standing);
      if (!method.not_recalibrated.empty()) one["not_recalibrated"] = method.not_recalibrated;
      line["methods"].push_back(std::move(one));
    }
    json["rows"].push_back(std::move(line));
  }
  return json;
}

}  // namespace hedge::workflow

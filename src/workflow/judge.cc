// The promised form of evaluate(): an evaluation in brief.
#include <algorithm>

#include "workflow/evaluate.h"

namespace hedge::workflow {
namespace {

routing::Estimate estimate(const eval::Interval& interval) { return {.value = interval.value, .low = interval.low, .high = interval.high}; }

JudgedMethod method_of(const eval::EvaluationReport& report, const std::string& name) {
  JudgedMethod method{.name = name};
  for (const auto& row : report.curve)
    for (const auto& point : row.methods)
      if (point.method == name) method.accuracy.push_back(estimate(point.accuracy));
  if (const auto* area = report.area_of(name)) {
    method.area = estimate(area->area);
    method.to_entropy = estimate(area->to_entropy);
    method.to_margin = estimate(area->to_margin);
  }
  return method;
}

Judgement brief(const eval::EvaluationReport& report) {
  Judgement judgement{.images = report.images, .base_accuracy = estimate(report.base.accuracy), .verdict = report.verdict};
  if (!report.has_global) return judgement;
  judgement.global_accuracy = estimate(report.global.accuracy);
  for (const auto& row : report.curve) judgement.coverages.push_back(row.coverage);
  if (!report.curve.empty())
    for (const auto& point : report.curve.front().methods) judgement.methods.push_back(method_of(report, point.method));
  if (report.operating_point)
    judgement.operating_point = JudgedPoint{.threshold = report.operating_point->threshold,
                                            .coverage = estimate(report.operating_point->coverage),
                                            .accuracy = estimate(report.operating_point->accuracy)};
  return judgement;
}

}  // namespace

Result<Judgement> judge(const EvaluateOptions& options, const RunContext& context) {
  HEDGE_TRY(const auto report, evaluate(options, context));
  return brief(report);
}

Result<Judgement> judge(const routing::PredictionTable& table, const EvaluateOptions& options, const RunContext& context) {
  HEDGE_CHECK(table.validate());
  HEDGE_TRY(const auto report, evaluate(routing::TableView(table), options, context));
  return brief(report);
}

}  // namespace hedge::workflow

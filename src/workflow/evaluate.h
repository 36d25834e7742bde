#pragma once

#include "eval/evaluate.h"
#include "hedge/result.h"
#include "hedge/workflow.h"
#include "routing/table_view.h"

namespace hedge::workflow {

/// Judges routers on a test table. Errors: those of reading tables and routers; kMismatch (another pair's policy, other images, a table
/// that something was trained, fitted or calibrated on); kInvalidArgument (a free score and a folder, or several tables, under one name);
/// kNotFound (the default method); those of eval::evaluate; kIo.
Result<eval::EvaluationReport> evaluate(const EvaluateOptions& options, const RunContext& context = {});
/// The same of predictions in memory; `options.table` is not looked at.
Result<eval::EvaluationReport> evaluate(const routing::TableView& table, const EvaluateOptions& options, const RunContext& context = {});

}  // namespace hedge::workflow

#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "core/json.h"
#include "eval/evaluate.h"
#include "hedge/result.h"

namespace hedge::eval {

/// The version of the report's file that is written, and the newest that is read (eval/report renders the same).
inline constexpr int kReportFileSchema = 1;

/// The report as docs/formats/report_json.md says.
Json to_json(const EvaluationReport& report);

/// The report again: to_json of it is the same JSON. What is unknown is passed over, what is missing or null keeps its default (older
/// files). The paired differences that the verdict was made of are not in the file (CurveRow::over_base, over_global; global_over_base).
/// Errors: kBadFormat (no report, a field of another type, with its place); kUnsupported (a newer schema).
Result<EvaluationReport> report_from_json(const Json& json, std::string_view where);
/// The same from a file. Errors: also those of read_json.
Result<EvaluationReport> read_report(const std::filesystem::path& path);

/// The curve as CSV (RFC 4180, one header line): coverage, macs, then <method>, <method>_low, <method>_high, <method>_sd a method.
/// Numbers have the digits that give the double back.
std::string to_csv(const EvaluationReport& report);

}  // namespace hedge::eval

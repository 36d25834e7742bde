#pragma once

#include <string>

#include "core/json.h"
#include "eval/evaluate.h"

namespace hedge::eval {

/// The report as docs/formats/report_json.md says (schema 1). "pictures_queried" and "baselines" are left empty for the caller to fill.
Json to_json(const EvaluationReport& report);

/// The curve as CSV (RFC 4180, one header line): coverage, macs, then <method>, <method>_low, <method>_high, <method>_sd a method.
/// Numbers have the digits that give the double back.
std::string to_csv(const EvaluationReport& report);

}  // namespace hedge::eval

#pragma once

#include <vector>

#include "core/json.h"
#include "eval/evaluate.h"

namespace hedge::eval {

/// Parts of the report (docs/formats/report_json.md).
Json to_json(const Interval& interval);
Json to_json(const MethodSummary& method);
Json to_json(const PerClass& classes);
Json to_json(const Abstention& abstention);
Json to_json(const FusionReport& report);
Json to_json(const Explorer& explorer);
Json to_json(const std::vector<ReportImage>& images);
Json paired_json(const std::vector<PairedRow>& rows);

}  // namespace hedge::eval

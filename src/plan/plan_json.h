#pragma once

#include "core/json.h"
#include "plan/report_plan.h"

namespace hedge::plan {

/// The section "plan" of a report (docs/formats/report_plan.md).
Json to_json(const Plan& plan);

}  // namespace hedge::plan

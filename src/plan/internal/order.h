#pragma once

#include <optional>
#include <vector>

#include "plan/report_plan.h"

namespace hedge::plan::internal {

/// The methods in the order of their accuracy at a few latencies, beside the paper's order at the same relative ones: at
/// (T - T_base) / (T_cloud - T_base) of the way from the base alone to the cloud alone. Nothing where the cloud is the faster one.
/// Errors: kInternal where the built-in paper.json is damaged.
Result<std::optional<Order>> order_beside_paper(const std::vector<Line>& lines);

}  // namespace hedge::plan::internal

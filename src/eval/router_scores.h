#pragma once

#include <cstdint>
#include <vector>

#include "hedge/executor.h"
#include "hedge/result.h"
#include "routing/table_view.h"

namespace hedge::eval {

/// Runs a router over a table's rows: inputs "logits" f32 [-1, C] and, where the router has it, "features" f32 [-1, F]; output "score"
/// f32 [-1] or [-1, 1].
/// Errors: those of PredictionTable::validate and Executor::run; kMismatch (another input, class or feature count, a score tensor of
/// another shape); kNotFound (no "logits" or "score"); kInvalidArgument (batch < 1); kBadData (a score that is not finite, with its row).
Result<std::vector<float>> scores_of(const Executor& router, const routing::TableView& table, std::int64_t batch = 1024);

}  // namespace hedge::eval

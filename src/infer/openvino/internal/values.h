#pragma once

#include "graph/ends.h"
#include "hedge/executor.h"
#include "hedge/result.h"

namespace hedge::infer::internal {

/// What the numbers of the output "logits" look like for four made-up images, whatever the operators are: kProbabilities (0 to 1, a row's
/// sum is 1), kLogProbabilities (their logarithms), kLogits (none of these), kUnknown (it cannot be tried, or no image changes the
/// numbers). `height`, `width`: of the images where the input leaves them open; 0: not known. Errors: those of Executor::run.
Result<graph::End> end_by_values(const Executor& executor, std::int64_t height, std::int64_t width);

}  // namespace hedge::infer::internal

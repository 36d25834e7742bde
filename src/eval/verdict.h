#pragma once

#include <string>

#include "eval/evaluate.h"

namespace hedge::eval {

/// Whether a hybrid is worth it here, and at which coverage, in words. The rules, in this order:
/// 0. There is no global: what abstaining gives.
/// 1. The global is not better than the base: query nothing - but where it knows what the base does not, and the hybrid is shown to be
/// better
///    than the base at some coverage, the coverage where that is surest.
/// 2. The recommended coverage is the highest of the curve where the hybrid is as accurate as the cloud alone; where there is none, the
///    highest that keeps 90 % of what the cloud adds to the base. Where there is neither, or the hybrid is not shown to be better than the
///    base there, or it costs as many MACs as the cloud alone: it is not worth it, with the reason.
/// 3. The fitted router against margin, by the paired area: better, worse, or not told apart - then the free score suffices.
/// Before that: a model that always gives one answer. After it: classes out of balance (half of the images of one class), tiny classes
/// (fewer than 10 images), and exact copies of images in other splits.
/// Precondition: the report was evaluated, not read from a file (its paired differences are there).
std::string verdict(const EvaluationReport& report);

}  // namespace hedge::eval

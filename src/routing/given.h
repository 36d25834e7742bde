#pragma once

#include <string>

#include "hedge/result.h"
#include "hedge/tensor.h"

namespace hedge::routing {

/// How predictions that were made elsewhere become logits. All of it is taken as it is, row by row; nothing is fitted.
///
/// Probabilities become log(p). A p below kSmallestProbability, as 0, is taken as that: its logarithm would be no number.
inline constexpr float kSmallestProbability = 1e-30F;
/// The rest of the mass of a top-k row is taken as at least this: a sum of floats close to 1 tells less apart.
inline constexpr double kSmallestRest = 1e-7;
/// A row's sum may be off by this: halves and rounded texts add up no better.
inline constexpr double kSumTolerance = 0.01;

/// `logits` f32 or i64 [N, C]. Errors, with `where` and the row: kMismatch: no matrix; kBadData: a number that is not finite.
Result<Tensor> given_logits(const Tensor& logits, const std::string& where);

/// log(p) of `probabilities` f32 or i64 [N, C], rows summing to 1 within kSumTolerance. Equal probabilities stay equal logits: as
/// everywhere, the first of equal classes is the answer. Errors, with `where` and the row: kMismatch: no matrix; kBadData: NaN, outside
/// 0..1, or a row of another sum.
Result<Tensor> logits_of_probabilities(const Tensor& probabilities, const std::string& where);

/// The classes that a model found most probable, with their probabilities; a vector [N] is k = 1: an answer and its confidence.
struct TopClasses {
  const Tensor& classes;        ///< i64 [N, k] or [N], 0..C-1, different within a row; k <= C
  const Tensor& probabilities;  ///< f32 or i64 of the same shape; any order, sums of at most 1 (kSumTolerance)
};

/// Logits [N, C] of the top k classes: log(p) for these; the rest of the mass, at least kSmallestRest, is spread evenly over the others,
/// but none of them gets more than the least probable of the k. The answer is the most probable of the k, of equal ones the first listed.
/// Errors, with `where` and the row: kMismatch: the shapes differ, or k > C; kBadData: a class twice in a row or out of range, NaN, a
/// probability outside 0..1, a sum above 1.
Result<Tensor> logits_of_top(const TopClasses& top, std::int64_t classes, const std::string& where);

}  // namespace hedge::routing

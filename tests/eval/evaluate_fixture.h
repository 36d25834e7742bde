#pragma once

#include <gtest/gtest.h>

#include <vector>

#include "eval/eval_testing.h"
#include "eval/evaluate.h"

namespace hedge::eval {

inline constexpr int kFewResamples = 100;

/// Better than any free score: knows half of the oracle.
inline std::vector<float> informed_scores(const routing::PredictionTable& table, std::uint64_t seed) {
  Rng rng(seed);
  auto scores = routing::oracle_scores(*routing::outcomes(table));
  for (float& score : scores) score += static_cast<float>(2 * rng.normal());
  return scores;
}

inline std::vector<MethodScores> two_methods(const routing::PredictionTable& table) {
  return {{"hybrid", {informed_scores(table, 1), informed_scores(table, 2), informed_scores(table, 3)}},
          {"selective_query", {informed_scores(table, 4)}}};
}

class EvaluateTest : public ::testing::Test {
 protected:
  Rng rng_{71};
  routing::PredictionTable table_ = synthetic_table(rng_, 400, 0.92);
  EvaluateOptions options_ = {
      .router_macs = 7, .fitted_hashes = {"hash-of-train"}, .calibration_hashes = {"hash-of-calibration"}, .resamples = kFewResamples};
};

}  // namespace hedge::eval

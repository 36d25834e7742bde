#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "eval/statistics.h"
#include "hedge/result.h"
#include "hedge/router.h"

namespace hedge::eval {

/// What a hybrid at one threshold does to the images of one class. Nothing where the class has no image.
struct ClassRow {
  std::int64_t index = 0;
  std::int64_t images = 0;
  std::optional<double> base, global, hybrid;  ///< accuracies
  std::optional<double> coverage;
  std::int64_t helped = 0;  ///< queried, the base wrong and the answer right
  std::int64_t hurt = 0;    ///< queried, the base right and the answer wrong
  std::optional<Interval> over_base;
};

/// Means over the classes that have images of the accuracy within the class.
struct BalancedAccuracy {
  Interval base, global, hybrid, hybrid_over_base, hybrid_over_global;
};

struct PerClass {
  std::string method;
  double coverage = 0;
  float threshold = 0;
  BalancedAccuracy balanced;
  std::vector<ClassRow> rows;  ///< a row a class
};

struct PerClassInputs {
  std::span<const std::int64_t> labels;  ///< [N], in 0..classes-1
  std::int64_t classes = 0;
  const routing::Outcomes* outcomes = nullptr;  ///< borrowed; with answers to queries
  std::span<const float> scores;                ///< [N]
  float threshold = 0;                          ///< query iff score > threshold
  int resamples = 1000;
  std::uint64_t seed = 1;
  std::span<const std::int64_t> groups = {};  ///< as BootstrapOptions::groups
};

/// Help and harm a class, and balanced accuracies; intervals by the bootstrap over images, differences paired.
/// Preconditions: sizes agree, N > 0, resamples > 0.
PerClass per_class(const PerClassInputs& inputs);

}  // namespace hedge::eval

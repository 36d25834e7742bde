#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "hedge/predictions.h"

namespace hedge::routing {

/// Terms that every class has in the sum of routing::Fusion, in this order: base, global, outside, first.
inline constexpr std::size_t kFusionTerms = 4;
using ClassTerms = std::array<double, kFusionTerms>;

/// A weight a term, then a bias a class where there are biases.
using FusionWeights = std::vector<double>;

/// The terms of every class, row by row, out of a table that has both models' logits.
class FusionTerms {
 public:
  /// `table` is borrowed. Precondition: it is valid, has a global, 1 <= top_k <= classes.
  FusionTerms(const PredictionTable& table, std::int64_t top_k);

  [[nodiscard]] std::size_t rows() const { return kth_.size(); }
  [[nodiscard]] std::size_t classes() const { return classes_; }
  [[nodiscard]] std::int64_t top_k() const { return static_cast<std::int64_t>(top_k_); }
  [[nodiscard]] std::size_t label(std::size_t row) const { return static_cast<std::size_t>(labels_[row]); }
  /// Writes the terms of each class. Logits stand relative to the row's largest, which changes no probability.
  void fill(std::size_t row, std::span<ClassTerms> terms) const;
  /// The same with those classes as one, the last, that have the same terms: outside the global's k largest, with the base's smallest
  /// logit. Where the base's logits were made of its few top classes these are nearly all, else there is one.
  struct Lumped {
    std::size_t entries = 0;  ///< written to `terms`
    std::size_t label = 0;    ///< the label's entry
    double log_count = 0;     ///< ln of the number of classes in the last entry
  };
  [[nodiscard]] Lumped fill_lumped(std::size_t row, std::span<ClassTerms> terms) const;

 private:
  std::span<const std::int64_t> labels_;
  std::span<const float> base_;
  std::span<const float> global_;
  std::size_t classes_ = 0;
  std::size_t top_k_ = 0;
  std::vector<float> kth_;         ///< [rows]: the k-th largest logit of the global
  std::vector<std::int32_t> top_;  ///< [rows, k]: its classes, descending
};

/// The penalty 1/2 sum of strength (weight - centre)^2, a weight each.
struct Ridge {
  FusionWeights centre;
  FusionWeights strength;  ///< > 0
};

/// The weights of least penalised negative log likelihood of the labels of `rows`, from `start`, by Newton's method with backtracking.
/// Convex, so there is one minimum. `start` and `ridge` have kFusionTerms weights, or with biases as many more as there are classes.
FusionWeights fit_conditional_logit(const FusionTerms& terms, std::span<const std::uint32_t> rows, FusionWeights start, const Ridge& ridge);

}  // namespace hedge::routing

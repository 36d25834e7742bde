#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "hedge/api.h"
#include "hedge/predictions.h"
#include "hedge/result.h"
#include "hedge/tensor.h"

namespace hedge::routing {

/// A score is one number an image: the higher, the sooner the image is sent to the global. Query iff score > threshold.

/// The free scores, from the base's logits [N, C] f32 alone.
enum class FreeScore { kEntropy, kMargin, kMaxProbability, kEnergy };
inline constexpr std::array kFreeScores = {FreeScore::kEntropy, FreeScore::kMargin, FreeScore::kMaxProbability, FreeScore::kEnergy};
/// "entropy", "margin", "max_probability", "energy".
HEDGE_API const char* to_string(FreeScore score);
/// Nothing where no free score has that name.
HEDGE_API std::optional<FreeScore> free_score_named(std::string_view name);

/// A free score a row, of the logits divided by `temperature` (> 0; fit_temperature finds one): entropy in nats; margin as 1 - (p1 - p2);
/// maximum probability as 1 - p1; energy as -T ln sum exp(z / T) (Liu et al. 2020), which alone depends on what is added to all logits of
/// a row. Computed in double, stable for large logits.
HEDGE_API std::vector<float> free_score(FreeScore score, const TensorView& base_logits, double temperature = 1);

/// Index of the largest logit a row; the lowest index wins a tie.
HEDGE_API std::vector<std::int64_t> argmax_rows(const TensorView& logits);

/// Whether base and global are right, an image; everything that curves, labels and thresholds need.
struct HEDGE_API Outcomes {
  std::vector<std::uint8_t> base_right;
  std::vector<std::uint8_t> global_right;  ///< of what a query answers: the global's or the fused answer; empty: abstaining only
  [[nodiscard]] std::size_t size() const { return base_right.size(); }
  [[nodiscard]] double base_accuracy() const;
  [[nodiscard]] double global_accuracy() const;
};
/// Errors: kMismatch where the table has no global.
HEDGE_API Result<Outcomes> outcomes(const PredictionTable& table);
/// The base's alone, for tables without a global: global_right stays empty.
HEDGE_API Outcomes base_outcomes(const PredictionTable& table);

/// Oracle label: 1 iff the base is wrong and the global right (the paper's proxy supervision).
HEDGE_API std::vector<std::uint8_t> oracle_labels(const Outcomes& outcomes);
/// Gain label: 0 the cloud helps (base wrong, global right), 1 no difference, 2 the cloud hurts (base right, global wrong).
HEDGE_API std::vector<std::uint8_t> gain_labels(const Outcomes& outcomes);
/// The score of the oracle router, the upper bound: global_right - base_right.
HEDGE_API std::vector<float> oracle_scores(const Outcomes& outcomes);

}  // namespace hedge::routing

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "hedge/api.h"
#include "hedge/predictions.h"
#include "hedge/result.h"
#include "hedge/router.h"

namespace hedge::routing {

/// The k largest logits of one row, as a query's answer carries them.
struct TopLogits {
  std::vector<std::int64_t> classes;  ///< descending logit; of equal ones the lower class first
  std::vector<float> logits;
};
/// Precondition: 1 <= k <= logits.size().
HEDGE_API TopLogits top_logits(std::span<const float> logits, std::int64_t k);

/// An estimate with its 95 % interval.
struct Estimate {
  double value = 0;
  double low = 0;
  double high = 0;
};

/// How a query's answer is made of the base's logits, which the device still holds, and the global's k largest, which come back. The
/// answer is the class c of the largest
///   base_weight * b_c + global_weight * max(g_c, g_k) + outside * [c not among the k] + first * [c is the global's first] + class_bias_c
/// with the base's logits b, the global's g and its k-th largest g_k: a log-linear pool of both models. Of equal ones the lowest class.
struct Fusion {
  bool adopted = false;  ///< false: a query answers with the global's first class, and the weights say what was tried
  std::string why;       ///< one sentence
  std::int64_t top_k = 1;
  double base_weight = 0;
  double global_weight = 1;
  double outside = 0;
  double first = 0;
  std::vector<double> class_bias;  ///< [C], or empty: none
  /// Where the weights come from: held-out predictions.
  std::string fit_dataset;
  std::string fit_hash;
  std::int64_t images = 0;
  Estimate held_out_gain;  ///< accuracy of the fused answer less the global's on those images, cross-fitted

  /// Payload of one query's answer: k classes as u16 and k logits as f32.
  [[nodiscard]] std::int64_t bytes_a_query() const { return top_k * 6; }
};

struct FusionOptions {
  std::int64_t top_k = 5;  ///< >= 1; where there are fewer classes, as many
  int folds = 5;           ///< >= 2, of the cross-fitting
  std::uint64_t seed = 1;  ///< of the folds
};

/// The class that a query answers. `classes` and `logits` are the global's, as many as top_k or more, in any order; more are cut to top_k.
/// Errors: kMismatch (fewer than top_k, another number of logits than classes, a bias for another number of classes), kBadData (a class
/// outside base_logits or given twice, a logit that is not finite).
HEDGE_API Result<std::int64_t> fused_answer(const Fusion& fusion, std::span<const float> base_logits, std::span<const std::int64_t> classes,
                                            std::span<const float> logits);

/// The same for each row of a table. Errors: kMismatch (no global, top_k or class_bias do not fit the classes).
HEDGE_API Result<std::vector<std::int64_t>> fused_answers(const PredictionTable& table, const Fusion& fusion);
/// With the fused answer in the global's place, so that labels, thresholds and curves refer to it. Errors: those of fused_answers.
HEDGE_API Result<Outcomes> outcomes(const PredictionTable& table, const Fusion& fusion);

/// Learns the weights on images that neither model has seen, and whose threshold is not calibrated on them.
///
/// The weights maximise the likelihood of the labels under the softmax of the sum above (a conditional logit, which is concave; McFadden
/// 1974), with a quadratic penalty that draws them to the global alone (base_weight, first and biases 0). Class biases are
/// tried where there are at most 128 classes and 20 images for each. By cross-fitting each image is answered by weights that have not
/// seen it: the fused answer is adopted only where it is better than the global's by more than one standard error of that paired
/// difference, and biases only where they add as much; else a query goes on answering with the global. So it is not worse but by chance.
/// Errors: kInvalidArgument; kMismatch (no global, images that a model was trained on); those of validate; kBadData (labels of one
/// class).
HEDGE_API Result<Fusion> fit_fusion(const PredictionTable& table, const FusionOptions& options = {});

}  // namespace hedge::routing

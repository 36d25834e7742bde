#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <numeric>
#include <span>

#include "core/rng.h"
#include "hedge/fusion.h"
#include "routing/internal/conditional_logit.h"
#include "routing/splits.h"

namespace hedge::routing {
namespace {

constexpr std::int64_t kFewestImages = 100;
constexpr std::size_t kMostBiasedClasses = 128;
constexpr std::size_t kImagesABias = 20;
/// Standard errors of the cross-fitted, paired difference that a fusion must be better by.
constexpr double kAdoptErrors = 1;
/// Of the penalty: a prior standard deviation of 1 for weights, of 0.5 for biases.
constexpr double kWeightStrength = 1;
constexpr double kBiasStrength = 4;
/// Holds a weight where it is.
constexpr double kHeld = 1e12;

Fusion to_fusion(const FusionWeights& weights, std::int64_t top_k) {
  return {.adopted = true,
          .top_k = top_k,
          .base_weight = weights[0],
          .global_weight = weights[1],
          .outside = weights[2],
          .first = weights[3],
          .class_bias = {weights.begin() + kFusionTerms, weights.end()}};
}

/// Weights with what they were drawn to: both are good starts for a fit on nearly the same rows.
struct Fitted {
  FusionWeights global_alone, weights;
};

/// The global alone, calibrated: where the penalty draws to.
FusionWeights fit_global_alone(const FusionTerms& terms, std::span<const std::uint32_t> rows, const Fitted* start) {
  const Ridge ridge = {.centre = {0, 1, 0, 0}, .strength = {kHeld, kWeightStrength, kWeightStrength, kHeld}};
  return fit_conditional_logit(terms, rows, start != nullptr ? start->global_alone : ridge.centre, ridge);
}

/// `start`: of other rows, or nullptr; it saves steps and changes nothing else.
Fitted fit_weights(const FusionTerms& terms, std::span<const std::uint32_t> rows, bool biased, const Fitted* start = nullptr) {
  Fitted fitted{.global_alone = fit_global_alone(terms, rows, start), .weights = {}};
  Ridge ridge = {.centre = fitted.global_alone, .strength = FusionWeights(kFusionTerms, kWeightStrength)};
  if (biased) {
    ridge.centre.resize(kFusionTerms + terms.classes(), 0);
    ridge.strength.resize(kFusionTerms + terms.classes(), kBiasStrength);
  }
  fitted.weights = fit_conditional_logit(terms, rows, start != nullptr ? start->weights : ridge.centre, ridge);
  return fitted;
}

/// Whether each image is answered rightly by weights that have not seen it.
Result<std::vector<std::uint8_t>> cross_fit(const PredictionTable& table, const FusionTerms& terms, const std::vector<int>& folds,
                                            int fold_count, const Fitted& like) {
  std::vector<std::uint8_t> right(table.size());
  const auto labels = table.labels.data<std::int64_t>();
  for (int fold = 0; fold < fold_count; ++fold) {
    std::vector<std::uint32_t> rows;
    for (std::size_t row = 0; row < folds.size(); ++row)
      if (folds[row] != fold) rows.push_back(static_cast<std::uint32_t>(row));
    const bool biased = like.weights.size() > kFusionTerms;
    const Fusion fusion = to_fusion(fit_weights(terms, rows, biased, &like).weights, terms.top_k());
    HEDGE_TRY(const std::vector<std::int64_t> answers, fused_answers(table, fusion));
    for (std::size_t row = 0; row < folds.size(); ++row)
      if (folds[row] == fold) right[row] = answers[row] == labels[row] ? 1 : 0;
  }
  return right;
}

/// Mean of a - b and its standard error over the images.
struct Difference {
  double value = 0;
  double error = 0;
  [[nodiscard]] bool clear() const { return value > kAdoptErrors * error; }
};

/// With groups the standard error is that of independent groups, not images.
Difference difference(const std::vector<std::uint8_t>& a, const std::vector<std::uint8_t>& b, std::span<const std::int64_t> groups) {
  const auto n = static_cast<double>(a.size());
  double sum = 0;
  double squares = 0;
  std::map<std::int64_t, std::pair<double, double>> of_group;  // difference and images
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double d = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += d;
    squares += d * d;
    if (groups.empty()) continue;
    of_group[groups[i]].first += d;
    of_group[groups[i]].second += 1;
  }
  const double mean = sum / n;
  if (!groups.empty()) {
    double between = 0;
    for (const auto& [group, total] : of_group) between += (total.first - mean * total.second) * (total.first - mean * total.second);
    return {.value = mean, .error = std::sqrt(between) / n};
  }
  return {.value = mean, .error = std::sqrt(std::max(0.0, squares / n - mean * mean) / n)};
}

/// A fold a row; rows of one group have one fold.
std::vector<int> draw_folds(std::size_t rows, std::span<const std::int64_t> groups, const FusionOptions& options) {
  std::map<std::int64_t, std::size_t> place;
  for (const auto group : groups) place.emplace(group, place.size());
  std::vector<int> folds(groups.empty() ? rows : place.size());
  for (std::size_t i = 0; i < folds.size(); ++i) folds[i] = static_cast<int>(i % static_cast<std::size_t>(options.folds));
  Rng rng(options.seed);
  rng.shuffle(std::span(folds));
  if (groups.empty()) return folds;
  std::vector<int> of_rows;
  for (const auto group : groups) of_rows.push_back(folds[place[group]]);
  return of_rows;
}

Status check(const PredictionTable& table, const FusionOptions& options) {
  if (options.top_k < 1 || options.folds < 2)
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "an option of the fusion is outside its range",
                 .where = options.top_k < 1 ? "top_k" : "folds",
                 .got = std::to_string(options.top_k < 1 ? options.top_k : options.folds),
                 .expected = options.top_k < 1 ? ">= 1" : ">= 2"};
  HEDGE_CHECK(table.validate());
  HEDGE_CHECK(check_unseen(table.info));
  const auto labels = table.labels.data<std::int64_t>();
  if (std::adjacent_find(labels.begin(), labels.end(), std::not_equal_to<>()) != labels.end()) return {};
  return Error{.code = ErrorCode::kBadData,
               .what = "all images are of one class: there is nothing to learn a fused answer from",
               .where = table.info.dataset,
               .got = "class " + std::to_string(labels[0])};
}

std::string points(const Difference& d) {
  char text[64];
  std::snprintf(text, sizeof text, "%+.2f points (standard error %.2f)", 100 * d.value, 100 * d.error);
  return text;
}

/// Fills in where the weights come from, and whether they are used.
Fusion decide(Fusion fusion, const Difference& gain, const PredictionTable& table) {
  constexpr double kZ95 = 1.959963984540054;
  fusion.adopted = gain.clear();
  const std::string on = points(gain) + " on " + std::to_string(table.size()) + " held-out images, cross-fitted";
  fusion.why = (fusion.adopted ? "Fused answers are used: their accuracy minus the global's is "
                               : "Fused answers are not used, because they are not clearly better: their accuracy minus the global's is ") +
               on + ".";
  fusion.fit_dataset = table.info.dataset;
  fusion.fit_hash = table.info.content_hash;
  fusion.images = static_cast<std::int64_t>(table.size());
  fusion.held_out_gain = {.value = gain.value, .low = gain.value - kZ95 * gain.error, .high = gain.value + kZ95 * gain.error};
  return fusion;
}

}  // namespace

Result<Fusion> fit_fusion(const PredictionTable& table, const FusionOptions& options) {
  HEDGE_CHECK(check(table, options));
  HEDGE_TRY(const Outcomes alone, outcomes(table));
  const std::int64_t top_k = std::min(options.top_k, table.classes());
  if (static_cast<std::int64_t>(table.size()) < std::max<std::int64_t>(kFewestImages, options.folds)) {
    Fusion none = decide({.top_k = top_k}, {}, table);
    none.why = "Fused answers are not used: " + std::to_string(table.size()) + " images are too few to learn them from.";
    return none;
  }
  const FusionTerms terms(table, top_k);
  const auto groups = table.groups.data<std::int64_t>();
  std::vector<std::uint32_t> rows(table.size());
  std::iota(rows.begin(), rows.end(), 0U);
  const std::vector<int> folds = draw_folds(table.size(), groups, options);
  Fitted best = fit_weights(terms, rows, false);
  HEDGE_TRY(std::vector<std::uint8_t> right, cross_fit(table, terms, folds, options.folds, best));
  if (terms.classes() <= kMostBiasedClasses && table.size() >= kImagesABias * terms.classes()) {
    Fitted biased = fit_weights(terms, rows, true);
    HEDGE_TRY(std::vector<std::uint8_t> biased_right, cross_fit(table, terms, folds, options.folds, biased));
    if (difference(biased_right, right, groups).clear()) {
      best = std::move(biased);
      right = std::move(biased_right);
    }
  }
  return decide(to_fusion(best.weights, top_k), difference(right, alone.global_right, groups), table);
}

}  // namespace hedge::routing

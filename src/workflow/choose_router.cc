#include "workflow/choose_router.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <utility>

#include "graph/operators.h"

namespace hedge::workflow {
namespace {

using train::RouterKind;

/// The preferred router first, then its challengers. Only the gain router reads features, so where there are any it is tried with few rows
/// too.
std::vector<RouterKind> candidates_for(const routing::PredictionTable& table, const ChooseOptions& options) {
  const auto rows = table.size();
  if (rows >= options.gain_from)
    return {RouterKind::kGain, RouterKind::kLinear, RouterKind::kMargin, RouterKind::kMaxProbability, RouterKind::kEntropy};
  std::vector<RouterKind> kinds = {RouterKind::kMargin};
  if (rows >= options.linear_from) kinds.push_back(RouterKind::kLinear);
  if (rows >= options.linear_from && table.features() > 0) kinds.push_back(RouterKind::kGain);
  kinds.insert(kinds.end(), {RouterKind::kMaxProbability, RouterKind::kEntropy});
  return kinds;
}

std::string preference(RouterKind kind, std::size_t rows, const ChooseOptions& options) {
  const auto count = std::to_string(rows) + " rows to learn from";
  if (kind == RouterKind::kGain) return count + " are enough for the gain router";
  return count + " are fewer than " + std::to_string(options.gain_from) + ", so " + to_string(kind) + " is preferred";
}

/// Standard deviation of the paired differences over the resamples: the standard error of the difference.
double standard_error(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> differences(std::min(a.size(), b.size()));
  for (std::size_t i = 0; i < differences.size(); ++i) differences[i] = a[i] - b[i];
  return eval::standard_deviation(differences);
}

std::string in_percent(double value) {
  char text[24];
  std::snprintf(text, sizeof text, "%.1f %%", value);
  return text;
}

std::string why(const std::vector<RouterKind>& kinds, const std::vector<eval::GapClosed>& judged, std::size_t chosen,
                const std::string& preferred, const std::string& judged_on) {
  if (judged.empty()) return preferred + "; on " + judged_on + " entropy routes as well as possible, so there is nothing to choose by";
  const auto closes = [&](std::size_t i) {
    const auto& gap = judged[i].percent;
    return std::string(to_string(kinds[i])) + " closes " + in_percent(gap.value) +
           " of the area between entropy and the upper bound (95 %: " + in_percent(gap.low) + " to " + in_percent(gap.high) + ")";
  };
  if (chosen == 0)
    return preferred + "; on " + judged_on + " it " + closes(0).substr(std::string(to_string(kinds[0])).size() + 1) +
           ", and no other router closes more by over a standard error";
  return preferred + "; but on " + judged_on + " " + closes(chosen) + ", more than " + to_string(kinds[0]) + " by over a standard error (" +
         in_percent(judged[0].percent.value) + ")";
}

/// One fitted candidate and its scores of the images it is judged on.
struct Candidate {
  train::FittedRouter fitted;
  std::vector<float> scores;
};

Result<Candidate> try_kind(RouterKind kind, const train::RouterRows& rows, const train::RouterRows* held_out, const ChooseOptions& options,
                           const ProgressSink& progress) {
  train::RouterFitOptions fit = options.fit;
  fit.kind = kind;
  Candidate candidate;
  HEDGE_TRY(candidate.fitted, train::fit_router(rows.table, rows.outcomes, fit, progress));
  if (held_out != nullptr || !train::is_fitted(kind)) {
    HEDGE_TRY(candidate.scores, train::score_rows(candidate.fitted.graph, held_out != nullptr ? held_out->table : rows.table));
  } else {
    HEDGE_TRY(candidate.scores, train::cross_fitted_scores(rows, fit, options.folds, progress));
  }
  return candidate;
}

}  // namespace

std::size_t standing(const std::vector<eval::GapClosed>& judged) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < judged.size(); ++i) {
    const double ahead = judged[i].percent.value - judged[0].percent.value;
    const bool beats_first = ahead > standard_error(judged[i].samples, judged[0].samples);
    if (beats_first && (best == 0 || judged[i].percent.value > judged[best].percent.value)) best = i;
  }
  return best;
}

Result<ChosenRouter> choose_router(const train::RouterRows& rows, const train::RouterRows* held_out, const ChooseOptions& options,
                                   const ProgressSink& progress) {
  const auto kinds = candidates_for(rows.table, options);
  std::vector<Candidate> candidates;
  std::vector<std::vector<float>> scores;
  for (const RouterKind kind : kinds) {
    HEDGE_TRY(auto candidate, try_kind(kind, rows, held_out, options, progress));
    scores.push_back(std::move(candidate.scores));
    candidates.push_back(std::move(candidate));
  }
  const auto& judging = held_out != nullptr ? *held_out : rows;
  auto judging_options = options.judging;
  judging_options.groups = judging.table.groups.data<std::int64_t>();
  HEDGE_TRY(const auto gaps, eval::gaps_closed(scores, judging.outcomes, judging.table.base_logits, judging_options));
  const auto judged = gaps.value_or(std::vector<eval::GapClosed>());
  const std::size_t chosen = standing(judged);
  ChosenRouter result{.kind = kinds[chosen], .fitted = std::move(candidates[chosen].fitted)};
  const auto judged_on = std::to_string(judging.table.size()) + (held_out != nullptr ? " held-out images" : " images, cross-fitted,");
  result.choice = {.chosen = to_string(result.kind),
                   .why = why(kinds, judged, chosen, preference(kinds[0], rows.table.size(), options), judged_on)};
  for (std::size_t i = 0; i < judged.size(); ++i) {
    HEDGE_TRY(const auto macs, graph::count_macs(i == chosen ? result.fitted.graph : candidates[i].fitted.graph));
    const auto& gap = judged[i].percent;
    result.choice.candidates.push_back(
        {.name = to_string(kinds[i]), .macs = macs, .gap_closed_percent = {.value = gap.value, .low = gap.low, .high = gap.high}});
  }
  return result;
}

}  // namespace hedge::workflow

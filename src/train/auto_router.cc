#include "train/auto_router.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <utility>

#include "graph/operators.h"

namespace hedge::train {
namespace {

routing::Outcomes take(const routing::Outcomes& outcomes, const std::vector<std::size_t>& rows) {
  routing::Outcomes part;
  for (const std::size_t row : rows) {
    part.base_right.push_back(outcomes.base_right[row]);
    part.global_right.push_back(outcomes.global_right[row]);
  }
  return part;
}

/// The preferred router first, then its challengers, the simplest last.
std::vector<RouterKind> candidates_for(std::size_t rows, const AutoRouterOptions& options) {
  std::vector<RouterKind> kinds;
  if (rows >= options.gain_from) kinds.push_back(RouterKind::kGain);
  if (rows >= options.linear_from) kinds.push_back(RouterKind::kLinear);
  for (const auto free : {RouterKind::kMargin, RouterKind::kMaxProbability, RouterKind::kEntropy}) kinds.push_back(free);
  return kinds;
}

std::string preference(RouterKind kind, std::size_t rows, const AutoRouterOptions& options) {
  const auto count = std::to_string(rows) + " rows to learn from";
  if (kind == RouterKind::kGain) return count + " are enough for the gain router";
  const auto least = std::to_string(kind == RouterKind::kLinear ? options.gain_from : options.linear_from);
  return count + " are fewer than " + least + ", so " + to_string(kind) + " is preferred";
}

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// Standard deviation of the paired differences over the resamples: the standard error of the difference.
double standard_error(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> differences(std::min(a.size(), b.size()));
  for (std::size_t i = 0; i < differences.size(); ++i) differences[i] = a[i] - b[i];
  if (differences.size() < 2) return 0;
  const double center = mean_of(differences);
  double sum = 0;
  for (const double d : differences) sum += (d - center) * (d - center);
  return std::sqrt(sum / static_cast<double>(differences.size() - 1));
}

std::string in_percent(double value) {
  char text[24];
  std::snprintf(text, sizeof text, "%.1f %%", value);
  return text;
}

/// Which candidate stands: the first, unless a later one is ahead of it by more than a standard error.
std::size_t stands(const std::vector<JudgedScore>& judged) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < judged.size(); ++i) {
    const double ahead = judged[i].gap_closed_percent.value - judged[0].gap_closed_percent.value;
    const bool beats_first = ahead > standard_error(judged[i].samples, judged[0].samples);
    if (beats_first && (best == 0 || judged[i].gap_closed_percent.value > judged[best].gap_closed_percent.value)) best = i;
  }
  return best;
}

std::string why(const std::vector<RouterKind>& kinds, const std::vector<JudgedScore>& judged, std::size_t chosen,
                const std::string& preferred, const std::string& judged_on) {
  if (judged.empty()) return preferred + "; on " + judged_on + " entropy routes as well as can be, so there is nothing to choose by";
  const auto closes = [&](std::size_t i) {
    const auto& gap = judged[i].gap_closed_percent;
    return std::string(to_string(kinds[i])) + " closes " + in_percent(gap.value) +
           " of the area between entropy and the upper bound (95 %: " + in_percent(gap.low) + " to " + in_percent(gap.high) + ")";
  };
  if (chosen == 0)
    return preferred + "; on " + judged_on + " it " + closes(0).substr(std::string(to_string(kinds[0])).size() + 1) +
           ", and no simpler router more by a standard error";
  return preferred + "; but on " + judged_on + " " + closes(chosen) + ", more than " + to_string(kinds[0]) + " by over a standard error (" +
         in_percent(judged[0].gap_closed_percent.value) + ")";
}

/// One fitted candidate and its scores of the images it is judged on.
struct Candidate {
  FittedRouter fitted;
  std::vector<float> scores;
};

Result<Candidate> try_kind(RouterKind kind, const RouterRows& rows, const RouterRows* held_out, const AutoRouterOptions& options,
                           const ProgressSink& progress) {
  RouterFitOptions fit = options.fit;
  fit.kind = kind;
  Candidate candidate;
  HEDGE_TRY(candidate.fitted, fit_router(rows.table, rows.outcomes, fit, progress));
  if (held_out != nullptr || !is_fitted(kind)) {
    HEDGE_TRY(candidate.scores, score_rows(candidate.fitted.graph, held_out != nullptr ? held_out->table : rows.table));
  } else {
    HEDGE_TRY(candidate.scores, cross_fitted_scores(rows, fit, options.folds, progress));
  }
  return candidate;
}

}  // namespace

Result<AutoRouter> choose_router(const RouterRows& rows, const RouterRows* held_out, const AutoRouterOptions& options,
                                 const RouterJudge& judge, const ProgressSink& progress) {
  const auto kinds = candidates_for(rows.table.size(), options);
  std::vector<Candidate> candidates;
  std::vector<std::vector<float>> scores;
  for (const RouterKind kind : kinds) {
    HEDGE_TRY(auto candidate, try_kind(kind, rows, held_out, options, progress));
    scores.push_back(std::move(candidate.scores));
    candidates.push_back(std::move(candidate));
  }
  const auto& judging = held_out != nullptr ? *held_out : rows;
  HEDGE_TRY(const auto judged, judge(scores, judging));
  if (!judged.empty() && judged.size() != kinds.size())
    return Error{.code = ErrorCode::kInternal,
                 .what = "the judge left out a router",
                 .got = std::to_string(judged.size()),
                 .expected = std::to_string(kinds.size())};
  const std::size_t chosen = stands(judged);
  AutoRouter result{.kind = kinds[chosen], .fitted = std::move(candidates[chosen].fitted)};
  const auto judged_on = std::to_string(judging.table.size()) + (held_out != nullptr ? " held-out images" : " images, cross-fitted,");
  result.choice = {.chosen = to_string(result.kind),
                   .why = why(kinds, judged, chosen, preference(kinds[0], rows.table.size(), options), judged_on)};
  for (std::size_t i = 0; i < judged.size(); ++i) {
    HEDGE_TRY(const auto macs, graph::count_macs(i == chosen ? result.fitted.graph : candidates[i].fitted.graph));
    result.choice.candidates.push_back({.name = to_string(kinds[i]), .macs = macs, .gap_closed_percent = judged[i].gap_closed_percent});
  }
  return result;
}

Result<std::vector<float>> cross_fitted_scores(const RouterRows& rows, const RouterFitOptions& options, int folds,
                                               const ProgressSink& progress) {
  HEDGE_TRY(const auto parts, make_folds(rows.table.size(), folds, options.seed));
  std::vector<float> scores(rows.table.size());
  for (std::size_t fold = 0; fold < parts.size(); ++fold) {
    std::vector<std::size_t> others;
    for (std::size_t other = 0; other < parts.size(); ++other)
      if (other != fold) others.insert(others.end(), parts[other].begin(), parts[other].end());
    std::sort(others.begin(), others.end());
    HEDGE_TRY(const auto fit_table, take_rows(rows.table, others));
    HEDGE_TRY(const auto fitted, fit_router(fit_table, take(rows.outcomes, others), options, progress));
    HEDGE_TRY(const auto part, take_rows(rows.table, parts[fold]));
    HEDGE_TRY(const auto part_scores, score_rows(fitted.graph, part));
    for (std::size_t i = 0; i < parts[fold].size(); ++i) scores[parts[fold][i]] = part_scores[i];
  }
  return scores;
}

}  // namespace hedge::train

#include "train/cross_fit.h"

#include <algorithm>

#include "train/router_data.h"

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

}  // namespace

Result<std::vector<float>> cross_fitted_scores(const RouterRows& rows, const RouterFitOptions& options, int folds,
                                               const ProgressSink& progress) {
  HEDGE_TRY(const auto parts, make_folds(rows.table.size(), folds, options.seed, rows.table.groups.data<std::int64_t>()));
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

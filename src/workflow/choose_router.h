#pragma once

#include <cstddef>
#include <vector>

#include "eval/gap_closed.h"
#include "hedge/log.h"
#include "hedge/policy.h"
#include "hedge/result.h"
#include "train/cross_fit.h"
#include "train/router_fit.h"

namespace hedge::workflow {

struct ChooseOptions {
  train::RouterFitOptions fit;     ///< of every fitted candidate; its kind is not looked at
  std::size_t linear_from = 1000;  ///< rows to learn from: with fewer nothing is fitted
  std::size_t gain_from = 5000;    ///< from here gain is preferred, below margin
  int folds = 5;                   ///< of cross-fitting, where the rows to learn from are held out themselves
  eval::BootstrapOptions judging;  ///< of the areas that candidates are compared by
};

struct ChosenRouter {
  train::RouterKind kind = train::RouterKind::kMargin;
  train::FittedRouter fitted;
  routing::RouterChoice choice;
};

/// Chooses a router and fits it on `rows`.
///
/// The number of rows names a preference: gain, below 5 000 rows margin. Others challenge it on held-out predictions: one takes its place
/// where its area there is higher by more than one standard error of the paired difference.
/// So a bad fit is found out, and luck on few held-out images changes nothing. Below 5 000 rows linear is a challenger, and gain too where
/// the table has features, which linear does not read. With `held_out`, the candidates are fitted on `rows` and judged there. Without,
/// `rows` are held out themselves and judged by cross-fitting; the chosen one is then fitted on all of them. Errors: those of fit_router,
/// make_folds and eval::gaps_closed.
Result<ChosenRouter> choose_router(const train::RouterRows& rows, const train::RouterRows* held_out, const ChooseOptions& options,
                                   const ProgressSink& progress = {});

/// The rule of that choice: which candidate stands, the preferred one being the first. It is the first unless a later one is ahead of it by
/// more than a standard error of the paired difference; of several such, the best. 0 where nothing was judged.
std::size_t standing(const std::vector<eval::GapClosed>& judged);

}  // namespace hedge::workflow

#pragma once

#include <vector>

#include "hedge/dataset.h"
#include "hedge/result.h"
#include "workflow/check.h"

namespace hedge::workflow::internal {

/// `threads`, or a thread a core where it is 0.
int threads_of(int threads);

/// What a model is checked on; borrowed.
struct ModelCheck {
  const data::Dataset& dataset;
  std::vector<std::size_t> sample;  ///< balanced_sample
  bool alternatives = true;
  int threads = 0;  ///< 0: a thread a core
};

/// Opens one model for its own input and checks it. A model without a recipe is checked with the usual one of its size, which is an alarm.
/// Errors: those of model::open_model, own_input and search; kNotFound: no recipe, and no size to guess one from.
Result<CheckedModel> check_model(const ModelOptions& options, const ModelCheck& how, const RunContext& context);

}  // namespace hedge::workflow::internal

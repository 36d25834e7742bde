#pragma once

#include "hedge/model.h"
#include "workflow/predict.h"

namespace hedge::workflow::internal {

/// What the caller says of a model, as the room of models takes it.
inline model::CardOptions card_options(const ModelOptions& options, const LogSink& sink) {
  return {.recipe = options.recipe,
          .labels = options.labels,
          .features = options.features,
          .log = sink,
          .input_layout = options.input_layout,
          .output = options.output,
          .output_kind = options.output_kind};
}

}  // namespace hedge::workflow::internal

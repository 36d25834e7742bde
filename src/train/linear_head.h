#pragma once

#include <cstdint>
#include <vector>

#include "hedge/result.h"
#include "hedge/tensor.h"
#include "train/trainer.h"

namespace hedge::train {

struct LinearHeadOptions {
  std::int64_t epochs = 40;      ///< >= 1; passes over the features
  std::int64_t batch = 256;      ///< >= 1; rows a step
  double learning_rate = 3e-3;   ///< peak of AdamW, on features of mean 0 and deviation 1
  double weight_decay = 0.1;     ///< of AdamW: features are many and images are few
  double label_smoothing = 0.1;  ///< 0..1
  std::uint64_t seed = 1;        ///< of the order
};

/// logits = features * weights^T + bias.
struct LinearHead {
  Tensor weights;       ///< f32 [C, F]
  Tensor bias;          ///< f32 [C]
  double accuracy = 0;  ///< on the rows that it was fitted on, 0..1
};

/// Multinomial logistic regression of `labels` on `features`, f32 [n, F]; the features' means and deviations are folded into the weights.
/// Errors: kInvalidArgument (options, a label outside 0..classes - 1), kMismatch (sizes), kBadData (features that are not finite),
/// kCancelled.
Result<LinearHead> fit_linear_head(const Tensor& features, const std::vector<std::int64_t>& labels, std::int64_t classes,
                                   const LinearHeadOptions& options, const TrainHooks& hooks = {});

}  // namespace hedge::train

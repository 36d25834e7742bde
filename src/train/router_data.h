#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "hedge/predictions.h"
#include "hedge/result.h"

namespace hedge::train {

/// How the predictions that a router learns from were made; the texts stand in the Policy.
enum class RouterProtocol {
  kTrainingSet,  ///< of images that base or global were trained on, in evaluation mode, without augmentation
  kHeldOut,      ///< of images that neither has seen
  kCrossFitted,  ///< the same, and each image's score comes from a router that has not seen it
};
/// "training-set predictions, evaluation mode", "held-out predictions", "cross-fitted held-out predictions".
const char* to_string(RouterProtocol protocol);
/// Training-set or held-out, from what the table knows of its models' training (routing::check_unseen). A table that does not know is
/// taken as held out where its split is not called "train".
RouterProtocol protocol_of(const routing::TableInfo& info);

/// Rows of a matrix or vector, in the given order; a tensor without rows (no global) stays as it is. Precondition: indices in range.
Tensor take_tensor_rows(const Tensor& from, const std::vector<std::size_t>& rows);

/// Rows of a table, in the given order. Precondition: indices in range. Errors: kInvalidArgument (no rows).
Result<routing::PredictionTable> take_rows(const routing::PredictionTable& table, const std::vector<std::size_t>& rows);

/// Rows 0..n-1 in a random order, cut into `folds` parts whose sizes differ by one at most. `groups`: a number a row, or empty; rows of one
/// number go into one part, and then the numbers of groups differ by one at most.
/// Errors: kInvalidArgument (folds < 2, or fewer rows or groups than folds).
Result<std::vector<std::vector<std::size_t>>> make_folds(std::size_t rows, int folds, std::uint64_t seed,
                                                         std::span<const std::int64_t> groups = {});

/// Two disjoint parts of a table, drawn at random: a `share` of the rows first, or of whole groups where the table has any. Both keep the
/// table's info: they are images of one split.
/// Errors: kInvalidArgument (share outside (0, 1), or a part without rows).
Result<std::pair<routing::PredictionTable, routing::PredictionTable>> divide(const routing::PredictionTable& table, double share,
                                                                             std::uint64_t seed);

/// A sentence where a model is so much better on the router's training images than on held-out ones that these teach little of where it
/// errs: its error there is less than half. Nothing where all is well. Errors: kMismatch (no global).
Result<std::optional<std::string>> interpolation_warning(const routing::PredictionTable& fit, const routing::PredictionTable& held_out);

}  // namespace hedge::train

#pragma once

#include <cstdint>
#include <vector>

#include "hedge/dataset.h"

namespace hedge::eval::internal {

/// What one model says of images of a data set, a row an image that could be decoded. Rows are the model's own: no class is moved.
struct Predictions {
  std::vector<std::size_t> indices;   ///< of the data set, ascending, one a row
  std::int64_t classes = 0;           ///< columns of `logits`
  std::int64_t features = 0;          ///< columns of `feature_values`; 0: none
  std::vector<float> logits;          ///< [rows, classes]
  std::vector<float> feature_values;  ///< [rows, features]
  std::vector<data::Skipped> skipped;
};

}  // namespace hedge::eval::internal

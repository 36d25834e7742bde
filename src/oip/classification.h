#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hedge/result.h"
#include "hedge/tensor.h"

namespace hedge::oip {

/// The answer to the `classification` parameter: the `count` highest classes of each row, as BYTES "value:index[:label]", best first.
struct Classes {
  Shape shape;        ///< [N, k], or [k] where the output has one dimension
  std::string bytes;  ///< an element: 4 bytes of length (little endian), then the text
};

/// `scores` [N, …] (the rest counts as the classes) or [C], any element type; `count` is cut to the number of classes.
/// Equal values are ordered by index; NaN comes last. `labels` may be empty or shorter than the classes;
/// a label "" is left out.
/// Errors: kInvalidArgument where `count` < 1 or the output is a scalar.
Result<Classes> classify(const TensorView& scores, std::int64_t count, const std::vector<std::string>& labels);

}  // namespace hedge::oip

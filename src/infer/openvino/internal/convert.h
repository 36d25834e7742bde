#pragma once

#include <openvino/openvino.hpp>

#include "hedge/executor.h"
#include "hedge/result.h"

namespace hedge::infer::internal {

/// Errors: kUnsupported: an element type outside DType.
Result<DType> to_dtype(const ov::element::Type& type);
ov::element::Type to_element_type(DType dtype);

/// -1 where a dimension is dynamic. Precondition: a static rank.
Shape to_shape(const ov::PartialShape& shape);
ov::Shape to_ov_shape(const Shape& shape);

/// The specs of a model's inputs or outputs; `names` (by position) wins over the model's own where it is not empty.
/// Errors: kUnsupported: a dynamic rank or an element type outside DType.
Result<std::vector<TensorSpec>> to_specs(const std::vector<ov::Output<ov::Node>>& ports, const std::vector<std::string>& names);

}  // namespace hedge::infer::internal

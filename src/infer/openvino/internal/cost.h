#pragma once

#include <cstdint>
#include <memory>
#include <openvino/openvino.hpp>

namespace hedge::infer::internal {

/// Multiply-accumulates of one image, counted as graph::count_macs does: convolutions and matrix products alone. 0 where a size besides the
/// batch is dynamic.
std::int64_t count_macs(const std::shared_ptr<ov::Model>& model);

/// Numbers in the constants of real and of at most 8-bit integer types, but for those that hold a single number or a quantisation's range.
std::int64_t count_parameters(const std::shared_ptr<ov::Model>& model);

}  // namespace hedge::infer::internal

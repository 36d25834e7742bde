#pragma once

#include <cstdint>

namespace hedge {
namespace micro {

/// The geometry of a convolution, depthwise convolution or pool over one image. Rows and columns outside the input hold its zero point
/// (pools leave them out). Symmetric or not: what overhangs at the bottom and right follows from the output's size.
struct Geometry {
  std::int32_t in_height = 1, in_width = 1, channels = 1;  ///< of the input
  std::int32_t kernel_height = 1, kernel_width = 1;
  std::int32_t stride_height = 1, stride_width = 1;
  std::int32_t pad_top = 0, pad_left = 0;
  std::int32_t out_height = 1, out_width = 1;
  std::int32_t input_zero = 0;  ///< the input's zero point, -128..127
};

}  // namespace micro
}  // namespace hedge

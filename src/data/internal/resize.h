#pragma once

#include <cstdint>

#include "hedge/dataset.h"

namespace hedge::data::internal {

/// A range of rows or columns; it may reach beyond the image at both ends.
struct Window {
  std::int64_t begin = 0;
  std::int64_t size = 0;
};

/// What to cut out of the image as if it had been resized to height x width; what lies outside of it is 0.
struct ResizePlan {
  std::int64_t height = 0;
  std::int64_t width = 0;
  Window rows;
  Window columns;
};

/// Resizes with the triangle filter (bilinear, half-pixel centres; widened by the factor when shrinking) and cuts, working
/// only on what is kept. The weights are exact rationals rounded to 16 bits that sum to one, and all arithmetic is in
/// integers: the same result on every machine. Precondition: a valid image, positive sizes of at most 2^20.
Image resize_and_cut(const Image& image, const ResizePlan& plan);

}  // namespace hedge::data::internal

#pragma once

#include <cstddef>
#include <cstdint>

#include "hedge/image.h"
#include "hedge/preprocess.h"

namespace hedge::data::internal {

/// Pixels read in any direction: the one at (y, x) begins at first + y * row_step + x * column_step. Borrowed from an image that must
/// outlive the view.
struct PixelView {
  const std::uint8_t* first = nullptr;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 0;
  std::ptrdiff_t row_step = 0;     ///< bytes; may be negative
  std::ptrdiff_t column_step = 0;  ///< bytes; may be negative
};

/// The image as it looks turned by an EXIF orientation of 1 to 8, without a copy.
PixelView turned(const Image& image, int orientation);

/// The pixels of a view, row by row.
Image copy_of(const PixelView& view);

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
  Filter filter = Filter::kBilinear;
  bool antialias = true;
};

/// Resizes (half-pixel centres; docs/formats/preprocess.md has the filters) and cuts, working only on what is kept. The weights are exact
/// rationals rounded to 16 bits that sum to one, and all arithmetic is in integers: the same result on every machine.
/// Precondition: a view of a valid image, positive sizes of at most 2^35.
Image resize_and_cut(const PixelView& image, const ResizePlan& plan);

}  // namespace hedge::data::internal

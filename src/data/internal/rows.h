#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "hedge/image.h"

namespace hedge::data::internal {

/// 0..65535 to 0..255, rounded to nearest (libpng's formula).
inline std::uint8_t upper_8(std::uint16_t value) {
  const std::int32_t high = value >> 8, low = value & 255;
  return static_cast<std::uint8_t>(high + (((low - high + 128) * 65535) >> 24));
}

/// How rows are stored: `samples` values a pixel, u8 or (deep) u16 in the host's byte order, the colours first.
struct RowForm {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t samples = 1;
  std::int64_t channels = 1;          ///< the colours: 1 or 3
  std::optional<std::int64_t> alpha;  ///< which sample it is
  bool deep = false;
  std::int64_t reduction = 1;  ///< boxes of reduction x reduction pixels are averaged
};

/// Makes an image out of rows that come from the top; holds no more than the image and a row. The boxes at the right and lower edge may be
/// smaller; averages are rounded to nearest.
class RowSink {
 public:
  explicit RowSink(const RowForm& form);
  /// width * samples values. Call it `height` times.
  void add(const std::uint8_t* row);
  /// The image, with `reduction` and what was stored. Call it once, after all rows.
  [[nodiscard]] Image take();

 private:
  void convert(const std::uint8_t* row, std::uint8_t* out);
  void add_to_boxes();
  void write_boxes();

  RowForm form_;
  Image image_;
  bool opaque_somewhere_ = false;
  std::int64_t rows_ = 0;
  std::vector<std::uint8_t> colours_;  ///< of one row, where it is reduced
  std::vector<std::uint32_t> sums_;    ///< of the boxes that are not full yet
};

}  // namespace hedge::data::internal

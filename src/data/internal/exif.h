#pragma once

#include <string_view>

namespace hedge::data::internal {

/// The orientation (tag 274) of an Exif block: a TIFF header and its first directory, with or without "Exif\0\0" before it.
/// 1 where there is none, or one outside of 1 to 8.
int exif_orientation(std::string_view block);

/// The orientation that a whole file says: a JPEG's APP1 segment, a PNG's eXIf chunk, a WebP's EXIF chunk. 1 where it says none.
int jpeg_orientation(std::string_view bytes);
int png_orientation(std::string_view bytes);
int webp_orientation(std::string_view bytes);

}  // namespace hedge::data::internal

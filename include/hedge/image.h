#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hedge/api.h"
#include "hedge/result.h"

namespace hedge::data {

/// A decoded image: u8, row-major, channels last.
struct Image {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 0;              ///< 1 (gray) or 3 (RGB)
  std::vector<std::uint8_t> pixels = {};  ///< [height, width, channels]
};

enum class ImageFormat : std::uint8_t { kJpeg = 1, kPng = 2 };

/// What an image's header says.
struct ImageInfo {
  ImageFormat format = ImageFormat::kJpeg;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 0;  ///< of the decoded image: 1 or 3
};

/// What a decoder accepts, checked before memory is taken.
struct DecodeLimits {
  std::int64_t most_side = 16384;                    ///< pixels a side
  std::int64_t most_pixels = std::int64_t{1} << 28;  ///< height * width
};

/// Reads the header alone; the format is told by the first bytes, never by a name.
/// Errors: kBadFormat: neither JPEG nor PNG, a damaged header; kUnsupported: beyond `limits`, a colour space not implemented.
HEDGE_API Result<ImageInfo> probe_image(std::string_view bytes, std::string_view where, const DecodeLimits& limits = {});

/// Decodes a JPEG or PNG to u8 gray or RGB. PNG: palettes and fewer bits are expanded, 16 bits are scaled to 8, alpha and
/// transparency are dropped (the stored colour stays). JPEG: CMYK and YCCK are converted without a colour profile. Colour
/// profiles, gamma and the EXIF orientation are ignored, as ImageNet's common pipelines do.
/// Errors: those of probe_image; kBadFormat: truncated or damaged (also where the decoder could have guessed the rest).
HEDGE_API Result<Image> decode_image(std::string_view bytes, std::string_view where, const DecodeLimits& limits = {});

/// Errors: kInvalidArgument where `image` is not a gray or RGB image of its stated size.
HEDGE_API Result<std::string> encode_png(const Image& image);
/// `quality` 1..100. Errors: those of encode_png; kInvalidArgument for a quality out of range.
HEDGE_API Result<std::string> encode_jpeg(const Image& image, int quality = 90);

/// Height, width and channels of pixels that lie elsewhere.
struct ImageSize {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 0;
};
/// Copies pixels, u8 [height, width, channels] row-major without gaps, into an image.
/// Errors: kInvalidArgument where a side is not 1 to 2^20 or the channels are not 1 or 3.
HEDGE_API Result<Image> copy_image(const std::uint8_t* pixels, const ImageSize& size);

/// Whether the stated size is positive, fits the pixels and has 1 or 3 channels. Errors: kInvalidArgument.
HEDGE_API Status validate_image(const Image& image);

}  // namespace hedge::data

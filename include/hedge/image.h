#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hedge/api.h"
#include "hedge/result.h"

namespace hedge::data {

/// What was stored and is lost in a decoded image: it has a right value, but perhaps not the one that was meant.
struct Stored {
  bool deep = false;           ///< 16 bits a channel, of which the upper 8 are kept
  std::uint16_t lowest = 0;    ///< the smallest 16-bit value of a channel; only where `deep`
  std::uint16_t highest = 0;   ///< the largest; only where `deep`
  bool transparent = false;    ///< every pixel is fully transparent; the colours below are what is decoded
  bool unmarked_cmyk = false;  ///< a CMYK JPEG without Adobe's marker: read as inks that are not inverted
};

/// A decoded image: u8, row-major, channels last.
struct Image {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 0;              ///< 1 (gray) or 3 (RGB)
  std::vector<std::uint8_t> pixels = {};  ///< [height, width, channels], as stored: `orientation` is not applied
  int orientation = 1;                    ///< EXIF's, 1 to 8: how the pixels are to be turned to be upright (1: they are)
  std::int64_t reduction = 1;             ///< height and width are the file's divided by it, rounded up
  Stored stored = {};
};

/// The values are fixed for ever.
enum class ImageFormat : std::uint8_t { kJpeg = 1, kPng = 2, kWebp = 3, kBmp = 4, kTiff = 5, kGif = 6 };

/// "JPEG", "PNG", "WebP", "BMP", "TIFF", "GIF".
HEDGE_API const char* to_string(ImageFormat format);

/// What an image's header says.
struct ImageInfo {
  ImageFormat format = ImageFormat::kJpeg;
  std::int64_t height = 0;     ///< of the file
  std::int64_t width = 0;      ///< of the file
  std::int64_t channels = 0;   ///< of the decoded image: 1 or 3
  int orientation = 1;         ///< as in Image
  std::int64_t reduction = 1;  ///< as in Image
  bool deep = false;           ///< as in Stored
  bool has_alpha = false;
  bool unmarked_cmyk = false;  ///< as in Stored
};

/// What a decoder accepts, checked before memory is taken.
struct DecodeLimits {
  std::int64_t most_side = 16384;                    ///< pixels a side
  std::int64_t most_pixels = std::int64_t{1} << 28;  ///< height * width
  /// The pixels held in memory. A larger image is decoded at 1/2, 1/4 or 1/8 of its sides, the first that fits, where its decoder need
  /// not hold it whole (a JPEG of one scan, a PNG that is not interlaced); otherwise it is refused.
  std::int64_t most_decoded_pixels = std::int64_t{1} << 25;
};

/// Reads the header alone; the format is told by the first bytes, never by a name.
/// Errors: kBadFormat: no image that is known, a damaged header; kUnsupported: a known format that is not decoded (`what` names it, `hint`
/// says the way out), beyond `limits`, a colour space or kind of the format that is not implemented.
HEDGE_API Result<ImageInfo> probe_image(std::string_view bytes, std::string_view where, const DecodeLimits& limits = {});

/// Decodes JPEG, PNG, WebP, BMP, TIFF or GIF (the first image of a file that holds several) to u8 gray or RGB; what becomes of palettes,
/// 16 bits, alpha, CMYK and images beyond `limits` stands in docs/formats/datasets.md. Colour profiles and gamma are ignored, as
/// ImageNet's common pipelines do. The EXIF orientation is read, not applied: fit_image and upright do.
/// Errors: those of probe_image; kBadFormat: truncated or damaged (also where the decoder could have guessed the rest).
HEDGE_API Result<Image> decode_image(std::string_view bytes, std::string_view where, const DecodeLimits& limits = {});

/// The image turned as its orientation says, with orientation 1.
/// Precondition: a valid image (validate_image).
HEDGE_API Image upright(const Image& image);

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

/// Whether the stated size is positive, fits the pixels and has 1 or 3 channels, and the orientation is 1 to 8. Errors: kInvalidArgument.
HEDGE_API Status validate_image(const Image& image);

}  // namespace hedge::data

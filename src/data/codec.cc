#include "hedge/image.h"

#include <algorithm>
#include <iterator>

#include "data/first_bytes.h"
#include "data/internal/foreign.h"
#include "data/internal/formats.h"
#include "data/internal/resize.h"

namespace hedge::data {
namespace {

struct Format {
  bool (*matches)(std::string_view bytes);
  Result<ImageInfo> (*probe)(std::string_view bytes, std::string_view where, const DecodeLimits& limits);
  Result<Image> (*decode)(std::string_view bytes, std::string_view where, const DecodeLimits& limits);
};

constexpr Format kFormats[] = {
    {internal::is_jpeg, internal::probe_jpeg, internal::decode_jpeg}, {internal::is_png, internal::probe_png, internal::decode_png},
    {internal::is_webp, internal::probe_webp, internal::decode_webp}, {internal::is_bmp, internal::probe_bmp, internal::decode_bmp},
    {internal::is_tiff, internal::probe_tiff, internal::decode_tiff}, {internal::is_gif, internal::probe_gif, internal::decode_gif},
};

/// Null where the bytes are none of the decoded formats.
const Format* format_of(std::string_view bytes) {
  const auto* format = std::find_if(std::begin(kFormats), std::end(kFormats), [&](const Format& f) { return f.matches(bytes); });
  return format == std::end(kFormats) ? nullptr : format;
}

}  // namespace

Status check_first_bytes(std::string_view beginning, std::string_view where) {
  if (format_of(beginning) != nullptr) return {};
  return internal::not_decoded(beginning, where);
}

Result<ImageInfo> probe_image(std::string_view bytes, std::string_view where, const DecodeLimits& limits) {
  const auto* format = format_of(bytes);
  if (format == nullptr) return internal::not_decoded(bytes, where);
  return format->probe(bytes, where, limits);
}

Result<Image> decode_image(std::string_view bytes, std::string_view where, const DecodeLimits& limits) {
  const auto* format = format_of(bytes);
  if (format == nullptr) return internal::not_decoded(bytes, where);
  return format->decode(bytes, where, limits);
}

namespace {

bool is_image_size(std::int64_t height, std::int64_t width, std::int64_t channels) {
  constexpr std::int64_t kMostSide = std::int64_t{1} << 20;
  return height > 0 && width > 0 && height <= kMostSide && width <= kMostSide && (channels == 1 || channels == 3);
}

}  // namespace

Result<Image> copy_image(const std::uint8_t* pixels, const ImageSize& size) {
  const auto [height, width, channels] = size;
  if (!is_image_size(height, width, channels))
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "no image has this size",
                 .got = std::to_string(height) + " x " + std::to_string(width) + " x " + std::to_string(channels),
                 .expected = "height x width x channels with 1 or 3 channels"};
  return Image{.height = height, .width = width, .channels = channels, .pixels = {pixels, pixels + height * width * channels}};
}

const char* to_string(ImageFormat format) {
  switch (format) {
    case ImageFormat::kJpeg: return "JPEG";
    case ImageFormat::kPng: return "PNG";
    case ImageFormat::kWebp: return "WebP";
    case ImageFormat::kBmp: return "BMP";
    case ImageFormat::kTiff: return "TIFF";
    case ImageFormat::kGif: return "GIF";
  }
  return "unknown";
}

Image upright(const Image& image) {
  auto turned = internal::copy_of(internal::turned(image, image.orientation));
  turned.reduction = image.reduction;
  turned.stored = image.stored;
  return turned;
}

Status validate_image(const Image& image) {
  if (is_image_size(image.height, image.width, image.channels) &&
      image.pixels.size() == static_cast<std::size_t>(image.height * image.width * image.channels) && image.orientation >= 1 &&
      image.orientation <= 8 && image.reduction >= 1)
    return {};
  return Error{.code = ErrorCode::kInvalidArgument,
               .what = "the image's size and pixels do not fit",
               .got = std::to_string(image.height) + " x " + std::to_string(image.width) + " x " + std::to_string(image.channels) + ", " +
                      std::to_string(image.pixels.size()) + " bytes, orientation " + std::to_string(image.orientation),
               .expected = "height x width x channels bytes with 1 or 3 channels, an orientation of 1 to 8"};
}

}  // namespace hedge::data

#include "hedge/image.h"

#include "data/internal/formats.h"
#include "data/internal/resize.h"

namespace hedge::data {
namespace {

Error no_image(std::string_view bytes, std::string_view where) {
  return Error{.code = ErrorCode::kBadFormat,
               .what = bytes.empty() ? "the file is empty" : "the file is no image",
               .where = std::string(where),
               .got = bytes.empty() ? "" : "other first bytes",
               .expected = "JPEG or PNG"};
}

}  // namespace

namespace internal {

Status check_size(std::int64_t height, std::int64_t width, std::string_view where, const DecodeLimits& limits) {
  if (height > 0 && width > 0 && height <= limits.most_side && width <= limits.most_side && height * width <= limits.most_pixels) return {};
  const bool positive = height > 0 && width > 0;
  return Error{.code = positive ? ErrorCode::kUnsupported : ErrorCode::kBadFormat,
               .what = positive ? "the image is too large" : "the image has no pixels",
               .where = std::string(where),
               .got = std::to_string(height) + " x " + std::to_string(width),
               .expected = "at most " + std::to_string(limits.most_side) + " a side and " + std::to_string(limits.most_pixels) + " pixels"};
}

}  // namespace internal

Result<ImageInfo> probe_image(std::string_view bytes, std::string_view where, const DecodeLimits& limits) {
  if (internal::is_jpeg(bytes)) return internal::probe_jpeg(bytes, where, limits);
  if (internal::is_png(bytes)) return internal::probe_png(bytes, where, limits);
  return no_image(bytes, where);
}

Result<Image> decode_image(std::string_view bytes, std::string_view where, const DecodeLimits& limits) {
  if (internal::is_jpeg(bytes)) return internal::decode_jpeg(bytes, where, limits);
  if (internal::is_png(bytes)) return internal::decode_png(bytes, where, limits);
  return no_image(bytes, where);
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
  turned.odd = image.odd;
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

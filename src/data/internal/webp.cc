#include <webp/decode.h>
#include <webp/demux.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "data/internal/exif.h"
#include "data/internal/formats.h"
#include "data/internal/size.h"

namespace hedge::data::internal {
namespace {

using Demuxer = std::unique_ptr<WebPDemuxer, decltype(&WebPDemuxDelete)>;

const std::uint8_t* data_of(std::string_view bytes) { return reinterpret_cast<const std::uint8_t*>(bytes.data()); }

Error damaged(std::string_view where, std::string got = {}) {
  return Error{
      .code = ErrorCode::kBadFormat, .what = "the WebP is truncated or damaged", .where = std::string(where), .got = std::move(got)};
}

/// Pixels as libwebp gives them: RGB, or RGBA.
struct Frame {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t samples = 3;
  std::vector<std::uint8_t> pixels;
};

/// One still image. Its size must have been checked.
Result<Frame> decode_frame(std::string_view bytes, std::string_view where) {
  WebPDecoderConfig config;
  if (WebPInitDecoderConfig(&config) == 0)
    return Error{.code = ErrorCode::kInternal, .what = "libwebp is another version than it was built with", .where = std::string(where)};
  if (WebPGetFeatures(data_of(bytes), bytes.size(), &config.input) != VP8_STATUS_OK) return damaged(where);
  Frame frame{.height = config.input.height, .width = config.input.width, .samples = config.input.has_alpha != 0 ? 4 : 3, .pixels = {}};
  frame.pixels.resize(static_cast<std::size_t>(frame.height * frame.width * frame.samples));
  config.output.colorspace = frame.samples == 4 ? MODE_RGBA : MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA = {
      .rgba = frame.pixels.data(), .stride = static_cast<int>(frame.width * frame.samples), .size = frame.pixels.size()};
  const auto status = WebPDecode(data_of(bytes), bytes.size(), &config);
  WebPFreeDecBuffer(&config.output);
  if (status != VP8_STATUS_OK) return damaged(where, "libwebp's status " + std::to_string(status));
  return frame;
}

/// Keeps the colours, in place, and sees whether any pixel is not transparent.
Image without_alpha(Frame frame) {
  Image image{.height = frame.height, .width = frame.width, .channels = 3, .pixels = std::move(frame.pixels)};
  if (frame.samples == 3) return image;
  const auto count = image.pixels.size() / 4;
  bool opaque_somewhere = false;
  for (std::size_t i = 0; i < count; ++i) {
    opaque_somewhere |= image.pixels[4 * i + 3] != 0;
    for (std::size_t c = 0; c < 3; ++c) image.pixels[3 * i + c] = image.pixels[4 * i + c];
  }
  image.pixels.resize(3 * count);
  image.stored.transparent = !opaque_somewhere;
  return image;
}

/// The first frame of an animation at its place on the canvas; the rest of the canvas is black.
Result<Image> decode_animation(std::string_view bytes, std::string_view where, const ImageInfo& info) {
  const WebPData data{.bytes = data_of(bytes), .size = bytes.size()};
  const Demuxer demuxer(WebPDemux(&data), WebPDemuxDelete);
  WebPIterator iterator;
  if (!demuxer || WebPDemuxGetFrame(demuxer.get(), 1, &iterator) == 0) return damaged(where, "no first frame");
  const std::unique_ptr<WebPIterator, decltype(&WebPDemuxReleaseIterator)> release(&iterator, WebPDemuxReleaseIterator);
  const std::int64_t left = iterator.x_offset, top = iterator.y_offset;
  if (iterator.width < 1 || iterator.height < 1 || left < 0 || top < 0 || left + iterator.width > info.width ||
      top + iterator.height > info.height)
    return damaged(where, "a frame outside of the canvas");
  const std::string_view fragment(reinterpret_cast<const char*>(iterator.fragment.bytes), iterator.fragment.size);
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(data_of(fragment), fragment.size(), &features) != VP8_STATUS_OK || features.width != iterator.width ||
      features.height != iterator.height)
    return damaged(where, "a frame of another size than it says");
  HEDGE_TRY(auto frame, decode_frame(fragment, where));
  auto image = without_alpha(std::move(frame));
  if (image.height == info.height && image.width == info.width) return image;
  Image canvas{.height = info.height, .width = info.width, .channels = 3, .pixels = {}, .stored = image.stored};
  canvas.pixels.resize(static_cast<std::size_t>(info.height * info.width * 3), 0);
  for (std::int64_t y = 0; y < image.height; ++y)
    std::memcpy(canvas.pixels.data() + ((top + y) * info.width + left) * 3, image.pixels.data() + y * image.width * 3,
                static_cast<std::size_t>(image.width * 3));
  return canvas;
}

struct Header {
  ImageInfo info;
  bool animated = false;
};

Result<Header> open(std::string_view bytes, std::string_view where, const DecodeLimits& limits) {
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(data_of(bytes), bytes.size(), &features) != VP8_STATUS_OK) return damaged(where);
  HEDGE_CHECK(check_whole(features.height, features.width, "WebP", where, limits));
  return Header{.info = {.format = ImageFormat::kWebp,
                         .height = features.height,
                         .width = features.width,
                         .channels = 3,
                         .orientation = webp_orientation(bytes),
                         .has_alpha = features.has_alpha != 0},
                .animated = features.has_animation != 0};
}

}  // namespace

bool is_webp(std::string_view bytes) { return bytes.size() >= 12 && bytes.starts_with("RIFF") && bytes.substr(8, 4) == "WEBP"; }

Result<ImageInfo> probe_webp(std::string_view bytes, std::string_view where, const DecodeLimits& limits) {
  HEDGE_TRY(const auto header, open(bytes, where, limits));
  return header.info;
}

Result<Image> decode_webp(std::string_view bytes, std::string_view where, const DecodeLimits& limits) {
  HEDGE_TRY(const auto header, open(bytes, where, limits));
  Result<Image> image = Image();
  if (header.animated) {
    image = decode_animation(bytes, where, header.info);
  } else {
    HEDGE_TRY(auto frame, decode_frame(bytes, where));
    image = without_alpha(std::move(frame));
  }
  if (image) image->orientation = header.info.orientation;
  return image;
}

}  // namespace hedge::data::internal

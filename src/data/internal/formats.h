#pragma once

#include <string_view>

#include "hedge/image.h"

/// Three functions a format, for codec.cc alone: by the first bytes, by the header, whole.
namespace hedge::data::internal {

bool is_jpeg(std::string_view bytes);
Result<ImageInfo> probe_jpeg(std::string_view bytes, std::string_view where, const DecodeLimits& limits);
Result<Image> decode_jpeg(std::string_view bytes, std::string_view where, const DecodeLimits& limits);

bool is_png(std::string_view bytes);
Result<ImageInfo> probe_png(std::string_view bytes, std::string_view where, const DecodeLimits& limits);
Result<Image> decode_png(std::string_view bytes, std::string_view where, const DecodeLimits& limits);

bool is_webp(std::string_view bytes);
Result<ImageInfo> probe_webp(std::string_view bytes, std::string_view where, const DecodeLimits& limits);
Result<Image> decode_webp(std::string_view bytes, std::string_view where, const DecodeLimits& limits);

bool is_bmp(std::string_view bytes);
Result<ImageInfo> probe_bmp(std::string_view bytes, std::string_view where, const DecodeLimits& limits);
Result<Image> decode_bmp(std::string_view bytes, std::string_view where, const DecodeLimits& limits);

bool is_tiff(std::string_view bytes);
Result<ImageInfo> probe_tiff(std::string_view bytes, std::string_view where, const DecodeLimits& limits);
Result<Image> decode_tiff(std::string_view bytes, std::string_view where, const DecodeLimits& limits);

bool is_gif(std::string_view bytes);
Result<ImageInfo> probe_gif(std::string_view bytes, std::string_view where, const DecodeLimits& limits);
Result<Image> decode_gif(std::string_view bytes, std::string_view where, const DecodeLimits& limits);

}  // namespace hedge::data::internal

#pragma once

#include <string_view>

#include "hedge/image.h"

/// One pair of functions a format, for codec.cc alone.
namespace hedge::data::internal {

bool is_jpeg(std::string_view bytes);
Result<ImageInfo> probe_jpeg(std::string_view bytes, std::string_view where, const DecodeLimits& limits);
Result<Image> decode_jpeg(std::string_view bytes, std::string_view where, const DecodeLimits& limits);

bool is_png(std::string_view bytes);
Result<ImageInfo> probe_png(std::string_view bytes, std::string_view where, const DecodeLimits& limits);
Result<Image> decode_png(std::string_view bytes, std::string_view where, const DecodeLimits& limits);

/// Errors: kUnsupported where a side or the area is beyond `limits`; kBadFormat where a side is not positive.
Status check_size(std::int64_t height, std::int64_t width, std::string_view where, const DecodeLimits& limits);

}  // namespace hedge::data::internal

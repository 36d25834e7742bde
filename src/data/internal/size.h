#pragma once

#include <cstdint>
#include <string_view>

#include "hedge/image.h"

namespace hedge::data::internal {

/// Errors: kUnsupported where a side or the area is beyond what `limits` accept; kBadFormat where a side is not positive.
Status check_size(std::int64_t height, std::int64_t width, std::string_view where, const DecodeLimits& limits);

/// For an image that its decoder holds whole; `kind` names it in the error ("interlaced PNG").
/// Errors: those of check_size; kUnsupported where it has more pixels than may be decoded.
Status check_whole(std::int64_t height, std::int64_t width, const char* kind, std::string_view where, const DecodeLimits& limits);

/// For an image that is decoded row by row: 1, 2, 4 or 8, the first at which its pixels fit; 8 where none does.
std::int64_t reduction_for(std::int64_t height, std::int64_t width, const DecodeLimits& limits);

/// A side of the reduced image.
inline std::int64_t reduced(std::int64_t side, std::int64_t reduction) { return (side + reduction - 1) / reduction; }

/// Errors: kUnsupported where the image does not fit even at its reduction.
Status check_reduced(const ImageInfo& info, std::string_view where, const DecodeLimits& limits);

}  // namespace hedge::data::internal

#pragma once

#include <cstddef>
#include <string_view>

#include "hedge/result.h"

namespace hedge::data {

/// So many bytes from a file's beginning tell what it is.
inline constexpr std::size_t kFirstBytes = 1024;

/// Whether a file that begins so is of a format that decode_image reads.
/// Errors: kUnsupported: a known format that it does not, by its name and with the way out; kBadFormat: no image.
Status check_first_bytes(std::string_view beginning, std::string_view where);

}  // namespace hedge::data

#pragma once

#include <string>
#include <string_view>

#include "hedge/result.h"

namespace hedge {

/// Base 64 with padding (RFC 4648, section 4).
std::string base64(std::string_view bytes);

/// The bytes again. Errors: kBadFormat, with `where` (a length that is no multiple of 4, another character, bits that must be 0).
Result<std::string> parse_base64(std::string_view text, std::string_view where);

}  // namespace hedge

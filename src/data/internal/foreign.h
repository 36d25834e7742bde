#pragma once

#include <string_view>

#include "hedge/result.h"

namespace hedge::data::internal {

/// Why bytes that are none of the decoded formats are not read: a known format by its name (kUnsupported) with the way out, text or nothing
/// at all (kBadFormat). The same words for each file of a format, so that files can be counted by them.
Error not_decoded(std::string_view bytes, std::string_view where);

}  // namespace hedge::data::internal

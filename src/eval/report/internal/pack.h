#pragma once

#include "core/json.h"

namespace hedge::eval {

/// The report with the explorer's columns as {"type": "f32" | "u32" | "u16", "base64": little-endian bytes}: a fifth of their text, and
/// exact. The page makes arrays of them again. A column with anything but numbers of its kind stays as it is.
Json pack_explorer(Json report);

}  // namespace hedge::eval

#pragma once

#include <functional>
#include <string>

#include "hedge/result.h"

namespace hedge::workflow::internal {

/// Errors: kCancelled, once `should_stop` says so; it may be empty.
inline Status check_stop(const std::function<bool()>& should_stop, const std::string& where) {
  if (should_stop && should_stop()) return Error{.code = ErrorCode::kCancelled, .what = "stopped on request", .where = where};
  return {};
}

}  // namespace hedge::workflow::internal

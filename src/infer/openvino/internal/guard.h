#pragma once

#include <exception>
#include <string>
#include <utility>

#include "hedge/result.h"

namespace hedge::infer::internal {

/// OpenVINO's text without its stack of "Exception from file:line" prefixes, cut to a readable length.
std::string readable(const std::string& vendor_text);

/// Runs `work` (which returns a Result) and turns anything it throws into an Error of `code` at `where`.
/// OpenVINO reports through exceptions; none of them leaves this room.
template <typename Work>
auto guarded(ErrorCode code, const std::string& where, Work&& work) -> decltype(work()) {
  try {
    return std::forward<Work>(work)();
  } catch (const std::exception& exception) {
    return Error{.code = code, .what = "OpenVINO: " + readable(exception.what()), .where = where};
  } catch (...) {
    return Error{.code = code, .what = "OpenVINO threw something that is no std::exception", .where = where};
  }
}

}  // namespace hedge::infer::internal

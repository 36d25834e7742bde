#include "hedge/result.h"

namespace hedge {

const char* to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument: return "invalid_argument";
    case ErrorCode::kNotFound: return "not_found";
    case ErrorCode::kBadFormat: return "bad_format";
    case ErrorCode::kUnsupported: return "unsupported";
    case ErrorCode::kMismatch: return "mismatch";
    case ErrorCode::kIo: return "io";
    case ErrorCode::kUnreachable: return "unreachable";
    case ErrorCode::kUnavailable: return "unavailable";
    case ErrorCode::kDeadline: return "deadline";
    case ErrorCode::kCancelled: return "cancelled";
    case ErrorCode::kBadData: return "bad_data";
    case ErrorCode::kAlarm: return "alarm";
    case ErrorCode::kInternal: return "internal";
  }
  return "unknown";
}

std::string Error::message() const {
  std::string text = where.empty() ? what : where + ": " + what;
  if (!got.empty() && !expected.empty()) {
    text += " (got " + got + ", expected " + expected + ")";
  } else if (!got.empty()) {
    text += " (got " + got + ")";
  } else if (!expected.empty()) {
    text += " (expected " + expected + ")";
  }
  if (!hint.empty()) text += "; " + hint;
  return text;
}

}  // namespace hedge

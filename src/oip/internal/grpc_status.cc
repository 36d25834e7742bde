#include "oip/internal/grpc_status.h"

#include <grpc/support/log.h>

#include <mutex>

namespace hedge::oip {

grpc::Status to_grpc(const Error& error) {
  const auto code = [&] {
    switch (error.code) {
      case ErrorCode::kInvalidArgument:
      case ErrorCode::kNotFound:
      case ErrorCode::kBadFormat:
      case ErrorCode::kUnsupported:
      case ErrorCode::kMismatch:
      case ErrorCode::kBadData: return grpc::StatusCode::INVALID_ARGUMENT;
      case ErrorCode::kUnavailable: return grpc::StatusCode::UNAVAILABLE;
      case ErrorCode::kDeadline: return grpc::StatusCode::DEADLINE_EXCEEDED;
      case ErrorCode::kCancelled: return grpc::StatusCode::CANCELLED;
      case ErrorCode::kIo:
      case ErrorCode::kUnreachable:
      case ErrorCode::kInternal: return grpc::StatusCode::INTERNAL;
    }
    return grpc::StatusCode::INTERNAL;
  }();
  return {code, error.message()};
}

Error from_grpc(const grpc::Status& status, const std::string& where, bool cancelled_here) {
  const auto code = [&] {
    switch (status.error_code()) {
      case grpc::StatusCode::DEADLINE_EXCEEDED: return ErrorCode::kDeadline;
      case grpc::StatusCode::NOT_FOUND: return ErrorCode::kNotFound;
      case grpc::StatusCode::INVALID_ARGUMENT:
      case grpc::StatusCode::OUT_OF_RANGE: return ErrorCode::kMismatch;
      case grpc::StatusCode::UNIMPLEMENTED: return ErrorCode::kUnsupported;
      case grpc::StatusCode::CANCELLED: return cancelled_here ? ErrorCode::kCancelled : ErrorCode::kUnavailable;
      case grpc::StatusCode::UNAVAILABLE:
      case grpc::StatusCode::RESOURCE_EXHAUSTED:
      case grpc::StatusCode::FAILED_PRECONDITION:
      case grpc::StatusCode::ABORTED:
      case grpc::StatusCode::PERMISSION_DENIED:
      case grpc::StatusCode::UNAUTHENTICATED: return ErrorCode::kUnavailable;
      default: return ErrorCode::kInternal;
    }
  }();
  return {.code = code, .what = status.error_message().empty() ? "the call failed" : status.error_message(), .where = where};
}

void silence_grpc() {
  static std::once_flag once;
  std::call_once(once, [] { gpr_set_log_function([](gpr_log_func_args*) {}); });
}

}  // namespace hedge::oip

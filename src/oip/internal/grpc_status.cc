#include "oip/internal/grpc_status.h"

#include <grpc/support/log.h>

#include <mutex>
#include <string_view>

namespace hedge::oip {
namespace {

/// What gRPC says where the two ends cannot come together, and waiting does not help. Its status is UNAVAILABLE for all of them.
struct Refusal {
  const char* words;
  ErrorCode code;
  const char* what;
  const char* hint;
};
constexpr Refusal kRefusals[] = {
    {"is not in peer certificate", ErrorCode::kMismatch, "the server's certificate is for another name",
     "ask by the name that stands in the certificate, or name it (--tls-name)"},
    {"certificate verify failed", ErrorCode::kMismatch, "the server's certificate is not one to trust: another authority, or expired",
     "give the file of the authority that signed it (--tls-ca)"},
    {"wrong version number", ErrorCode::kMismatch, "the server does not speak TLS",
     "leave TLS out, or start the server with a certificate"},
    {"Ssl handshake failed", ErrorCode::kMismatch, "the two ends do not agree on TLS", "compare the certificates and keys of both"},
    // A server that is going down closes connections too, so this may pass.
    {"last error: UNAVAILABLE", ErrorCode::kUnavailable, "the server closes each connection at once",
     "it may ask for TLS (--tls, --tls-ca), or for a certificate of this device (--tls-cert, --tls-key)"},
};

const Refusal* find_refusal(const std::string& message) {
  for (const auto& refusal : kRefusals)
    if (message.find(refusal.words) != std::string::npos) return &refusal;
  return nullptr;
}

/// gRPC's own reason, without "failed to connect to all addresses; last error: ".
std::string last_words(const std::string& message) {
  constexpr std::string_view kLast = "last error: ";
  const auto at = message.rfind(kLast);
  return at == std::string::npos ? message : message.substr(at + kLast.size());
}

}  // namespace

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
      case ErrorCode::kAlarm:
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
  if (code == ErrorCode::kUnavailable)
    if (const auto* refusal = find_refusal(status.error_message()))
      return {
          .code = refusal->code, .what = refusal->what, .where = where, .got = last_words(status.error_message()), .hint = refusal->hint};
  return {.code = code, .what = status.error_message().empty() ? "the call failed" : status.error_message(), .where = where};
}

void silence_grpc() {
  static std::once_flag once;
  std::call_once(once, [] { gpr_set_log_function([](gpr_log_func_args*) {}); });
}

}  // namespace hedge::oip

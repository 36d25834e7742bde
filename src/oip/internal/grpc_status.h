#pragma once

#include <grpcpp/support/status.h>

#include <string>

#include "hedge/result.h"

namespace hedge::oip {

/// What a server answers for `error`. A request's faults are INVALID_ARGUMENT, whatever their kind: NOT_FOUND is kept for models.
grpc::Status to_grpc(const Error& error);

/// What a client reports for a call to `where` that failed. CANCELLED is kCancelled only where this side cancelled; a peer that
/// cancels is one that goes away. What TLS refuses, and waiting does not mend, is kMismatch.
Error from_grpc(const grpc::Status& status, const std::string& where, bool cancelled_here);

/// gRPC logs to standard error by itself; this library never prints. Process-wide, done once.
void silence_grpc();

}  // namespace hedge::oip

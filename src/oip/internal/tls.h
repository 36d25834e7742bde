#pragma once

#include "hedge/remote.h"
#include "hedge/result.h"

namespace hedge::oip {

/// Reads the PEM texts of `tls` before gRPC does, which reports a bad one no better than by failing.
/// Checks: each text that is not empty is PEM of its kind; the key belongs to the certificate; both or neither of them are there,
/// and both are for a server. Errors: kBadFormat (which part); kMismatch (key and certificate); kInvalidArgument (one is missing).
Status check_tls(const Tls& tls, bool server);

}  // namespace hedge::oip

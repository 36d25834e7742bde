#pragma once

#include <open_inference_grpc.pb.h>

#include <chrono>
#include <optional>

#include "hedge/result.h"
#include "hedge/server.h"

namespace hedge::oip {

/// Computes `request` on `model` and fills `response`: inputs read and checked, the outputs asked for (none: all) in the request's order,
/// raw, `classification` applied; id, name and version echoed. Unknown parameters are ignored.
/// Errors: those of read_inputs, Executor::run and classify; kInvalidArgument for an unknown or repeated output.
Status answer_infer(const ServedModel& model, const inference::ModelInferRequest& request, inference::ModelInferResponse& response);

/// The request's `timeout` parameter (microseconds, as int64 or uint64); none where it is absent, not positive or of another kind.
std::optional<std::chrono::microseconds> timeout_of(const inference::ModelInferRequest& request);

}  // namespace hedge::oip

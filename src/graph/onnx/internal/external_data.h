#pragma once

#include <onnx/onnx_pb.h>

#include <filesystem>

#include "hedge/result.h"

namespace hedge::graph::internal {

/// Reads the weights that lie in other files ("external data") into the model, in memory. The files must lie in the folder of `path`, the
/// model's file. Errors: kBadFormat (a path that leads out of the folder, an offset or length that does not hold, no location); kNotFound;
/// kUnsupported (more than 2 GiB in all); kIo.
Status load_external(onnx::ModelProto& model, const std::filesystem::path& path);

}  // namespace hedge::graph::internal

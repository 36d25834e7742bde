#pragma once

#include "hedge/result.h"

namespace hedge::train {

/// Where a training computes.
enum class Device {
  kCpu,
  kCuda,  ///< the first NVIDIA GPU, by a libtorch that was built with CUDA
};

const char* to_string(Device device);

/// Makes `device` ready for a training: for kCuda it loads libtorch's CUDA library, which lies beside the linked one. Does nothing the
/// second time. libtorch asks once in a process which devices there are: call this before anything else computes with it. Errors:
/// kUnavailable: this libtorch has no CUDA library, it cannot be loaded, or there is no GPU that it can use.
Status prepare_device(Device device);

}  // namespace hedge::train

#pragma once

#include <torch/torch.h>

#include <filesystem>

#include "hedge/result.h"
#include "train/device.h"

namespace hedge::train::internal {

/// The folder of the libtorch that this program runs with.
std::filesystem::path libtorch_folder();

/// libtorch's name of `device`, ready to be used. `libraries`: the folder with its CUDA library. Errors: those of prepare_device.
Result<torch::Device> open_device(Device device, const std::filesystem::path& libraries = libtorch_folder());

}  // namespace hedge::train::internal

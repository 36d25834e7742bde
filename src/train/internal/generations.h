#pragma once

#include <ATen/autocast_mode.h>
#include <torch/torch.h>

/// What libtorch 1.13 and libtorch 2 name differently. No other file of the room asks which of them it is built with.
namespace hedge::train::internal {

#if TORCH_VERSION_MAJOR >= 2

inline void set_bf16_autocast(at::DeviceType device, bool on) {
  if (on) at::autocast::set_autocast_dtype(device, at::kBFloat16);
  at::autocast::set_autocast_enabled(device, on);
}

/// What an optimiser keeps a parameter's state under.
inline void* state_key(const torch::Tensor& parameter) { return parameter.unsafeGetTensorImpl(); }

#else

inline void set_bf16_autocast(at::DeviceType device, bool on) {
  if (device == at::kCUDA) {
    if (on) at::autocast::set_autocast_gpu_dtype(at::kBFloat16);
    at::autocast::set_enabled(on);
  } else {
    if (on) at::autocast::set_autocast_cpu_dtype(at::kBFloat16);
    at::autocast::set_cpu_enabled(on);
  }
}

/// What an optimiser keeps a parameter's state under.
inline std::string state_key(const torch::Tensor& parameter) { return c10::guts::to_string(parameter.unsafeGetTensorImpl()); }

#endif

}  // namespace hedge::train::internal

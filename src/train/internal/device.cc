#include "train/internal/device.h"

#include <dlfcn.h>

#include <string>

namespace hedge::train::internal {
namespace {

constexpr const char* kCudaLibrary = "libtorch_cuda.so";

Error unavailable(std::string what, const std::filesystem::path& where, std::string hint) {
  return {.code = ErrorCode::kUnavailable,
          .what = std::move(what),
          .where = where.string(),
          .got = {},
          .expected = {},
          .hint = std::move(hint)};
}

/// Programs link what computes on the CPU only, so that they start without a GPU's libraries; those register themselves when they are
/// loaded.
Status load_cuda(const std::filesystem::path& libraries) {
  const auto library = libraries / kCudaLibrary;
  std::error_code ignored;
  if (!std::filesystem::exists(library, ignored))
    return unavailable(std::string("libtorch ") + TORCH_VERSION + " of this program cannot compute on a GPU: it has no " + kCudaLibrary,
                       libraries,
                       "train on the CPU (--device cpu), or build with a libtorch that has CUDA (docs/learning.md, \"libtorch 2\")");
  if (::dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL) != nullptr) return {};
  const char* const reason = ::dlerror();
  auto error = unavailable("libtorch's CUDA library cannot be loaded", library,
                           "install the CUDA packages that this libtorch was made for, or train on the CPU (--device cpu)");
  error.got = reason != nullptr ? reason : "no reason";
  return error;
}

}  // namespace

std::filesystem::path libtorch_folder() {
  Dl_info library{};
  const auto* const inside = reinterpret_cast<const void*>(&at::set_num_threads);
  if (::dladdr(inside, &library) == 0 || library.dli_fname == nullptr) return {};
  std::error_code ignored;
  const auto path = std::filesystem::canonical(library.dli_fname, ignored);
  return path.parent_path();
}

Result<torch::Device> open_device(Device device, const std::filesystem::path& libraries) {
  if (device == Device::kCpu) return torch::Device(torch::kCPU);
  HEDGE_CHECK(load_cuda(libraries));
  try {
    if (torch::cuda::is_available()) return torch::Device(torch::kCUDA, 0);
  } catch (const std::exception& e) {
    auto error = unavailable("libtorch cannot use the GPU", libraries, "look at what nvidia-smi says of the driver");
    error.got = std::string(e.what()).substr(0, 200);
    return error;
  }
  auto error = unavailable("there is no GPU that libtorch can use", libraries,
                           "look at what nvidia-smi says of GPU and driver, or train on the CPU (--device cpu)");
  error.got = "0 GPUs";
  return error;
}

}  // namespace hedge::train::internal

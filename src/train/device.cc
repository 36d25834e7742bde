#include "train/device.h"

#include "train/internal/device.h"

namespace hedge::train {

const char* to_string(Device device) { return device == Device::kCpu ? "cpu" : "cuda"; }

Status prepare_device(Device device) {
  HEDGE_TRY(const auto ready, internal::open_device(device));
  static_cast<void>(ready);
  return {};
}

}  // namespace hedge::train

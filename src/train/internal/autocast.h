#pragma once

#include "train/internal/generations.h"

namespace hedge::train::internal {

/// bf16 autocast on `device` for the life of the object; does nothing where `on` is false.
class AutocastGuard {
 public:
  AutocastGuard(bool on, const at::Device& device) : on_(on), device_(device.type()) {
    if (on_) set_bf16_autocast(device_, true);
  }
  AutocastGuard(const AutocastGuard&) = delete;
  AutocastGuard& operator=(const AutocastGuard&) = delete;
  ~AutocastGuard() {
    if (!on_) return;
    at::autocast::clear_cache();
    set_bf16_autocast(device_, false);
  }

 private:
  bool on_;
  at::DeviceType device_;
};

}  // namespace hedge::train::internal

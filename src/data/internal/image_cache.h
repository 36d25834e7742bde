#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

namespace hedge::data::internal {

/// Fitted images of one size, by index, as far as a budget of bytes goes; and which indices are known to be broken.
/// Different threads may work on different indices at once, never on the same one.
class ImageCache {
 public:
  ImageCache(std::size_t count, std::size_t bytes_each, std::size_t budget_bytes)
      : bytes_each_(bytes_each), states_(count, kUnknown), cached_(std::min(count, budget_bytes / std::max<std::size_t>(bytes_each, 1))) {
    // Left uninitialised: the system hands out pages as they are written.
    storage_ = std::make_unique_for_overwrite<std::uint8_t[]>(cached_ * bytes_each_);
  }

  /// The pixels, or null.
  [[nodiscard]] const std::uint8_t* find(std::size_t index) const {
    return states_[index] == kStored ? storage_.get() + index * bytes_each_ : nullptr;
  }
  [[nodiscard]] bool is_broken(std::size_t index) const { return states_[index] == kBroken; }
  /// Where the image now lies, or null where it is beyond the budget.
  const std::uint8_t* store(std::size_t index, const std::uint8_t* pixels) {
    if (index >= cached_) return nullptr;
    std::memcpy(storage_.get() + index * bytes_each_, pixels, bytes_each_);
    states_[index] = kStored;
    return find(index);
  }
  void set_broken(std::size_t index) { states_[index] = kBroken; }

 private:
  static constexpr std::uint8_t kUnknown = 0;
  static constexpr std::uint8_t kStored = 1;
  static constexpr std::uint8_t kBroken = 2;

  std::size_t bytes_each_;
  std::vector<std::uint8_t> states_;
  std::size_t cached_;  ///< the indices below it are kept
  std::unique_ptr<std::uint8_t[]> storage_;
};

}  // namespace hedge::data::internal

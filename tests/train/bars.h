#pragma once

#include <string>
#include <vector>

#include "core/rng.h"
#include "hedge/dataset.h"

namespace hedge::train {

/// Bars: class 0 has a bright left half, class 1 a bright right half; noise on top. Of `wrong` labels in 100 the other is given.
class Bars final : public data::Dataset {
 public:
  explicit Bars(std::size_t size, std::uint64_t wrong = 0)
      : size_(size), wrong_(wrong), hash_("bars" + std::to_string(size) + "-" + std::to_string(wrong)) {}
  [[nodiscard]] std::size_t size() const override { return size_; }
  [[nodiscard]] const std::vector<std::string>& class_names() const override { return names_; }
  [[nodiscard]] std::int64_t label(std::size_t index) const override {
    const bool swapped = Rng(11, index).below(100) < wrong_;
    return static_cast<std::int64_t>((index + (swapped ? 1 : 0)) % 2);
  }
  [[nodiscard]] std::string id(std::size_t index) const override { return std::to_string(index); }
  [[nodiscard]] Result<data::Image> image(std::size_t index) const override {
    data::Image image{.height = 12, .width = 12, .channels = 1, .pixels = std::vector<std::uint8_t>(144)};
    Rng rng(7, index);
    for (std::size_t i = 0; i < 144; ++i) {
      const bool bright = (i % 12 < 6) == (index % 2 == 0);
      image.pixels[i] = static_cast<std::uint8_t>((bright ? 150 : 50) + rng.below(50));
    }
    return image;
  }
  [[nodiscard]] const std::string& content_hash() const override { return hash_; }
  [[nodiscard]] const std::string& spec() const override { return hash_; }

 private:
  std::size_t size_;
  std::uint64_t wrong_;
  std::vector<std::string> names_ = {"left", "right"};
  std::string hash_;
};

}  // namespace hedge::train

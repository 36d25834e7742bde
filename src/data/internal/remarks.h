#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "hedge/image.h"
#include "hedge/log.h"

namespace hedge::data::internal {

/// Collects what is worth saying about the images of a data set while it is opened: one line a kind, with a count and examples.
/// note() each image, then examine() once, then lines().
class Remarks {
 public:
  struct Line {
    LogLevel level = LogLevel::kWarning;
    std::string text;
  };

  /// What the header of an image says.
  void note(const std::string& path, const ImageInfo& info);

  /// Decodes at most 64 of the noted images that have 16 bits or alpha, evenly, until 2^26 pixels are seen. One that cannot be decoded is
  /// passed over: the loader says so.
  void examine(const std::function<Result<Image>(const std::string& path)>& decode);

  [[nodiscard]] std::vector<Line> lines() const;

 private:
  struct Deep {
    std::size_t count = 0;
    std::size_t dark = 0;  ///< all values below a sixteenth of the range
    std::uint16_t lowest = 65535, highest = 0;
    std::vector<std::string> paths;
  };

  /// Together in a small part of the range, wherever it lies; or a tenth of the images nearly black.
  [[nodiscard]] bool is_narrow() const;

  std::vector<std::string> turned_, reduced_, unmarked_;
  std::vector<std::string> deep_or_alpha_;
  Deep deep_;
  std::size_t examined_ = 0;
  std::vector<std::string> transparent_;
};

}  // namespace hedge::data::internal

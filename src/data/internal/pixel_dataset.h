#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/internal/split.h"
#include "data/internal/tally.h"
#include "data/spec.h"
#include "hedge/dataset.h"
#include "hedge/result.h"

namespace hedge::data::internal {

/// Images of one size with their labels, as files like IDX and CIFAR's hold them.
struct PixelImages {
  std::int64_t height = 0, width = 0, channels = 0;
  std::vector<std::uint8_t> pixels = {};  ///< [N, height, width, channels]
  std::vector<std::int64_t> labels = {};  ///< [N]
  std::vector<std::string> ids = {};      ///< [N]
  std::vector<std::string> classes = {};
  /// [N]: kTest where the file is a test file, else kTrain; empty: the files have no splits.
  std::vector<Split> files = {};
  std::vector<Note> notes = {};

  [[nodiscard]] std::size_t size() const { return labels.size(); }
  [[nodiscard]] std::size_t image_bytes() const { return static_cast<std::size_t>(height * width * channels); }
};

/// What spec wants of the images as a data set. A tenth of the train files calibrates; without files of splits a tenth each is test and
/// calibration (two fifths each where no class has three images). The pixels order the images. Errors: kBadData: no image, a single class.
Result<Opened> open_pixels(const DatasetSpec& spec, const OpenOptions& options, PixelImages images);

}  // namespace hedge::data::internal

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "hedge/api.h"
#include "hedge/dataset.h"
#include "hedge/normalization.h"
#include "hedge/result.h"
#include "hedge/tensor.h"

namespace hedge::data {

/// The recipe from a decoded image to a network's input; it travels in the model's metadata ("hedge.preprocess",
/// docs/formats/preprocess.md), so that training, evaluation and the edge run the same code.
/// Steps: channels (gray = ITU-R 601 luma; gray -> RGB by copying) -> resize so that the shorter side is
/// `resize_shorter` (0: no resize; bilinear, half-pixel centres, antialiased when shrinking) -> centre crop or zero pad
/// to height x width -> normalise -> NCHW f32.
struct HEDGE_API Preprocess {
  std::int64_t version = 1;
  std::int64_t channels = 3;
  std::int64_t height = 32;
  std::int64_t width = 32;
  std::int64_t resize_shorter = 0;
  Normalization normalization = {};

  /// Errors: kInvalidArgument, naming the field.
  [[nodiscard]] Status validate() const;
  [[nodiscard]] std::string to_json() const;
  /// Errors: kBadFormat; kUnsupported for a newer version.
  static Result<Preprocess> from_json(std::string_view text);
  bool operator==(const Preprocess&) const = default;
};

/// The geometric half: the image as u8 [height, width, channels] of the recipe. What an edge device sends to a cloud.
HEDGE_API Result<Image> fit_image(const Image& image, const Preprocess& recipe);

/// The numeric half, for one image that already fits: writes f32 CHW to `out` (channels * height * width floats).
HEDGE_API void normalize_into(const Image& image, const Normalization& normalization, float* out);

/// Mean and standard deviation a channel over (at most `sample`) images of `dataset`, after fit_image.
HEDGE_API Result<Normalization> measure_normalization(const Dataset& dataset, const Preprocess& recipe, std::size_t sample = 10000);

}  // namespace hedge::data

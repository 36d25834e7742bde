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

/// The order of a model's input channels. The values are fixed for ever.
enum class ChannelOrder : std::uint8_t { kRgb = 1, kBgr = 2 };

/// How an image of any shape becomes height x width. The values are fixed for ever.
enum class Fit : std::uint8_t {
  kCrop = 1,    ///< resized so that the shorter side is `resize_shorter`, then the centre is cut out
  kSquash = 2,  ///< both sides resized to `resize_shorter` (0: straight to height x width), then the centre is cut out
};

/// How an image is resized (docs/formats/preprocess.md). The values are fixed for ever.
enum class Filter : std::uint8_t { kBilinear = 1, kBicubic = 2, kNearest = 3 };

/// "rgb", "bgr"; "crop", "squash"; "bilinear", "bicubic", "nearest": the words of recipes.
HEDGE_API const char* to_string(ChannelOrder order);
HEDGE_API const char* to_string(Fit fit);
HEDGE_API const char* to_string(Filter filter);

/// The recipe from a decoded image to a network's input; it travels in the model's metadata ("hedge.preprocess",
/// docs/formats/preprocess.md), so that training, evaluation and the edge run the same code.
/// Steps: orientation (version 2: as EXIF says; version 1: as stored) -> channels (gray = ITU-R 601 luma; gray -> RGB by copying) ->
/// resize (`fit`, `resize_shorter`, `filter`, `antialias`; half-pixel centres) -> centre crop or zero pad to height x width ->
/// channel order -> normalise -> NCHW f32.
struct HEDGE_API Preprocess {
  static constexpr std::int64_t kNewestVersion = 2;

  std::int64_t version = 1;  ///< 1: images as stored, and none of the fields below the normalisation; 2: what is written today
  std::int64_t channels = 3;
  std::int64_t height = 32;
  std::int64_t width = 32;
  std::int64_t resize_shorter = 0;   ///< pixels; 0: none (kCrop), straight to height x width (kSquash)
  Normalization normalization = {};  ///< of the channels in the model's order
  // Version 2 only: version 1 has these values.
  ChannelOrder channel_order = ChannelOrder::kRgb;
  Fit fit = Fit::kCrop;
  Filter filter = Filter::kBilinear;
  bool antialias = true;  ///< when shrinking, the filter is as wide as the factor (as Pillow does); false: as OpenCV and PyTorch's default

  /// Errors: kInvalidArgument, naming the field.
  [[nodiscard]] Status validate() const;
  [[nodiscard]] std::string to_json() const;
  /// Errors: kBadFormat; kUnsupported for a newer version.
  static Result<Preprocess> from_json(std::string_view text);
  bool operator==(const Preprocess&) const = default;
};

/// The geometric half: the image as u8 [height, width, channels] of the recipe, its channels in the recipe's order. What an edge device
/// sends to a cloud.
/// Errors: kInvalidArgument: the recipe, an image of another size than it states; kUnsupported: an image decoded at a reduced size
/// (Image::reduction) where the recipe is version 1 or does not resize, because its pixels would be others.
HEDGE_API Result<Image> fit_image(const Image& image, const Preprocess& recipe);

/// The numeric half, for one image that already fits: writes f32 CHW to `out` (channels * height * width floats).
HEDGE_API void normalize_into(const Image& image, const Normalization& normalization, float* out);

/// Mean and standard deviation a channel over (at most `sample`) images of `dataset`, after fit_image.
HEDGE_API Result<Normalization> measure_normalization(const Dataset& dataset, const Preprocess& recipe, std::size_t sample = 10000);

}  // namespace hedge::data

#include "hedge/preprocess.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

#include "data/internal/normalize_table.h"
#include "data/internal/recipe.h"
#include "data/internal/resize.h"

namespace hedge::data {
namespace {

using internal::PixelView;

/// ITU-R 601 luma in 16-bit fixed point; the weights sum to 65536, so white stays white.
std::uint8_t luma(const std::uint8_t* rgb) {
  return static_cast<std::uint8_t>((19595U * rgb[0] + 38470U * rgb[1] + 7471U * rgb[2] + 32768U) >> 16);
}

/// Gray from RGB, or RGB from gray, by rows of the view.
Image with_other_channels(const PixelView& view) {
  Image out{.height = view.height, .width = view.width, .channels = view.channels == 1 ? 3 : 1, .pixels = {}};
  out.pixels.resize(static_cast<std::size_t>(out.height * out.width * out.channels));
  auto* to = out.pixels.data();
  for (std::int64_t y = 0; y < view.height; ++y) {
    const auto* from = view.first + y * view.row_step;
    for (std::int64_t x = 0; x < view.width; ++x, from += view.column_step) {
      if (out.channels == 1)
        *to++ = luma(from);
      else
        to = std::fill_n(to, 3, *from);
    }
  }
  return out;
}

void swap_red_and_blue(Image& image) {
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) std::swap(image.pixels[i], image.pixels[i + 2]);
}

/// Half of a negative difference rounds down as well, so padding and cropping put the odd pixel on the same side.
std::int64_t floor_half(std::int64_t value) { return (value - (value < 0 ? 1 : 0)) / 2; }

/// The size before the centre is cut out.
void set_resized(const PixelView& image, const Preprocess& recipe, internal::ResizePlan& plan) {
  const bool squash = recipe.fit == Fit::kSquash;
  if (recipe.resize_shorter == 0) {
    if (squash) plan.height = recipe.height;
    if (squash) plan.width = recipe.width;
    return;
  }
  const auto shorter = std::min(image.height, image.width);
  plan.height = squash ? recipe.resize_shorter : image.height * recipe.resize_shorter / shorter;
  plan.width = squash ? recipe.resize_shorter : image.width * recipe.resize_shorter / shorter;
}

internal::ResizePlan plan_for(const PixelView& image, const Preprocess& recipe) {
  internal::ResizePlan plan{
      .height = image.height, .width = image.width, .rows = {}, .columns = {}, .filter = recipe.filter, .antialias = recipe.antialias};
  set_resized(image, recipe, plan);
  plan.rows = {.begin = floor_half(plan.height - recipe.height), .size = recipe.height};
  plan.columns = {.begin = floor_half(plan.width - recipe.width), .size = recipe.width};
  return plan;
}

/// A reduced image shows the same things in fewer pixels: right only where the recipe resizes anyway.
Status check_reduction(const Image& image, const Preprocess& recipe) {
  const bool resizes = recipe.resize_shorter > 0 || recipe.fit == Fit::kSquash;
  if (image.reduction == 1 || (recipe.version >= 2 && resizes)) return {};
  return Error{
      .code = ErrorCode::kUnsupported,
      .what = resizes ? "an image of this size needs recipe version 2" : "an image of this size needs a recipe that resizes",
      .got = "an image decoded at 1/" + std::to_string(image.reduction) + " of its size, recipe version " + std::to_string(recipe.version),
      .hint = resizes ? "give the model's recipe as version 2, or make the image smaller before"
                      : "give resize= in the recipe, or make the image smaller before"};
}

/// The image at the recipe's size and channels, in the order red, green, blue.
Image fit_pixels(const PixelView& view, const Preprocess& recipe) {
  const auto plan = plan_for(view, recipe);
  const bool as_it_is =
      plan.height == view.height && plan.width == view.width && recipe.height == view.height && recipe.width == view.width;
  if (view.channels == recipe.channels) return as_it_is ? copy_of(view) : resize_and_cut(view, plan);
  auto converted = with_other_channels(view);
  return as_it_is ? std::move(converted) : resize_and_cut(internal::turned(converted, 1), plan);
}

/// Sums over the pixels of a channel; integers, so that the order of images does not matter.
struct Moments {
  std::uint64_t count = 0;
  std::array<std::uint64_t, 3> sum{};
  std::array<std::uint64_t, 3> squares{};

  void add(const Image& image) {
    const auto channels = static_cast<std::size_t>(image.channels);
    for (std::size_t i = 0; i < image.pixels.size(); ++i) {
      const std::uint64_t value = image.pixels[i];
      sum[i % channels] += value;
      squares[i % channels] += value * value;
    }
    count += image.pixels.size() / channels;
  }
};

}  // namespace

Result<Image> fit_image(const Image& image, const Preprocess& recipe) {
  HEDGE_CHECK(internal::validate_geometry(recipe));
  HEDGE_CHECK(validate_image(image));
  HEDGE_CHECK(check_reduction(image, recipe));
  auto fitted = fit_pixels(internal::turned(image, recipe.version >= 2 ? image.orientation : 1), recipe);
  if (recipe.channel_order == ChannelOrder::kBgr) swap_red_and_blue(fitted);
  return fitted;
}

void normalize_into(const Image& image, const Normalization& normalization, float* out) {
  assert(normalization.mean.size() == static_cast<std::size_t>(image.channels));
  assert(normalization.std.size() == static_cast<std::size_t>(image.channels));
  const internal::NormalizeTable table(normalization);
  table.apply(image.pixels.data(), static_cast<std::size_t>(image.height * image.width), out);
}

Result<Normalization> measure_normalization(const Dataset& dataset, const Preprocess& recipe, std::size_t sample) {
  HEDGE_CHECK(internal::validate_geometry(recipe));
  const auto used = std::min(sample, dataset.size());
  Moments moments;
  for (std::size_t i = 0; i < used; ++i) {
    // Evenly spaced, because folders list class after class.
    const auto image = dataset.image(i * dataset.size() / used);
    if (!image) continue;  // the Loader reports these, and those that the recipe cannot take
    const auto fitted = fit_image(*image, recipe);
    if (fitted) moments.add(*fitted);
  }
  if (moments.count == 0)
    return Error{.code = ErrorCode::kBadData, .what = "there is no image to measure the normalization on", .where = dataset.spec()};
  Normalization normalization;
  const auto count = static_cast<double>(moments.count);
  for (std::size_t c = 0; c < static_cast<std::size_t>(recipe.channels); ++c) {
    const double mean = static_cast<double>(moments.sum[c]) / count;
    const double variance = static_cast<double>(moments.squares[c]) / count - mean * mean;
    if (!(variance > 1e-6))
      return Error{.code = ErrorCode::kBadData,
                   .what = "every pixel of a channel has the same value, so there is no deviation to divide by",
                   .where = dataset.spec(),
                   .got = "channel " + std::to_string(c)};
    normalization.mean.push_back(static_cast<float>(mean / 255.0));
    normalization.std.push_back(static_cast<float>(std::sqrt(variance) / 255.0));
  }
  return normalization;
}

}  // namespace hedge::data

#include "hedge/preprocess.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

#include "core/json.h"
#include "data/internal/normalize_table.h"
#include "data/internal/resize.h"
#include "hedge/image.h"

namespace hedge::data {
namespace {

constexpr std::int64_t kNewestVersion = 1;
constexpr std::int64_t kMostSide = 16384;
constexpr std::string_view kWhere = "preprocess recipe";

Error bad_field(const char* field, std::string got, std::string expected) {
  return Error{.code = ErrorCode::kInvalidArgument,
               .what = std::string("the preprocess recipe's ") + field + " cannot be used",
               .got = std::move(got),
               .expected = std::move(expected)};
}

/// All but the normalisation, which a recipe does not have yet while it is being measured.
Status validate_geometry(const Preprocess& recipe) {
  if (recipe.version != kNewestVersion) return bad_field("version", std::to_string(recipe.version), std::to_string(kNewestVersion));
  if (recipe.channels != 1 && recipe.channels != 3) return bad_field("channels", std::to_string(recipe.channels), "1 or 3");
  const std::string sides = "1.." + std::to_string(kMostSide);
  if (recipe.height < 1 || recipe.height > kMostSide) return bad_field("height", std::to_string(recipe.height), sides);
  if (recipe.width < 1 || recipe.width > kMostSide) return bad_field("width", std::to_string(recipe.width), sides);
  if (recipe.resize_shorter < 0 || recipe.resize_shorter > kMostSide)
    return bad_field("resize_shorter", std::to_string(recipe.resize_shorter), "0.." + std::to_string(kMostSide));
  return {};
}

/// ITU-R 601 luma in 16-bit fixed point; the weights sum to 65536, so white stays white.
std::uint8_t luma(const std::uint8_t* rgb) {
  return static_cast<std::uint8_t>((19595U * rgb[0] + 38470U * rgb[1] + 7471U * rgb[2] + 32768U) >> 16);
}

Image with_channels(const Image& image, std::int64_t channels) {
  const auto area = static_cast<std::size_t>(image.height * image.width);
  Image out{.height = image.height, .width = image.width, .channels = channels, .pixels = {}};
  out.pixels.resize(area * static_cast<std::size_t>(channels));
  for (std::size_t i = 0; i < area; ++i) {
    if (channels == 1) {
      out.pixels[i] = luma(&image.pixels[3 * i]);
    } else {
      std::fill_n(out.pixels.begin() + static_cast<std::ptrdiff_t>(3 * i), 3, image.pixels[i]);
    }
  }
  return out;
}

/// Half of a negative difference rounds down as well, so padding and cropping put the odd pixel on the same side.
std::int64_t floor_half(std::int64_t value) { return (value - (value < 0 ? 1 : 0)) / 2; }

internal::ResizePlan plan_for(const Image& image, const Preprocess& recipe) {
  internal::ResizePlan plan{.height = image.height, .width = image.width, .rows = {}, .columns = {}};
  if (recipe.resize_shorter > 0) {
    const auto shorter = std::min(image.height, image.width);
    plan.height = image.height * recipe.resize_shorter / shorter;
    plan.width = image.width * recipe.resize_shorter / shorter;
  }
  plan.rows = {.begin = floor_half(plan.height - recipe.height), .size = recipe.height};
  plan.columns = {.begin = floor_half(plan.width - recipe.width), .size = recipe.width};
  return plan;
}

Result<std::vector<float>> read_floats(const Json& json, const char* key) {
  if (!json.contains(key) || !json.at(key).is_array())
    return Error{.code = ErrorCode::kBadFormat, .what = std::string("the field \"") + key + "\" is no list", .where = std::string(kWhere)};
  std::vector<float> values;
  for (const auto& item : json.at(key)) {
    if (!item.is_number() || values.size() >= 3)
      return Error{.code = ErrorCode::kBadFormat,
                   .what = std::string("the field \"") + key + "\" is not a list with one number per channel",
                   .where = std::string(kWhere)};
    values.push_back(item.get<float>());
  }
  return values;
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

Status Preprocess::validate() const {
  HEDGE_CHECK(validate_geometry(*this));
  const auto expected = std::to_string(channels) + " finite numbers";
  if (normalization.mean.size() != static_cast<std::size_t>(channels))
    return bad_field("normalization.mean", std::to_string(normalization.mean.size()) + " numbers", expected);
  if (normalization.std.size() != static_cast<std::size_t>(channels))
    return bad_field("normalization.std", std::to_string(normalization.std.size()) + " numbers", expected + " > 0");
  for (const float mean : normalization.mean)
    if (!std::isfinite(mean)) return bad_field("normalization.mean", std::to_string(mean), expected);
  for (const float deviation : normalization.std)
    if (!std::isfinite(deviation) || !(deviation > 0)) return bad_field("normalization.std", std::to_string(deviation), expected + " > 0");
  return {};
}

std::string Preprocess::to_json() const {
  Json json;
  json["version"] = version;
  json["channels"] = channels;
  json["height"] = height;
  json["width"] = width;
  json["resize_shorter"] = resize_shorter;
  json["mean"] = normalization.mean;
  json["std"] = normalization.std;
  return json.dump();
}

Result<Preprocess> Preprocess::from_json(std::string_view text) {
  HEDGE_TRY(const auto json, parse_json(text, kWhere));
  Preprocess recipe;
  HEDGE_TRY(recipe.version, get_field<std::int64_t>(json, "version", kWhere));
  if (recipe.version > kNewestVersion)
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "the preprocess recipe is newer than this program",
                 .got = "version " + std::to_string(recipe.version),
                 .expected = "at most " + std::to_string(kNewestVersion)};
  // A step that this program does not know would change the pixels, so an unknown field is no detail.
  static constexpr std::array<std::string_view, 7> kFields = {"version", "channels", "height", "width", "resize_shorter", "mean", "std"};
  for (const auto& [key, value] : json.items())
    if (std::find(kFields.begin(), kFields.end(), key) == kFields.end())
      return Error{.code = ErrorCode::kBadFormat, .what = "the preprocess recipe has an unknown field", .got = key.substr(0, 60)};
  HEDGE_TRY(recipe.channels, get_field<std::int64_t>(json, "channels", kWhere));
  HEDGE_TRY(recipe.height, get_field<std::int64_t>(json, "height", kWhere));
  HEDGE_TRY(recipe.width, get_field<std::int64_t>(json, "width", kWhere));
  HEDGE_TRY(recipe.resize_shorter, get_field<std::int64_t>(json, "resize_shorter", kWhere));
  HEDGE_TRY(recipe.normalization.mean, read_floats(json, "mean"));
  HEDGE_TRY(recipe.normalization.std, read_floats(json, "std"));
  if (auto valid = recipe.validate(); !valid) {
    auto error = valid.error();
    error.code = ErrorCode::kBadFormat;  // here the values come from a file
    return error;
  }
  return recipe;
}

Result<Image> fit_image(const Image& image, const Preprocess& recipe) {
  HEDGE_CHECK(validate_geometry(recipe));
  HEDGE_CHECK(validate_image(image));
  const bool right_size = image.height == recipe.height && image.width == recipe.width;
  const bool resizes = recipe.resize_shorter > 0 && std::min(image.height, image.width) != recipe.resize_shorter;
  const bool converts = image.channels != recipe.channels;
  if (right_size && !resizes) return converts ? with_channels(image, recipe.channels) : image;
  if (!converts) return internal::resize_and_cut(image, plan_for(image, recipe));
  return internal::resize_and_cut(with_channels(image, recipe.channels), plan_for(image, recipe));
}

void normalize_into(const Image& image, const Normalization& normalization, float* out) {
  assert(normalization.mean.size() == static_cast<std::size_t>(image.channels));
  assert(normalization.std.size() == static_cast<std::size_t>(image.channels));
  const internal::NormalizeTable table(normalization);
  table.apply(image.pixels.data(), static_cast<std::size_t>(image.height * image.width), out);
}

Result<Normalization> measure_normalization(const Dataset& dataset, const Preprocess& recipe, std::size_t sample) {
  HEDGE_CHECK(validate_geometry(recipe));
  const auto used = std::min(sample, dataset.size());
  Moments moments;
  for (std::size_t i = 0; i < used; ++i) {
    // Evenly spaced, because folders list class after class.
    const auto image = dataset.image(i * dataset.size() / used);
    if (!image) continue;  // the Loader reports these
    HEDGE_TRY(const auto fitted, fit_image(*image, recipe));
    moments.add(fitted);
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

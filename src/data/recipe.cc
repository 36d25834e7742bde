// What a recipe says: its checks, its JSON and the words in it. What it does to an image: preprocess.cc.
#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <string>
#include <vector>

#include "core/json.h"
#include "data/internal/recipe.h"

namespace hedge::data {
namespace {

constexpr std::int64_t kMostSide = 16384;
constexpr std::string_view kWhere = "preprocess recipe";

Error bad_field(const char* field, std::string got, std::string expected) {
  return Error{.code = ErrorCode::kInvalidArgument,
               .what = std::string("the preprocess recipe's ") + field + " cannot be used",
               .got = std::move(got),
               .expected = std::move(expected)};
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

/// Errors: kInvalidArgument where the recipe has what its version does not know.
Status validate_version(const Preprocess& recipe) {
  if (recipe.version < 1 || recipe.version > Preprocess::kNewestVersion)
    return bad_field("version", std::to_string(recipe.version), "1.." + std::to_string(Preprocess::kNewestVersion));
  const Preprocess plain;
  const bool first = recipe.version == 1;
  if (first &&
      (recipe.channel_order != plain.channel_order || recipe.fit != plain.fit || recipe.filter != plain.filter || !recipe.antialias))
    return bad_field("version", "1", "2: only version 2 has another channel order, fit, filter, or no antialiasing");
  return {};
}

template <typename Value>
std::optional<Value> named(std::string_view name, std::initializer_list<Value> values) {
  for (const auto value : values)
    if (name == to_string(value)) return value;
  return std::nullopt;
}

/// Sets `field` where the recipe has it.
template <typename Value>
Status read_name(const Json& json, const char* key, std::optional<Value> (*find)(std::string_view), Value& field) {
  if (!json.contains(key)) return {};
  HEDGE_TRY(const auto name, get_field<std::string>(json, key, kWhere));
  const auto value = find(name);
  if (!value)
    return Error{.code = ErrorCode::kBadFormat,
                 .what = std::string("the field \"") + key + "\" has a value that is not known",
                 .where = std::string(kWhere),
                 .got = name.substr(0, 60)};
  field = *value;
  return {};
}

/// What only version 2 has; a field that is not there has version 1's value.
Status read_version_2(const Json& json, Preprocess& recipe) {
  HEDGE_CHECK(read_name(json, "channel_order", internal::channel_order_named, recipe.channel_order));
  HEDGE_CHECK(read_name(json, "fit", internal::fit_named, recipe.fit));
  HEDGE_CHECK(read_name(json, "filter", internal::filter_named, recipe.filter));
  if (!json.contains("antialias")) return {};
  HEDGE_TRY(recipe.antialias, get_field<bool>(json, "antialias", kWhere));
  return {};
}

/// A step that this program does not know would change the pixels, so an unknown field is no detail.
Status check_fields(const Json& json, std::int64_t version) {
  static constexpr std::array<std::string_view, 7> kFields = {"version", "channels", "height", "width", "resize_shorter", "mean", "std"};
  static constexpr std::array<std::string_view, 4> kSince2 = {"channel_order", "fit", "filter", "antialias"};
  for (const auto& [key, value] : json.items()) {
    const bool since_2 = std::find(kSince2.begin(), kSince2.end(), key) != kSince2.end();
    if (std::find(kFields.begin(), kFields.end(), key) != kFields.end() || (since_2 && version >= 2)) continue;
    return Error{.code = ErrorCode::kBadFormat,
                 .what = "the preprocess recipe has an unknown field",
                 .got = key.substr(0, 60),
                 .hint = since_2 ? "it belongs to \"version\": 2" : ""};
  }
  return {};
}

}  // namespace

namespace internal {

Status validate_geometry(const Preprocess& recipe) {
  HEDGE_CHECK(validate_version(recipe));
  if (recipe.channels != 1 && recipe.channels != 3) return bad_field("channels", std::to_string(recipe.channels), "1 or 3");
  const std::string sides = "1.." + std::to_string(kMostSide);
  if (recipe.height < 1 || recipe.height > kMostSide) return bad_field("height", std::to_string(recipe.height), sides);
  if (recipe.width < 1 || recipe.width > kMostSide) return bad_field("width", std::to_string(recipe.width), sides);
  if (recipe.resize_shorter < 0 || recipe.resize_shorter > kMostSide)
    return bad_field("resize_shorter", std::to_string(recipe.resize_shorter), "0.." + std::to_string(kMostSide));
  if (recipe.channels == 1 && recipe.channel_order != ChannelOrder::kRgb)
    return bad_field("channel_order", to_string(recipe.channel_order), "rgb, because the model takes one channel");
  return {};
}

std::optional<ChannelOrder> channel_order_named(std::string_view name) { return named(name, {ChannelOrder::kRgb, ChannelOrder::kBgr}); }
std::optional<Fit> fit_named(std::string_view name) { return named(name, {Fit::kCrop, Fit::kSquash}); }
std::optional<Filter> filter_named(std::string_view name) { return named(name, {Filter::kBilinear, Filter::kBicubic, Filter::kNearest}); }

}  // namespace internal

const char* to_string(ChannelOrder order) { return order == ChannelOrder::kBgr ? "bgr" : "rgb"; }

const char* to_string(Fit fit) { return fit == Fit::kSquash ? "squash" : "crop"; }

const char* to_string(Filter filter) {
  switch (filter) {
    case Filter::kBilinear: return "bilinear";
    case Filter::kBicubic: return "bicubic";
    case Filter::kNearest: return "nearest";
  }
  return "unknown";
}

Status Preprocess::validate() const {
  HEDGE_CHECK(internal::validate_geometry(*this));
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
  if (version >= 2) {
    json["channel_order"] = to_string(channel_order);
    json["fit"] = to_string(fit);
    json["filter"] = to_string(filter);
    json["antialias"] = antialias;
  }
  json["mean"] = normalization.mean;
  json["std"] = normalization.std;
  return json.dump();
}

Result<Preprocess> Preprocess::from_json(std::string_view text) {
  HEDGE_TRY(const auto json, parse_json(text, kWhere));
  Preprocess recipe;
  HEDGE_TRY(recipe.version, get_field<std::int64_t>(json, "version", kWhere));
  if (recipe.version > Preprocess::kNewestVersion)
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "the preprocess recipe is newer than this program",
                 .got = "version " + std::to_string(recipe.version),
                 .expected = "at most " + std::to_string(Preprocess::kNewestVersion)};
  HEDGE_CHECK(check_fields(json, recipe.version));
  HEDGE_TRY(recipe.channels, get_field<std::int64_t>(json, "channels", kWhere));
  HEDGE_TRY(recipe.height, get_field<std::int64_t>(json, "height", kWhere));
  HEDGE_TRY(recipe.width, get_field<std::int64_t>(json, "width", kWhere));
  HEDGE_TRY(recipe.resize_shorter, get_field<std::int64_t>(json, "resize_shorter", kWhere));
  if (recipe.version >= 2) HEDGE_CHECK(read_version_2(json, recipe));
  HEDGE_TRY(recipe.normalization.mean, read_floats(json, "mean"));
  HEDGE_TRY(recipe.normalization.std, read_floats(json, "std"));
  if (auto valid = recipe.validate(); !valid) {
    auto error = valid.error();
    error.code = ErrorCode::kBadFormat;  // here the values come from a file
    return error;
  }
  return recipe;
}

}  // namespace hedge::data

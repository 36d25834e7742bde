#include "data/recipe_text.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "data/internal/recipe.h"

namespace hedge::data {
namespace {

using Items = std::map<std::string, std::vector<std::string>, std::less<>>;

constexpr const char* kKeys[] = {"resize", "crop", "channels", "mean", "std", "order", "fit", "filter", "antialias", "version"};
constexpr float kImageNetMean[] = {0.485F, 0.456F, 0.406F};
constexpr float kImageNetStd[] = {0.229F, 0.224F, 0.225F};

Error bad(std::string what, std::string_view got, std::string expected) {
  return Error{.code = ErrorCode::kInvalidArgument,
               .what = std::move(what),
               .where = "recipe",
               .got = std::string(got),
               .expected = std::move(expected),
               .hint = "for example resize=256,crop=224,mean=imagenet,std=imagenet"};
}

template <typename Number>
Result<Number> parse_number(std::string_view text, const char* key) {
  Number number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{} || end != text.data() + text.size()) return bad(std::string(key) + " is no number", text, "a number");
  return number;
}

Result<Items> split_items(std::string_view text) {
  Items items;
  std::vector<std::string>* values = nullptr;
  while (true) {
    const auto end = text.find(',');
    const auto part = text.substr(0, end);
    const auto equals = part.find('=');
    if (equals != std::string_view::npos) {
      const auto key = part.substr(0, equals);
      if (std::find(std::begin(kKeys), std::end(kKeys), key) == std::end(kKeys))
        return bad("the recipe has an unknown item", key, "resize, crop, channels, mean, std, order, fit, filter, antialias or version");
      const auto [at, added] = items.try_emplace(std::string(key));
      if (!added) return bad("the recipe gives an item twice", key, "each item once");
      values = &at->second;
    }
    if (values == nullptr) return bad("the recipe does not begin with an item", part, "key=value");
    values->emplace_back(equals == std::string_view::npos ? part : part.substr(equals + 1));
    if (end == std::string_view::npos) return items;
    text.remove_prefix(end + 1);
  }
}

Result<std::int64_t> whole(const Items& items, const char* key, std::int64_t otherwise) {
  const auto found = items.find(key);
  if (found == items.end()) return otherwise;
  if (found->second.size() != 1) return bad(std::string(key) + " takes one value", std::to_string(found->second.size()) + " values", "one");
  return parse_number<std::int64_t>(found->second[0], key);
}

Status set_crop(const Items& items, Preprocess& recipe) {
  const auto found = items.find("crop");
  if (found == items.end() || found->second.size() != 1)
    return bad("the recipe does not say the size of the network's input", "", "crop=N or crop=HxW");
  const std::string_view size = found->second[0];
  const auto times = size.find('x');
  HEDGE_TRY(recipe.height, parse_number<std::int64_t>(size.substr(0, times), "crop"));
  recipe.width = recipe.height;
  if (times == std::string_view::npos) return {};
  HEDGE_TRY(recipe.width, parse_number<std::int64_t>(size.substr(times + 1), "crop"));
  return {};
}

/// The one word of an item; nothing where the recipe does not have it.
Result<std::optional<std::string>> word(const Items& items, const char* key) {
  const auto found = items.find(key);
  if (found == items.end()) return std::optional<std::string>();
  if (found->second.size() != 1) return bad(std::string(key) + " takes one value", std::to_string(found->second.size()) + " values", "one");
  return std::optional<std::string>(found->second[0]);
}

/// Sets `field` where the recipe has the item. `find` knows the words.
template <typename Value>
Status set_named(const Items& items, const char* key, std::optional<Value> (*find)(std::string_view), const char* words, Value& field) {
  HEDGE_TRY(const auto name, word(items, key));
  if (!name) return {};
  const auto value = find(*name);
  if (!value) return bad(std::string(key) + " has no such value", *name, words);
  field = *value;
  return {};
}

std::optional<bool> switch_named(std::string_view name) {
  if (name == "on") return true;
  if (name == "off") return false;
  return std::nullopt;
}

/// One value a channel.
Result<std::vector<float>> per_channel(const Items& items, const char* key, std::int64_t channels, float otherwise) {
  const auto wanted = static_cast<std::size_t>(channels);
  const auto found = items.find(key);
  if (found == items.end()) return std::vector<float>(wanted, otherwise);
  if (found->second.size() == 1 && found->second[0] == "imagenet") {
    if (channels != 3) return bad("ImageNet's values are of three channels", key, "channels=3");
    const auto& values = std::string_view(key) == "mean" ? kImageNetMean : kImageNetStd;
    return std::vector<float>(std::begin(values), std::end(values));
  }
  std::vector<float> values;
  for (const auto& text : found->second) {
    HEDGE_TRY(values.emplace_back(), parse_number<float>(text, key));
  }
  if (values.size() == 1) values.resize(wanted, values[0]);
  if (values.size() != wanted)
    return bad(std::string(key) + " has another number of values than channels", std::to_string(values.size()),
               "1 or " + std::to_string(wanted));
  return values;
}

}  // namespace

Result<Preprocess> parse_recipe(std::string_view text) {
  HEDGE_TRY(const auto items, split_items(text));
  Preprocess recipe;
  HEDGE_TRY(recipe.version, whole(items, "version", Preprocess::kNewestVersion));
  HEDGE_TRY(recipe.channels, whole(items, "channels", 3));
  if (recipe.channels != 1 && recipe.channels != 3)
    return bad("images have another number of channels", std::to_string(recipe.channels), "1 or 3");
  HEDGE_TRY(recipe.resize_shorter, whole(items, "resize", 0));
  HEDGE_CHECK(set_crop(items, recipe));
  HEDGE_CHECK(set_named(items, "order", internal::channel_order_named, "rgb or bgr", recipe.channel_order));
  HEDGE_CHECK(set_named(items, "fit", internal::fit_named, "crop or squash", recipe.fit));
  HEDGE_CHECK(set_named(items, "filter", internal::filter_named, "bilinear, bicubic or nearest", recipe.filter));
  HEDGE_CHECK(set_named(items, "antialias", switch_named, "on or off", recipe.antialias));
  HEDGE_TRY(recipe.normalization.mean, per_channel(items, "mean", recipe.channels, 0));
  HEDGE_TRY(recipe.normalization.std, per_channel(items, "std", recipe.channels, 1));
  HEDGE_CHECK(recipe.validate());
  return recipe;
}

}  // namespace hedge::data

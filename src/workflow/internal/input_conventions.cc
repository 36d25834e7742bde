#include <algorithm>
#include <charconv>
#include <cmath>

#include "workflow/internal/conventions.h"

namespace hedge::workflow::internal {
namespace {

using data::Preprocess;

/// A mean and std in use, in the order R, G, B; of gray images the first alone counts.
struct Numbers {
  const char* key;
  const char* name;
  float mean[3];
  float std[3];
  bool gray;  ///< in use for gray images too
};
constexpr float kUnit = 1.0F / 255.0F;
constexpr Numbers kNumbers[] = {
    {"mean=0,std=1", "pixels from 0 to 1", {0, 0, 0}, {1, 1, 1}, true},
    {"mean=0.5,std=0.5", "pixels from -1 to 1 (mean=0.5, std=0.5)", {0.5F, 0.5F, 0.5F}, {0.5F, 0.5F, 0.5F}, true},
    {"mean=imagenet,std=imagenet", "mean and std of ImageNet", {0.485F, 0.456F, 0.406F}, {0.229F, 0.224F, 0.225F}, false},
    {"mean=0,std=1/255", "pixels from 0 to 255", {0, 0, 0}, {kUnit, kUnit, kUnit}, true},
};
constexpr float kCaffeMeans[] = {103.939F * kUnit, 116.779F * kUnit, 123.68F * kUnit};  // B, G, R

bool alike(float a, float b) { return std::abs(a - b) <= 1e-3F * std::max({std::abs(a), std::abs(b), 1e-6F}) + 1e-9F; }

bool alike(const Normalization& a, const Normalization& b) {
  const auto same = [](const std::vector<float>& x, const std::vector<float>& y) {
    return x.size() == y.size() && std::equal(x.begin(), x.end(), y.begin(), [](float p, float q) { return alike(p, q); });
  };
  return same(a.mean, b.mean) && same(a.std, b.std);
}

bool alike(const Preprocess& a, const Preprocess& b) {
  if (!alike(a.normalization, b.normalization)) return false;
  auto c = a;
  c.normalization = b.normalization;
  return c == b;
}

Preprocess with_numbers(Preprocess recipe, const Numbers& numbers) {
  const auto n = static_cast<std::size_t>(recipe.channels);
  recipe.normalization = {.mean = {numbers.mean, numbers.mean + n}, .std = {numbers.std, numbers.std + n}};
  if (recipe.channel_order == data::ChannelOrder::kBgr) {
    std::reverse(recipe.normalization.mean.begin(), recipe.normalization.mean.end());
    std::reverse(recipe.normalization.std.begin(), recipe.normalization.std.end());
  }
  return recipe;
}

/// The other order of channels; means and deviations stay with their colours.
Preprocess with_other_order(Preprocess recipe) {
  recipe.version = Preprocess::kNewestVersion;
  const bool rgb = recipe.channel_order == data::ChannelOrder::kRgb;
  recipe.channel_order = rgb ? data::ChannelOrder::kBgr : data::ChannelOrder::kRgb;
  std::reverse(recipe.normalization.mean.begin(), recipe.normalization.mean.end());
  std::reverse(recipe.normalization.std.begin(), recipe.normalization.std.end());
  return recipe;
}

Preprocess caffe(Preprocess recipe) {
  recipe.version = Preprocess::kNewestVersion;
  recipe.channel_order = data::ChannelOrder::kBgr;
  recipe.normalization = {.mean = {std::begin(kCaffeMeans), std::end(kCaffeMeans)}, .std = std::vector<float>(3, kUnit)};
  return recipe;
}

const char* order_of(const Preprocess& recipe) { return data::to_string(recipe.channel_order); }

std::string capitals(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

/// Collects conventions, each once.
class List {
 public:
  explicit List(const InputConvention& stated) : stated_(stated) { all_.push_back(stated); }

  void add(std::string key, std::string name, Preprocess recipe, bool several = false) {
    InputConvention one{
        .key = std::move(key), .name = std::move(name), .several = several, .recipe = std::move(recipe), .layout = stated_.layout};
    const bool known = std::any_of(all_.begin(), all_.end(), [&](const auto& other) { return alike(other.recipe, one.recipe); });
    if (!known) all_.push_back(std::move(one));
  }
  void add_layout() {
    auto one = stated_;
    one.layout = stated_.layout == model::Layout::kNchw ? model::Layout::kNhwc : model::Layout::kNchw;
    one.key = std::string("layout=") + model::to_string(one.layout);
    one.name = std::string("input in the layout ") + model::to_string(one.layout);
    one.several = false;
    all_.push_back(std::move(one));
  }
  std::vector<InputConvention> take() { return std::move(all_); }

 private:
  InputConvention stated_;
  std::vector<InputConvention> all_;
};

void add_colours(const Preprocess& stated, const InputFreedom& freedom, bool pairs, List& list) {
  const bool colour = stated.channels == 3;
  if (freedom.normalised)
    for (const auto& numbers : kNumbers)
      if (colour || numbers.gray) list.add(numbers.key, numbers.name, with_numbers(stated, numbers));
  if (!colour) return;
  const auto other = with_other_order(stated);
  const std::string order = order_of(other);
  list.add("order=" + order, "channels in the order " + capitals(order), other);
  if (!freedom.normalised) return;
  list.add("caffe", "as caffe: BGR, 0 to 255, less the means", caffe(stated));
  if (!pairs) return;
  for (const auto& numbers : kNumbers)
    list.add(std::string(numbers.key) + ",order=" + order, std::string(numbers.name) + ", " + capitals(order), with_numbers(other, numbers),
             true);
}

void add_filters(const Preprocess& stated, List& list) {
  using data::Filter;
  for (const auto filter : {Filter::kBilinear, Filter::kBicubic, Filter::kNearest}) {
    if (filter == stated.filter) continue;
    auto recipe = stated;
    recipe.version = Preprocess::kNewestVersion;
    recipe.filter = filter;
    list.add(std::string("filter=") + data::to_string(filter), std::string("resized ") + data::to_string(filter), recipe);
  }
  if (stated.filter == Filter::kNearest) return;
  auto recipe = stated;
  recipe.version = Preprocess::kNewestVersion;
  recipe.antialias = !stated.antialias;
  list.add(recipe.antialias ? "antialias=on" : "antialias=off",
           recipe.antialias ? "resized with antialiasing" : "resized without antialiasing", recipe);
}

void add_geometry(const Preprocess& stated, List& list) {
  constexpr double kUsualRatio = 0.875;
  const auto shorter = std::min(stated.height, stated.width);
  const auto ratio = [&](std::int64_t resize, const char* what) {
    auto recipe = stated;
    if (recipe.fit != data::Fit::kCrop) recipe.version = Preprocess::kNewestVersion;
    recipe.fit = data::Fit::kCrop;
    recipe.resize_shorter = resize;
    const bool near = stated.fit == data::Fit::kCrop &&
                      std::abs(static_cast<double>(resize - stated.resize_shorter)) <= 0.03 * static_cast<double>(resize);
    if (!near) list.add("resize=" + std::to_string(resize), "shorter side resized to " + std::to_string(resize) + what, recipe);
  };
  ratio(shorter, " (no margin)");
  ratio(std::llround(static_cast<double>(shorter) / kUsualRatio), " (ratio 0.875)");
  if (stated.fit != data::Fit::kSquash) {
    auto recipe = stated;
    recipe.version = Preprocess::kNewestVersion;
    recipe.fit = data::Fit::kSquash;
    recipe.resize_shorter = 0;
    list.add("fit=squash,resize=0", "squashed to " + std::to_string(stated.height) + "x" + std::to_string(stated.width), recipe);
  }
  if (stated.resize_shorter > 0 || stated.fit == data::Fit::kSquash) add_filters(stated, list);
  if (stated.version == 1) {
    auto recipe = stated;
    recipe.version = Preprocess::kNewestVersion;
    list.add("version=2", "turned as EXIF says", recipe);
  }
}

/// The shortest text that reads back as the same f32.
std::string number(float value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

std::string list_of(const std::vector<float>& values) {
  const bool same = std::all_of(values.begin(), values.end(), [&](float v) { return v == values[0]; });
  std::string text;
  for (const float value : values) {
    text += (text.empty() ? "" : ",") + number(value);
    if (same) break;
  }
  return text;
}

}  // namespace

std::vector<InputConvention> input_conventions(const InputConvention& stated, const InputFreedom& freedom, bool pairs) {
  List list(stated);
  add_colours(stated.recipe, freedom, pairs, list);
  add_geometry(stated.recipe, list);
  if (freedom.both_layouts) list.add_layout();
  return list.take();
}

std::string short_form(const Preprocess& recipe) {
  std::string text = recipe.resize_shorter > 0 ? "resize=" + std::to_string(recipe.resize_shorter) + "," : "";
  text += "crop=" + std::to_string(recipe.height);
  if (recipe.width != recipe.height) text += "x" + std::to_string(recipe.width);
  if (recipe.channels != 3) text += ",channels=" + std::to_string(recipe.channels);
  text += ",mean=" + list_of(recipe.normalization.mean) + ",std=" + list_of(recipe.normalization.std);
  if (recipe.version == 1) return text + ",version=1";
  if (recipe.channel_order != data::ChannelOrder::kRgb) text += std::string(",order=") + data::to_string(recipe.channel_order);
  if (recipe.fit != data::Fit::kCrop) text += std::string(",fit=") + data::to_string(recipe.fit);
  if (recipe.filter != data::Filter::kBilinear) text += std::string(",filter=") + data::to_string(recipe.filter);
  if (!recipe.antialias) text += ",antialias=off";
  return text;
}

}  // namespace hedge::workflow::internal

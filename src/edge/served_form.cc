#include "edge/served_form.h"

#include <algorithm>
#include <cmath>

namespace hedge::edge {
namespace {

constexpr float kLeastProbability = 1e-30F;  // as where the global was judged (docs/formats/model.md)
constexpr double kSumIsOne = 0.05;           // of a quantised softmax of a thousand classes
constexpr float kRounding = 1e-3F;           // below 0, above 1
constexpr double kSteps = 255;               // of an 8-bit range
constexpr double kSameSteps = 1.5;           // both as in infer/openvino/internal/image_input.cc
constexpr double kSameRange = 0.02;

/// Whether the recipe's numbers are quantised by the input's own grid; otherwise the pixels are what it takes.
bool quantises_recipe(const Normalization& n, const ModelForm& form) {
  if (form.least == 0 && form.most == 0) return false;
  const double width = form.most - form.least;
  double least = 1e30, most = -1e30;
  bool grid = true;
  for (std::size_t c = 0; c < n.mean.size(); ++c) {
    const double low = -n.mean[c] / n.std[c];
    const double high = (1.0 - n.mean[c]) / n.std[c];
    grid = grid && std::abs(low - form.least) <= kSameSteps * width / kSteps && std::abs(high - form.most) <= kSameSteps * width / kSteps;
    least = std::min(least, low);
    most = std::max(most, high);
  }
  return !grid && std::abs(least - form.least) <= kSameRange * width && std::abs(most - form.most) <= kSameRange * width;
}

float log_of(float p) { return std::log(std::max(p, kLeastProbability)); }

Error other_numbers(std::span<const float> values, model::OutputKind kind) {
  return {.code = ErrorCode::kMismatch,
          .what = "the cloud's numbers are not what the bundle's global gives",
          .got = std::to_string(*std::min_element(values.begin(), values.end())) + " to " +
                 std::to_string(*std::max_element(values.begin(), values.end())),
          .expected = to_string(kind),
          .hint = "serve the global's file as it was judged"};
}

}  // namespace

Result<ServedInput> find_served_input(const TensorSpec& input, const GlobalInfo& global) {
  const auto& r = global.preprocess;
  const Shape last = {1, r.height, r.width, r.channels};
  const Shape first = {1, r.channels, r.height, r.width};
  const bool known_type = input.dtype == DType::kU8 || input.dtype == DType::kI8 || input.dtype == DType::kF32;
  const bool as_last = known_type && fits(last, input.shape);
  const bool as_first = known_type && fits(first, input.shape);
  ServedInput served{.name = input.name, .dtype = input.dtype, .channels_first = as_first};
  if (as_last && as_first) {
    served.channels_first = global.form.layout == model::Layout::kNchw;
    // u8 with the channels last is how hedge-cloud takes images of any size.
    if (global.form.layout != model::Layout::kUnknown || input.dtype == DType::kU8) return served;
  } else if (as_last || as_first) {
    return served;
  }
  return Error{.code = ErrorCode::kMismatch,
               .what = "the cloud's model expects other images than the bundle's recipe gives",
               .where = input.name,
               .got = std::string(hedge::to_string(input.dtype)) + " " + hedge::to_string(input.shape),
               .expected = "u8 " + hedge::to_string(last) + ", or u8, i8 or f32 " + hedge::to_string(first),
               .hint = "serve the global that this bundle was made with"};
}

Tensor served_image(const data::Image& fitted, const GlobalInfo& global, const ServedInput& input) {
  const auto height = fitted.height, width = fitted.width, channels = fitted.channels;
  Tensor tensor(input.dtype, input.channels_first ? Shape{1, channels, height, width} : Shape{1, height, width, channels});
  const auto& n = global.preprocess.normalization;
  const bool quantises = input.dtype != DType::kF32 && quantises_recipe(n, global.form);
  const double step = (global.form.most - global.form.least) / kSteps;
  for (std::int64_t p = 0; p < height * width; ++p)
    for (std::int64_t c = 0; c < channels; ++c) {
      const auto pixel = fitted.pixels[static_cast<std::size_t>(p * channels + c)];
      const auto at = static_cast<std::size_t>(input.channels_first ? c * height * width + p : p * channels + c);
      const auto channel = static_cast<std::size_t>(c);
      const float real = (static_cast<float>(pixel) / 255.0F - n.mean[channel]) / n.std[channel];
      if (input.dtype == DType::kF32) {
        tensor.data<float>()[at] = real;
        continue;
      }
      const double q = quantises ? std::clamp(std::nearbyint((real - global.form.least) / step), 0.0, kSteps) : pixel;
      tensor.bytes()[at] = static_cast<std::byte>(static_cast<int>(q) - (input.dtype == DType::kI8 ? 128 : 0));
    }
  return tensor;
}

Result<std::vector<float>> served_logits(std::span<const float> values, model::OutputKind kind) {
  std::vector<float> logits(values.begin(), values.end());
  const bool shares = std::all_of(values.begin(), values.end(), [](float v) { return v >= -kRounding && v <= 1 + kRounding; });
  double sum = 0;
  for (const float value : values) sum += value;
  if (kind == model::OutputKind::kProbabilities) {
    if (!shares || std::abs(sum - 1) > kSumIsOne) return other_numbers(values, kind);
    for (float& value : logits) value = log_of(value);
  } else if (kind == model::OutputKind::kSigmoid) {
    if (!shares) return other_numbers(values, kind);
    for (float& value : logits) value = log_of(value) - log_of(1 - value);
  }
  if (logits.size() == 1) logits.insert(logits.begin(), 0.0F);
  return logits;
}

}  // namespace hedge::edge

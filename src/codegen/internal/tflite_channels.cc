#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "codegen/internal/tflite_import.h"

// ADD, SUB and MUL of an image with a constant value a channel, as a batch normalisation that no convolution could take in leaves them.
namespace hedge::codegen::internal {
namespace {

constexpr std::size_t kFirstActivation = 0;
constexpr double kUnit = 64;  // a sum's weight: it leaves 6 bits below the input's step for the constant

/// A layer of one weight a channel: integers, their scales, and a bias in the sums' unit.
struct Channelwise {
  std::vector<std::int8_t> weights;
  std::vector<float> scales;
  std::vector<std::int32_t> bias;  ///< empty: none
};

/// x times value: exact where the constant's steps fit into int8, else a channel's scale takes what is beyond.
Channelwise product(const std::vector<std::int64_t>& steps, double scale) {
  Channelwise made;
  constexpr std::int64_t kMost = 127;
  const bool fits = std::all_of(steps.begin(), steps.end(), [](std::int64_t step) { return std::abs(step) <= kMost; });
  for (const auto step : steps) {
    const bool kept = fits || step == 0;
    made.weights.push_back(static_cast<std::int8_t>(kept ? step : step < 0 ? -kMost : kMost));
    made.scales.push_back(static_cast<float>(kept ? scale : scale * static_cast<double>(std::abs(step)) / kMost));
  }
  return made;
}

/// sign * x + value.
Channelwise sum(const std::vector<double>& values, double sign, double input_scale) {
  Channelwise made;
  for (const double value : values) {
    made.weights.push_back(static_cast<std::int8_t>(sign * kUnit));
    made.scales.push_back(static_cast<float>(1 / kUnit));
    made.bias.push_back(static_cast<std::int32_t>(std::clamp(std::round(value * kUnit / input_scale), -2147483648.0, 2147483647.0)));
  }
  return made;
}

}  // namespace

bool TfliteImport::is_by_channel(const TfliteOperator& op, std::size_t constant) const {
  const bool given = op.inputs.size() == 2 && op.inputs[constant] >= 0 && op.inputs[1 - constant] >= 0;
  if (!given) return false;
  const auto& tensor = file_.tensors[static_cast<std::size_t>(op.inputs[constant])];
  const auto& other = file_.tensors[static_cast<std::size_t>(op.inputs[1 - constant])];
  if (!tensor.is_constant() || other.is_constant()) return false;
  return op.code == kTfliteSub || num_elements(tensor.shape) > 1;
}

Status TfliteImport::by_channel(const TfliteOperator& op, const std::string& name, std::size_t constant) {
  HEDGE_TRY(const Value x, operand(op, 1 - constant));
  const TfliteTensor& tensor = file_.tensors[static_cast<std::size_t>(op.inputs[constant])];
  const bool old = tensor.type == TfliteType::kUint8;
  if ((!old && tensor.type != TfliteType::kInt8) || tensor.scales.size() != 1 || tensor.scales[0] < 0)
    return error(ErrorCode::kUnsupported, op, "a constant that is not quantised to 8 bits with one positive scale");
  HEDGE_CHECK(require_image(op, x));
  const std::int64_t channels = x.shape[3], elements = num_elements(tensor.shape);
  if (elements != 1 && (elements != channels || tensor.shape.empty() || tensor.shape.back() != channels))
    return error(ErrorCode::kUnsupported, op, "a constant of another form", to_string(tensor.shape),
                 "one value, or one a channel, [" + std::to_string(channels) + "]");
  std::vector<std::int64_t> steps;
  std::vector<double> values;
  const double scale = static_cast<double>(tensor.scales[0]), sign = op.code == kTfliteSub && constant == 0 ? -1 : 1;
  for (std::int64_t i = 0; i < channels; ++i) {
    steps.push_back(weight_at(tensor, static_cast<std::size_t>(elements == 1 ? 0 : i)) - tensor.zero_points[0]);
    values.push_back(scale * static_cast<double>(steps.back()) * (op.code == kTfliteSub && constant == 1 ? -1 : 1));
  }
  const double input_scale = static_cast<double>(scale_of(x.tensor));
  const auto made = op.code == kTfliteMul ? product(steps, scale) : sum(values, sign, input_scale);
  const auto dequantised = [&](const std::string& what, Tensor integers, const std::vector<float>& scales) {
    const auto value = builder_.constant(name + what + "/int", std::move(integers));
    const auto by = builder_.constant(name + what + "/scale", Tensor::of<float>({channels}, scales));
    return builder_.op("DequantizeLinear", {value, by}, {{"axis", std::int64_t{0}}}, name + what);
  };
  std::vector<std::string> inputs = {x.name,
                                     dequantised(".weight", Tensor::of<std::int8_t>({channels, 1, 1, 1}, made.weights), made.scales)};
  if (!made.bias.empty()) {
    std::vector<float> scales;
    for (const float one : made.scales) scales.push_back(static_cast<float>(input_scale * static_cast<double>(one)));
    inputs.push_back(dequantised(".bias", Tensor::of<std::int32_t>({channels}, made.bias), scales));
  }
  const auto y = builder_.op("Conv", inputs, {{"kernel_shape", std::vector<std::int64_t>{1, 1}}, {"group", channels}}, name);
  HEDGE_TRY(const std::string activated_y, activated(op, kFirstActivation, y, name));
  return finish(op, activated_y);
}

}  // namespace hedge::codegen::internal

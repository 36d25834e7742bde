#include "codegen/network.h"

#include <algorithm>

#include "micro/table.h"

namespace hedge::codegen {
namespace {

Error broken(const Network& network, const std::string& where, std::string what) {
  return {.code = ErrorCode::kInternal, .what = std::move(what), .where = "network " + network.name + ", " + where};
}

/// Weights that a layer of this form has.
std::int64_t weights_of(const Layer& layer, const Activation& in, const Activation& out) {
  const std::int64_t window = std::int64_t{1} * layer.kernel_height * layer.kernel_width;
  switch (layer.kind) {
    case LayerKind::kConv: return window * in.channels * out.channels;
    case LayerKind::kDepthwise: return window * out.channels;
    case LayerKind::kFullyConnected: return in.bytes() * out.channels;
    case LayerKind::kTable: return micro::kTableBytes;
    default: return 0;
  }
}

bool in_order(const Network& network, std::vector<bool>& made, const Layer& layer) {
  const std::size_t wanted = layer.kind == LayerKind::kAdd || layer.kind == LayerKind::kMul ? 2 : 1;
  const bool enough = layer.kind == LayerKind::kConcat ? layer.inputs.size() > 1 : layer.inputs.size() == wanted;
  if (!enough || layer.output >= network.activations.size()) return false;
  for (const std::size_t input : layer.inputs)
    if (input >= made.size() || !made[input]) return false;
  if (made[layer.output]) return false;
  made[layer.output] = true;
  return true;
}

/// Rows (or columns) that a window gives, or -1 where it does not fit.
std::int64_t positions(std::int64_t size, std::int64_t pads, std::int64_t kernel, std::int64_t stride) {
  return kernel < 1 || stride < 1 || size + pads < kernel ? -1 : (size + pads - kernel) / stride + 1;
}

bool form_holds(const Network& network, const Layer& layer) {
  const Activation& in = network.activations[layer.inputs[0]];
  const Activation& out = network.activations[layer.output];
  const auto same = [&](const Activation& a) { return a.height == out.height && a.width == out.width && a.channels == out.channels; };
  switch (layer.kind) {
    case LayerKind::kFullyConnected: return out.height == 1 && out.width == 1;
    case LayerKind::kAdd: {
      const Activation& other = network.activations[layer.inputs[1]];
      return same(in) && same(other);
    }
    case LayerKind::kMul: {
      const Activation& other = network.activations[layer.inputs[1]];
      const bool gate = other.height == 1 && other.width == 1 && other.channels == out.channels;
      return same(in) && (gate || same(other));
    }
    case LayerKind::kTable: return same(in);
    case LayerKind::kConcat: {
      std::int32_t channels = 0;
      for (const std::size_t input : layer.inputs) {
        const Activation& one = network.activations[input];
        if (one.height != out.height || one.width != out.width || one.scale != out.scale || one.zero_point != out.zero_point) return false;
        channels += one.channels;
      }
      return channels == out.channels && layer.low == -128 && layer.high == 127;
    }
    default: break;
  }
  const bool grows = layer.kind == LayerKind::kDepthwise && out.channels % in.channels == 0;
  if (layer.kind != LayerKind::kConv && out.channels != in.channels && !grows) return false;
  return layer.pad_top >= 0 && layer.pad_left >= 0 && layer.pad_bottom >= 0 && layer.pad_right >= 0 &&
         positions(in.height, layer.pad_top + layer.pad_bottom, layer.kernel_height, layer.stride_height) == out.height &&
         positions(in.width, layer.pad_left + layer.pad_right, layer.kernel_width, layer.stride_width) == out.width;
}

Status check_layer(const Network& network, const Layer& layer) {
  const std::string where = "layer " + layer.name;
  const Activation& in = network.activations[layer.inputs[0]];
  const Activation& out = network.activations[layer.output];
  if (!form_holds(network, layer)) return broken(network, where, "the shapes do not fit the layer");
  const std::int64_t weights = weights_of(layer, in, out);
  const std::size_t channels = weights > 0 && layer.kind != LayerKind::kTable ? static_cast<std::size_t>(out.channels) : 0;
  if (static_cast<std::int64_t>(layer.weights.size()) != weights || layer.weight_scales.size() != channels || layer.bias.size() != channels)
    return broken(network, where, "the constants do not fit the layer");
  if (!std::all_of(layer.weight_scales.begin(), layer.weight_scales.end(), [](float s) { return s > 0; }))
    return broken(network, where, "a weight's scale is not positive");
  const bool keeps_scale = layer.kind == LayerKind::kAveragePool || layer.kind == LayerKind::kMaxPool;
  if (keeps_scale && (in.scale != out.scale || in.zero_point != out.zero_point)) return broken(network, where, "a pool changes the scale");
  if (layer.low < -128 || layer.high > 127 || layer.low > layer.high) return broken(network, where, "the clamp is empty");
  return {};
}

}  // namespace

const char* to_string(LayerKind kind) {
  switch (kind) {
    case LayerKind::kConv: return "conv";
    case LayerKind::kDepthwise: return "depthwise";
    case LayerKind::kFullyConnected: return "fully connected";
    case LayerKind::kAdd: return "add";
    case LayerKind::kAveragePool: return "average pool";
    case LayerKind::kMaxPool: return "max pool";
    case LayerKind::kTable: return "table";
    case LayerKind::kMul: return "multiply";
    case LayerKind::kConcat: return "concat";
    case LayerKind::kMean: return "mean";
  }
  return "unknown";
}

std::vector<double> effective_scales(const Network& network, const Layer& layer) {
  const auto in = static_cast<double>(network.activations[layer.inputs[0]].scale);
  const auto out = static_cast<double>(network.activations[layer.output].scale);
  std::vector<double> scales;
  for (const float weight : layer.weight_scales) scales.push_back(in * static_cast<double>(weight) / out);
  return scales;
}

double product_scale(const Network& network, const Layer& layer) {
  const auto scale = [&](std::size_t i) { return static_cast<double>(network.activations[i].scale); };
  return scale(layer.inputs[0]) * scale(layer.inputs[1]) / scale(layer.output);
}

Status check(const Network& network) {
  for (const Activation& activation : network.activations) {
    const std::string where = "activation " + activation.name;
    if (activation.height < 1 || activation.width < 1 || activation.channels < 1) return broken(network, where, "an empty shape");
    if (!(activation.scale > 0) || activation.zero_point < -128 || activation.zero_point > 127)
      return broken(network, where, "a scale that is not positive, or a zero point outside int8");
  }
  std::vector<bool> made(network.activations.size(), false);
  if (network.input >= made.size()) return broken(network, "input", "no such activation");
  made[network.input] = true;
  for (const Layer& layer : network.layers) {
    if (!in_order(network, made, layer)) return broken(network, "layer " + layer.name, "inputs or output out of order");
    HEDGE_CHECK(check_layer(network, layer));
  }
  for (const std::size_t output : network.outputs)
    if (output >= made.size() || !made[output]) return broken(network, "outputs", "an activation that no layer makes");
  if (network.outputs.empty() || network.output_names.size() != network.outputs.size())
    return broken(network, "outputs", "no outputs, or not a name for each");
  return {};
}

}  // namespace hedge::codegen

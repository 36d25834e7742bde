#include <algorithm>

#include "codegen/internal/host_layer.h"
#include "codegen/kernels.h"

namespace hedge::codegen::internal {
namespace {

Error outside(const Layer& layer, std::string what, std::string got, std::string expected) {
  return {.code = ErrorCode::kUnsupported,
          .what = std::move(what),
          .where = "layer " + layer.name,
          .got = std::move(got),
          .expected = std::move(expected),
          .hint = "calibrate with other images or another range method"};
}

/// TFLite's multipliers. A fully connected layer with one scale for all has its product of scales taken in float there.
std::vector<micro::exact::Multiplier> exact_multipliers(const Network& network, const Layer& layer) {
  std::vector<double> scales = effective_scales(network, layer);
  const auto& weights = layer.weight_scales;
  const bool one_scale = std::all_of(weights.begin(), weights.end(), [&](float s) { return s == weights[0]; });
  if (layer.kind == LayerKind::kFullyConnected && one_scale) {
    const float product = network.activations[layer.inputs[0]].scale * weights[0];
    std::fill(scales.begin(), scales.end(), static_cast<double>(product) / static_cast<double>(network.activations[layer.output].scale));
  }
  std::vector<micro::exact::Multiplier> multipliers;
  for (const double scale : scales) multipliers.push_back(micro::exact::quantize_multiplier(scale));
  return multipliers;
}

Status prepare_exact(const Network& network, const Layer& layer, PreparedLayer& prepared) {
  const std::int32_t zero = network.activations[layer.inputs[0]].zero_point;
  const std::size_t channels = layer.bias.size(), depth = layer.weights.size() / channels;
  prepared.weights.assign(layer.weights.begin(), layer.weights.end());
  prepared.bias = layer.bias;
  const bool depthwise = layer.kind == LayerKind::kDepthwise;
  for (std::size_t i = 0; i < layer.weights.size(); ++i) prepared.bias[depthwise ? i % channels : i / depth] -= zero * layer.weights[i];
  prepared.exact = exact_multipliers(network, layer);
  return {};
}

Status prepare_device(const Network& network, const Layer& layer, PreparedLayer& prepared) {
  const std::vector<double> scales = effective_scales(network, layer);
  const auto constants = constants_of(network, layer, scales);
  const bool depthwise = constants.depthwise;
  const std::int32_t depth = constants.depth, channels = constants.channels;
  if (!micro::can_pack_general(constants))
    return outside(layer, "a sum's scale is outside the device arithmetic", std::to_string(*std::max_element(scales.begin(), scales.end())),
                   "below 1024");
  prepared.weights.resize(layer.weights.size());
  for (std::int32_t c = 0; c < channels; ++c) {
    const std::int32_t first = depthwise ? c : c * depth, step = depthwise ? channels : 1;
    const micro::PackedChannel packed = micro::pack_channel(constants, c);
    prepared.bias.push_back(packed.bias);
    prepared.device.push_back(packed.multiplier);
    prepared.doublings.push_back(packed.doublings);
    for (std::int32_t k = 0; k < depth; ++k)
      prepared.weights[static_cast<std::size_t>(first + k * step)] = micro::packed_weight(constants, c, k, packed);
  }
  return {};
}

Status prepare_add(const Network& network, const Layer& layer, Arithmetic arithmetic, PreparedLayer& prepared) {
  const Activation& a = network.activations[layer.inputs[0]];
  const Activation& b = network.activations[layer.inputs[1]];
  const Activation& out = network.activations[layer.output];
  const auto scale = [](const Activation& x) { return static_cast<double>(x.scale); };
  prepared.exact_add = micro::exact::add_constants(scale(a), a.zero_point, scale(b), b.zero_point, scale(out), out.zero_point);
  if (arithmetic == Arithmetic::kExact) return {};
  if (micro::pack_add(scale(a), a.zero_point, scale(b), b.zero_point, scale(out), out.zero_point, &prepared.device_add)) return {};
  return outside(layer, "an addend's scale is outside the device arithmetic", std::to_string(std::max(scale(a), scale(b)) / scale(out)),
                 "below 8 times the sum's");
}

Status prepare_mul(const Network& network, const Layer& layer, Arithmetic arithmetic, PreparedLayer& prepared) {
  const Activation& a = network.activations[layer.inputs[0]];
  const Activation& b = network.activations[layer.inputs[1]];
  const Activation& out = network.activations[layer.output];
  const double scale = product_scale(network, layer);
  prepared.exact_mul = micro::exact::quantize_multiplier(scale);
  if (micro::pack_mul(scale, a.zero_point, b.zero_point, out.zero_point, &prepared.device_mul) || arithmetic == Arithmetic::kExact)
    return {};
  return outside(layer, "a product's scale is outside the device arithmetic", std::to_string(scale), "below 1/2");
}

}  // namespace

Result<PreparedLayer> prepare(const Network& network, const Layer& layer, Arithmetic arithmetic) {
  PreparedLayer prepared;
  switch (layer.kind) {
    case LayerKind::kConv:
    case LayerKind::kDepthwise:
    case LayerKind::kFullyConnected:
      HEDGE_CHECK(arithmetic == Arithmetic::kExact ? prepare_exact(network, layer, prepared) : prepare_device(network, layer, prepared));
      break;
    case LayerKind::kAdd: HEDGE_CHECK(prepare_add(network, layer, arithmetic, prepared)); break;
    case LayerKind::kMul: HEDGE_CHECK(prepare_mul(network, layer, arithmetic, prepared)); break;
    case LayerKind::kMean: {
      HEDGE_TRY(prepared.mean, mean_constants(network, layer));
      break;
    }
    default: break;
  }
  return prepared;
}

}  // namespace hedge::codegen::internal

#pragma once

#include <cstdint>
#include <vector>

#include "codegen/kernels.h"
#include "micro/naive.h"

namespace hedge::codegen::testing {

/// Every activation of `network` in the device arithmetic, layer after layer, by the kernels' naive twins: neither packing, planning nor
/// fusing takes part.
inline std::vector<std::vector<std::int8_t>> device_reference(const Network& network, const std::vector<std::int8_t>& input) {
  std::vector<std::vector<std::int8_t>> values(network.activations.size());
  values[network.input] = input;
  for (const auto& l : network.layers) {
    const auto& a = network.activations[l.inputs[0]];
    const auto& out = network.activations[l.output];
    auto& to = values[l.output];
    to.resize(static_cast<std::size_t>(out.bytes()));
    const auto* from = values[l.inputs[0]].data();
    std::vector<double> scales;
    for (const auto s : l.weight_scales)
      scales.push_back(static_cast<double>(a.scale) * static_cast<double>(s) / static_cast<double>(out.scale));
    micro::LayerConstants constants{
        .weights = l.weights.data(), .bias = l.bias.data(), .scales = scales.data(), .channels = out.channels, .input_zero = a.zero_point};
    auto geometry = geometry_of(network, l);
    switch (l.kind) {
      case LayerKind::kFullyConnected:
        geometry = {.channels = static_cast<std::int32_t>(a.bytes()), .input_zero = a.zero_point};
        [[fallthrough]];
      case LayerKind::kConv:
        constants.depth = geometry.kernel_height * geometry.kernel_width * geometry.channels;
        micro::naive::conv(geometry, constants, from, out.zero_point, clamp_of(l), to.data());
        break;
      case LayerKind::kDepthwise:
        constants.depth = l.kernel_height * l.kernel_width;
        constants.depthwise = true;
        micro::naive::conv(geometry, constants, from, out.zero_point, clamp_of(l), to.data());
        break;
      case LayerKind::kAdd: {
        const auto& b = network.activations[l.inputs[1]];
        micro::AddConstants add;
        micro::pack_add(a.scale, a.zero_point, b.scale, b.zero_point, out.scale, out.zero_point, &add);
        micro::naive::add(from, values[l.inputs[1]].data(), static_cast<std::int32_t>(out.bytes()), add, clamp_of(l), to.data());
        break;
      }
      case LayerKind::kMul: {
        const auto& b = network.activations[l.inputs[1]];
        micro::MulConstants mul;
        micro::pack_mul(static_cast<double>(a.scale) * static_cast<double>(b.scale) / static_cast<double>(out.scale), a.zero_point,
                        b.zero_point, out.zero_point, &mul);
        micro::naive::mul(from, values[l.inputs[1]].data(), static_cast<std::int32_t>(out.bytes()), static_cast<std::int32_t>(b.bytes()),
                          mul, clamp_of(l), to.data());
        break;
      }
      case LayerKind::kTable: micro::naive::look_up(l.weights.data(), from, static_cast<std::int32_t>(out.bytes()), to.data()); break;
      case LayerKind::kConcat: {
        std::size_t at = 0;
        for (std::int32_t pixel = 0; pixel < out.height * out.width; ++pixel)
          for (const auto input : l.inputs)
            for (std::int32_t c = 0; c < network.activations[input].channels; ++c)
              to[at++] = values[input][static_cast<std::size_t>(pixel * network.activations[input].channels + c)];
        break;
      }
      case LayerKind::kMean: {
        micro::exact::Mean mean;
        micro::exact::mean_constants(static_cast<double>(a.scale) / static_cast<double>(out.scale), l.kernel_height * l.kernel_width,
                                     a.zero_point, out.zero_point, &mean);
        micro::naive::mean(geometry, from, mean, clamp_of(l), to.data());
        break;
      }
      default: micro::naive::pool(geometry, from, l.kind != LayerKind::kMaxPool, clamp_of(l), to.data());
    }
  }
  return values;
}

}  // namespace hedge::codegen::testing

#include <algorithm>

#include "codegen/internal/host_layer.h"
#include "micro/general.h"
#include "micro/pool.h"

namespace hedge::codegen::internal {
namespace {

std::int8_t finish(const Layer& layer, const PreparedLayer& prepared, Arithmetic arithmetic, std::int32_t sum, std::size_t channel,
                   std::int32_t zero) {
  if (arithmetic == Arithmetic::kExact && layer.kind == LayerKind::kFullyConnected)
    return micro::exact::clamp(micro::exact::multiply_once(sum, prepared.exact[channel]) + zero, layer.low, layer.high);
  if (arithmetic == Arithmetic::kExact) return micro::exact::requantize(sum, prepared.exact[channel], zero, layer.low, layer.high);
  return micro::exact::clamp(micro::requantize_doubled(sum, prepared.doublings[channel], prepared.device[channel], zero), layer.low,
                             layer.high);
}

/// The window at output (y, x) as int16 [kernel rows, kernel columns, channels], the zero point outside the image.
void gather(const Layer& layer, const Activation& in, const std::int8_t* from, std::int32_t y, std::int32_t x, std::int16_t* patch) {
  for (std::int32_t ky = 0; ky < layer.kernel_height; ++ky)
    for (std::int32_t kx = 0; kx < layer.kernel_width; ++kx, patch += in.channels) {
      const std::int32_t row = y * layer.stride_height - layer.pad_top + ky, column = x * layer.stride_width - layer.pad_left + kx;
      if (row < 0 || row >= in.height || column < 0 || column >= in.width) {
        std::fill_n(patch, in.channels, static_cast<std::int16_t>(in.zero_point));
      } else {
        std::copy_n(from + (std::int64_t{row} * in.width + column) * in.channels, in.channels, patch);
      }
    }
}

std::int32_t dot(const std::int16_t* a, const std::int16_t* b, std::size_t count) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += std::int32_t{a[i]} * b[i];
  return sum;
}

/// sums[c] = bias[c] + patch[k, c / each] * weights[k, c] over k; each: outputs a channel.
void depthwise_sums(const PreparedLayer& prepared, const std::vector<std::int16_t>& patch, std::size_t inputs,
                    std::vector<std::int32_t>& sums) {
  sums = prepared.bias;
  const std::size_t outputs = sums.size(), each = outputs / inputs;
  for (std::size_t k = 0; k < patch.size() / inputs; ++k)
    for (std::size_t c = 0; c < outputs; ++c) sums[c] += std::int32_t{patch[k * inputs + c / each]} * prepared.weights[k * outputs + c];
}

}  // namespace

void run_product(const Network& network, const Layer& layer, const PreparedLayer& prepared, Arithmetic arithmetic,
                 Activations& activations) {
  const Activation& in = network.activations[layer.inputs[0]];
  const Activation& out = network.activations[layer.output];
  const std::int8_t* from = activations[layer.inputs[0]].data();
  std::int8_t* to = activations[layer.output].data();
  const bool depthwise = layer.kind == LayerKind::kDepthwise, flat = layer.kind == LayerKind::kFullyConnected;
  const auto channels = static_cast<std::size_t>(out.channels);
  const auto depth = static_cast<std::size_t>(flat ? in.bytes() : std::int64_t{1} * layer.kernel_height * layer.kernel_width * in.channels);
  std::vector<std::int16_t> patch(depth);
  std::vector<std::int32_t> sums(channels);
  for (std::int32_t y = 0; y < out.height; ++y)
    for (std::int32_t x = 0; x < out.width; ++x) {
      if (flat) {
        std::copy_n(from, depth, patch.data());
      } else {
        gather(layer, in, from, y, x, patch.data());
      }
      if (depthwise) {
        depthwise_sums(prepared, patch, static_cast<std::size_t>(in.channels), sums);
      } else {
        for (std::size_t o = 0; o < channels; ++o)
          sums[o] = prepared.bias[o] + dot(patch.data(), prepared.weights.data() + o * depth, depth);
      }
      for (std::size_t o = 0; o < channels; ++o) *to++ = finish(layer, prepared, arithmetic, sums[o], o, out.zero_point);
    }
}

void run_add(const Network&, const Layer& layer, const PreparedLayer& prepared, Arithmetic arithmetic, Activations& activations) {
  const auto& a = activations[layer.inputs[0]];
  const auto& b = activations[layer.inputs[1]];
  auto& out = activations[layer.output];
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = arithmetic == Arithmetic::kExact ? micro::exact::add(a[i], b[i], prepared.exact_add, layer.low, layer.high)
                                              : micro::exact::clamp(micro::add_one(a[i], b[i], prepared.device_add), layer.low, layer.high);
}

void run_mul(const Network& network, const Layer& layer, const PreparedLayer& prepared, Arithmetic arithmetic, Activations& activations) {
  const auto& a = activations[layer.inputs[0]];
  const auto& b = activations[layer.inputs[1]];
  auto& out = activations[layer.output];
  const auto& c = prepared.device_mul;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::int8_t gate = b[i % b.size()];  // channels last: [1, 1, C] repeats a pixel
    out[i] = arithmetic == Arithmetic::kExact
                 ? micro::exact::requantize((a[i] - c.a_zero) * (gate - c.b_zero), prepared.exact_mul,
                                            network.activations[layer.output].zero_point, layer.low, layer.high)
                 : micro::exact::clamp(micro::mul_one(a[i], gate, c), layer.low, layer.high);
  }
}

void run_concat(const Network& network, const Layer& layer, Activations& activations) {
  const Activation& out = network.activations[layer.output];
  std::int8_t* first = activations[layer.output].data();
  for (const std::size_t input : layer.inputs) {
    const std::int32_t channels = network.activations[input].channels;
    micro::copy_channels(activations[input].data(), out.height * out.width, channels, first, out.channels);
    first += channels;
  }
}

void run_table(const Layer& layer, Activations& activations) {
  const auto& in = activations[layer.inputs[0]];
  auto& out = activations[layer.output];
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = layer.weights[static_cast<std::size_t>(in[i] + 128)];
}

void run_pool(const Network& network, const Layer& layer, const PreparedLayer& prepared, Activations& activations) {
  const Activation& in = network.activations[layer.inputs[0]];
  const Activation& out = network.activations[layer.output];
  const std::int8_t* from = activations[layer.inputs[0]].data();
  std::int8_t* to = activations[layer.output].data();
  for (std::int32_t y = 0; y < out.height; ++y)
    for (std::int32_t x = 0; x < out.width; ++x) {
      const std::int32_t top = y * layer.stride_height - layer.pad_top, left = x * layer.stride_width - layer.pad_left;
      const std::int32_t bottom = std::min(top + layer.kernel_height, in.height), right = std::min(left + layer.kernel_width, in.width);
      for (std::int32_t c = 0; c < in.channels; ++c) {
        std::int32_t sum = 0, most = -128, count = 0;
        for (std::int32_t row = std::max(top, 0); row < bottom; ++row)
          for (std::int32_t column = std::max(left, 0); column < right; ++column, ++count) {
            const std::int32_t value = from[(std::int64_t{row} * in.width + column) * in.channels + c];
            sum += value;
            most = std::max(most, value);
          }
        std::int32_t value = most;
        if (layer.kind == LayerKind::kAveragePool && count > 0) value = micro::exact::mean(sum, count);
        if (layer.kind == LayerKind::kMean) value = micro::exact::mean(sum, prepared.mean, -128, 127);
        *to++ = micro::exact::clamp(value, layer.low, layer.high);
      }
    }
}

}  // namespace hedge::codegen::internal

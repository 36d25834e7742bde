#pragma once

#include <cstdint>

#include "micro/depthwise.h"
#include "micro/pack.h"

/// Depthwise convolution over a whole image out of a stream a third as long: int8 weights, brought into depthwise()'s form a channel at a
/// time. For Layout::kWords, where flash is short; the same bytes as depthwise(), for a few instructions a weight more.
///
/// The stream, for each channel: int32 bias, int32 multiplier, int8 weights [kernel, kernel] and zeros up to a multiple of 4.
namespace hedge {
namespace micro {

constexpr std::int32_t compact_depthwise_stream_bytes(std::int32_t kernel, std::int32_t channels) {
  return channels * (8 + round_up(kernel * kernel, 4));
}
/// depthwise()'s, and one channel of its stream.
constexpr std::int32_t compact_depthwise_scratch_bytes(const Geometry& g) {
  return round_up(depthwise_scratch_bytes(g), 4) + depthwise_stream_bytes(Layout::kWords, g.kernel_height, g.stride_height, 1);
}

/// Writes compact_depthwise_stream_bytes() bytes. Precondition: can_pack().
inline void pack_compact_depthwise(const LayerConstants& layer, std::int32_t kernel, std::int32_t* stream) {
  for (std::int32_t c = 0; c < layer.channels; ++c, stream += 2 + round_up(kernel * kernel, 4) / 4) {
    const PackedChannel packed = pack_channel(layer, c);
    stream[0] = packed.bias;
    stream[1] = packed.multiplier;
    auto* weights = reinterpret_cast<std::int8_t*>(stream + 2);
    for (std::int32_t i = 0; i < round_up(kernel * kernel, 4); ++i)
      weights[i] = i < kernel * kernel ? packed_weight(layer, c, i, packed) : std::int8_t{0};
  }
}

namespace internal {

/// One channel's weights as depthwise() reads them (micro/depthwise.h, Layout::kWords).
template <std::int32_t kKernel, std::int32_t kStride>
void expand_channel(const std::int8_t* weights, std::int32_t* to) {
  const auto pair = [](const std::int8_t* w) {
    return static_cast<std::int32_t>(static_cast<std::uint16_t>(w[0]) | static_cast<std::uint32_t>(w[1]) << 16);
  };
  for (std::int32_t y = 0; y < kKernel; ++y, weights += kKernel) {
    for (std::int32_t x = 0; x + 2 < kKernel; x += 2) *to++ = pair(weights + x);
    for (std::int32_t x = kStride == 1 ? 1 : kKernel - 2; x + 1 < kKernel; x += 2) *to++ = pair(weights + x);
  }
}

}  // namespace internal

/// As depthwise(); `layer.stream` is the compact one, scratch compact_depthwise_scratch_bytes().
template <std::int32_t kKernel, std::int32_t kStride>
[[gnu::noinline]] void depthwise_compact(const Geometry& g, const Depthwise& layer, const std::int8_t* in, std::int8_t* out,
                                         void* scratch) {
  static_assert(kLayout == Layout::kWords, "the vectors' stream is compact as it is");
  auto* plane = static_cast<std::int16_t*>(scratch);
  auto* expanded = reinterpret_cast<std::int32_t*>(static_cast<std::int8_t*>(scratch) + round_up(depthwise_scratch_bytes(g), 4));
  internal::PlaneLoad load = internal::clear_plane<kKernel, kStride>(g, layer.channels, in, plane);
  const std::int32_t* stream = layer.stream;
  for (std::int32_t c = 0; c < layer.channels; ++c, ++load.in, stream += 2 + (kKernel * kKernel + 3) / 4) {
    expanded[0] = stream[0];
    expanded[1] = stream[1];
    internal::expand_channel<kKernel, kStride>(reinterpret_cast<const std::int8_t*>(stream + 2), expanded + 2);
    internal::load_plane(load);
    internal::PlaneCall call = internal::one_plane(g, layer, plane, load.row_pitch, out + c);
    call.stream = expanded;
    internal::Planes<kKernel, kStride>(call).run();
  }
  if (layer.clamp.is_needed()) internal::clamp_values(out, g.out_height * g.out_width * layer.channels, layer.clamp);
}

}  // namespace micro
}  // namespace hedge

#pragma once

#include <cstddef>
#include <cstdint>

/// What all kernels agree on: how constants lie in the stream, and how activations lie in memory.
///
/// Activations: int8, height x width x channels, channels last ("NHWC"). A kernel that feeds a depthwise layer can write "planes" instead:
/// int16, a plane a channel (micro/window.h), because the depthwise kernels read those.
/// Constants: one stream of 32-bit words (little-endian, 4-byte aligned), packed by micro/pack.h in the order in which the kernels read it.
/// How it is cut depends on the core:
namespace hedge {
namespace micro {

/// How weights are grouped in the stream. The values are those of generated code's reports and are never reused.
enum class Layout : std::uint8_t {
  kWords = 1,    ///< 4 weights of a channel at a time: portable, Cortex-M4, M7 (DSP extension)
  kVectors = 2,  ///< 16 weights of a channel at a time: Cortex-M55 (MVE)
};

/// The layout that kernels compiled here read, and which of their forms is compiled: HEDGE_MICRO_MVE, HEDGE_MICRO_DSP or the portable one.
#if defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 1)
#define HEDGE_MICRO_MVE 1
constexpr Layout kLayout = Layout::kVectors;
#else
#if defined(__ARM_FEATURE_DSP)
#define HEDGE_MICRO_DSP 1
#endif
constexpr Layout kLayout = Layout::kWords;
#endif

constexpr std::int32_t round_up(std::int32_t value, std::int32_t multiple) { return (value + multiple - 1) / multiple * multiple; }
/// Weights of a channel in one group of the stream.
constexpr std::int32_t group_of(Layout layout) { return layout == Layout::kVectors ? 16 : 4; }

/// Bounds of an output after saturation to int8: a fused ReLU or ReLU6 whose bounds are not the type's own.
struct Clamp {
  std::int32_t low = -128;
  std::int32_t high = 127;
  [[nodiscard]] constexpr bool is_needed() const { return low > -128 || high < 127; }
};

}  // namespace micro
}  // namespace hedge

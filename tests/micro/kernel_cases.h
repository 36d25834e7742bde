#pragma once

#include <cstdint>
#include <cstring>

#include "micro/kernels.h"
#include "micro/naive.h"

/// Random cases of every kernel against its naive twin, without any library, so that the same cases run on the host (kernels_test.cc) and
/// on a device (device/kernels_on_device.cc).
namespace hedge::micro::testing {

class Random {
 public:
  explicit Random(std::uint32_t seed) : state_(seed * 2654435761U + 12345U) {}
  std::uint32_t next() {
    state_ = state_ * 1664525U + 1013904223U;
    return state_ >> 8;
  }
  /// Both ends included.
  std::int32_t between(std::int32_t low, std::int32_t high) {
    return low + static_cast<std::int32_t>(next() % static_cast<std::uint32_t>(high - low + 1));
  }
  bool one_in(std::int32_t n) { return between(1, n) == 1; }
  void fill(std::int8_t* values, std::int32_t count) {
    for (std::int32_t i = 0; i < count; ++i) values[i] = static_cast<std::int8_t>(next());
  }

 private:
  std::uint32_t state_;
};

inline constexpr std::int32_t kMostIn = 12000, kMostWeights = 24000, kMostChannels = 256, kMostWork = 48000;
inline constexpr std::int8_t kGuard = 0x5a;

/// The memory of a case. Guards stand behind what a kernel may write.
struct Workspace {
  alignas(8) std::int8_t in[kMostIn + 8], first[kMostIn + 8], second[kMostIn + 8], expected[kMostIn + 8], got[kMostIn + 8];
  alignas(8) std::int8_t weights[3][kMostWeights];
  std::int32_t bias[3][kMostChannels];
  double scales[3][kMostChannels];
  alignas(8) std::int32_t stream[3][kMostWeights];
  alignas(8) std::int8_t work[kMostWork];
};

/// What failed, or nullptr.
using Outcome = const char*;

/// A case's layer constants, random; `slot` 0..2. Weights in the range of a quantiser, scales such that most outputs are not saturated.
inline LayerConstants random_layer(Random& random, Workspace& w, std::int32_t slot, std::int32_t depth, std::int32_t channels,
                                   bool depthwise) {
  for (std::int32_t i = 0; i < depth * channels; ++i) w.weights[slot][i] = static_cast<std::int8_t>(random.between(-127, 127));
  for (std::int32_t c = 0; c < channels; ++c) {
    w.bias[slot][c] = random.between(-20000, 20000);
    std::int32_t root = 1;
    while (root * root < depth) ++root;
    w.scales[slot][c] = 60.0 / (root * 10800.0) * (0.3 + random.between(0, 1000) / 1000.0);
    if (random.one_in(12)) {  // a nearly dead channel: a tiny scale under a large bias
      w.scales[slot][c] /= 4096.0;
      w.bias[slot][c] = random.between(-50000000, 50000000);
    }
    if (random.one_in(12)) {  // weights of a few steps, whose sum is multiplied by 1/2 and more
      for (std::int32_t k = 0; k < depth; ++k) {
        std::int8_t& weight = w.weights[slot][depthwise ? k * channels + c : c * depth + k];
        weight = static_cast<std::int8_t>(weight / 60);
      }
      w.scales[slot][c] = 0.5 + random.between(0, 1500) / 1000.0;
      w.bias[slot][c] = random.between(-200, 200);
    }
  }
  return {w.weights[slot], w.bias[slot], w.scales[slot], depth, channels, random.between(-128, 127), depthwise};
}

inline Clamp random_clamp(Random& random) {
  if (!random.one_in(3)) return {};
  const std::int32_t low = random.between(-128, 0);
  return {low, random.between(low, 127)};
}

inline Outcome compare(Workspace& w, std::int32_t count, const char* what) {
  if (std::memcmp(w.expected, w.got, static_cast<std::size_t>(count)) != 0) return what;
  for (std::int32_t i = count; i < count + 8; ++i)
    if (w.got[i] != kGuard) return "wrote behind its output";
  return nullptr;
}

inline void prepare(Workspace& w) {
  std::memset(w.got, kGuard, sizeof w.got);
  std::memset(w.work, kGuard, sizeof w.work);
}
/// The scratch memory has `bytes`; nothing behind it may change.
inline Outcome check_work(const Workspace& w, std::int32_t bytes) {
  if (bytes + 64 > kMostWork) return "the case is too big";
  for (std::int32_t i = bytes; i < bytes + 64; ++i)
    if (w.work[i] != kGuard) return "wrote behind its scratch";
  return nullptr;
}

inline Outcome matrix_case(Random& random, Workspace& w) {
  const std::int32_t depth = random.between(1, 90), channels = random.between(1, 70), pixels = random.between(1, 14);
  const LayerConstants layer = random_layer(random, w, 0, depth, channels, false);
  const Matrix matrix{w.stream[0], depth, channels, random.between(-128, 127), random_clamp(random)};
  const std::int32_t offset = random.between(0, 3);  // any alignment
  std::int8_t* in = w.in + offset;
  random.fill(in, pixels * depth);
  pack_matrix(kLayout, layer, w.stream[0]);
  const Geometry g{.in_width = pixels, .channels = depth, .out_width = pixels, .input_zero = layer.input_zero};
  const std::int32_t scratch = matrix_scratch_bytes(depth, channels);

  prepare(w);
  naive::conv(g, layer, in, matrix.output_zero, matrix.clamp, w.expected);
  pointwise(matrix, in, pixels, w.got, w.work);
  if (Outcome o = compare(w, pixels * channels, "pointwise")) return o;
  if (Outcome o = check_work(w, scratch)) return o;

  // With the residual, in place.
  Residual residual{w.got, {}, random_clamp(random)};
  pack_add(0.04, matrix.output_zero, 0.03 + random.between(0, 100) * 0.001, random.between(-128, 127), 0.05, random.between(-128, 127),
           &residual.constants);
  random.fill(w.first, pixels * channels);
  naive::add(w.expected, w.first, pixels * channels, residual.constants, residual.clamp, w.expected);
  prepare(w);
  std::memcpy(w.got, w.first, static_cast<std::size_t>(pixels * channels));
  pointwise_add(matrix, in, pixels, residual, w.got, w.work);
  if (Outcome o = compare(w, pixels * channels, "pointwise_add")) return o;
  return check_work(w, scratch);
}

inline Outcome planar_case(Random& random, Workspace& w) {
  const std::int32_t depth = random.between(1, 40), channels = random.between(1, 30), pixels = random.between(1, 14);
  const LayerConstants layer = random_layer(random, w, 0, depth, channels, false);
  const Matrix matrix{w.stream[0], depth, channels, random.between(-128, 127), random_clamp(random)};
  random.fill(w.in, pixels * depth);
  pack_matrix(kLayout, layer, w.stream[0]);
  const Geometry g{.in_width = pixels, .channels = depth, .out_width = pixels, .input_zero = layer.input_zero};
  naive::conv(g, layer, w.in, matrix.output_zero, matrix.clamp, w.expected);
  prepare(w);
  const std::int32_t pitch = round_up(pixels, 2) + 2 * random.between(0, 3);
  auto* planes = reinterpret_cast<std::int16_t*>(w.second);
  if (channels * pitch * 2 > kMostIn) return nullptr;
  std::memset(w.second, kGuard, sizeof w.second);
  pointwise_planar(matrix, w.in, pixels, planes, pitch, w.work);
  for (std::int32_t c = 0; c < channels; ++c)
    for (std::int32_t x = 0; x < pitch; ++x) {
      const std::int32_t value = planes[c * pitch + x];
      if (x < pixels ? value != w.expected[x * channels + c] : value != 0x5a5a) return "pointwise_planar";
    }
  return check_work(w, matrix_scratch_bytes(depth, channels));
}

inline Geometry random_geometry(Random& random, std::int32_t kernel_height, std::int32_t kernel_width, std::int32_t stride,
                                std::int32_t channels) {
  Geometry g{.in_height = random.between(1, 11),
             .in_width = random.between(1, 13),
             .channels = channels,
             .kernel_height = kernel_height,
             .kernel_width = kernel_width,
             .stride_height = stride,
             .stride_width = stride};
  g.pad_top = random.between(0, kernel_height - 1);
  g.pad_left = random.between(0, kernel_width - 1);
  const std::int32_t bottom = random.between(0, kernel_height - 1), right = random.between(0, kernel_width - 1);
  const std::int32_t height = g.in_height + g.pad_top + bottom, width = g.in_width + g.pad_left + right;
  if (height < kernel_height) g.in_height += kernel_height - height;
  if (width < kernel_width) g.in_width += kernel_width - width;
  g.out_height = (g.in_height + g.pad_top + bottom - kernel_height) / stride + 1;
  g.out_width = (g.in_width + g.pad_left + right - kernel_width) / stride + 1;
  return g;
}

inline Outcome conv_case(Random& random, Workspace& w) {
  const std::int32_t kernel_height = random.between(1, 5), kernel_width = random.one_in(2) ? kernel_height : random.between(1, 5);
  const std::int32_t in_channels = random.one_in(2) ? 3 : random.between(1, 9), channels = random.between(1, 20);
  Geometry g = random_geometry(random, kernel_height, kernel_width, random.between(1, 3), in_channels);
  const LayerConstants layer = random_layer(random, w, 0, conv_depth(g), channels, false);
  g.input_zero = layer.input_zero;
  const Matrix matrix{w.stream[0], conv_depth(g), channels, random.between(-128, 127), random_clamp(random)};
  random.fill(w.in, g.in_height * g.in_width * in_channels);
  pack_matrix(kLayout, layer, w.stream[0]);
  prepare(w);
  naive::conv(g, layer, w.in, matrix.output_zero, matrix.clamp, w.expected);
  conv(g, matrix, w.in, w.got, w.work);
  if (Outcome o = compare(w, g.out_height * g.out_width * channels, "conv")) return o;
  return check_work(w, conv_scratch_bytes(matrix.depth, channels));
}

template <std::int32_t kKernel, std::int32_t kStride>
Outcome depthwise_case(Random& random, Workspace& w) {
  const std::int32_t channels = random.between(1, 24);
  Geometry g = random_geometry(random, kKernel, kKernel, kStride, channels);
  const LayerConstants layer = random_layer(random, w, 0, kKernel * kKernel, channels, true);
  g.input_zero = layer.input_zero;
  const Depthwise depthwise_layer{w.stream[0], channels, random.between(-128, 127), random_clamp(random)};
  random.fill(w.in, g.in_height * g.in_width * channels);
  pack_depthwise(kLayout, layer, kKernel, kStride, w.stream[0]);
  prepare(w);
  naive::conv(g, layer, w.in, depthwise_layer.output_zero, depthwise_layer.clamp, w.expected);
  const bool in_place = g.in_height == g.out_height && g.in_width == g.out_width;
  const std::int32_t count = g.out_height * g.out_width * channels;
  if (in_place) std::memcpy(w.got, w.in, static_cast<std::size_t>(count));
  depthwise<kKernel, kStride>(g, depthwise_layer, in_place ? w.got : w.in, w.got, w.work);
  if (Outcome o = compare(w, count, "depthwise")) return o;
  return check_work(w, depthwise_scratch_bytes(g));
}

template <std::int32_t kKernel, std::int32_t kStride>
Outcome block_case(Random& random, Workspace& w) {
  const std::int32_t wide = random.between(1, 14), narrow = random.between(1, 8);
  Geometry g = random_geometry(random, kKernel, kKernel, kStride, wide);
  g.in_width = g.in_width < 10 ? g.in_width : 10;
  g.out_width = (g.in_width + 2 * g.pad_left - kKernel) / kStride + 1;
  if (g.in_width + 2 * g.pad_left < kKernel) return nullptr;
  // The front: none, pointwise, or a convolution of stride 2 over a larger image.
  const std::int32_t kind = random.between(0, 2);
  const bool residual = kind == 1 && g.in_height == g.out_height && g.in_width == g.out_width && kStride == 1;
  Geometry front{.in_height = g.in_height,
                 .in_width = g.in_width,
                 .channels = kind == 0 ? wide : random.between(1, 8),
                 .out_height = g.in_height,
                 .out_width = g.in_width};
  if (kind == 2) {
    front.in_height = 2 * g.in_height - random.between(0, 1), front.in_width = 2 * g.in_width - random.between(0, 1);
    front.channels = 3, front.kernel_height = front.kernel_width = 3, front.stride_height = front.stride_width = 2;
    front.pad_top = front.pad_left = 1;
  }
  const LayerConstants expand = random_layer(random, w, 0, conv_depth(front), wide, false);
  const LayerConstants middle = random_layer(random, w, 1, kKernel * kKernel, wide, true);
  const std::int32_t out_channels = residual ? front.channels : narrow;
  const LayerConstants project = random_layer(random, w, 2, wide, out_channels, false);
  front.input_zero = expand.input_zero;
  g.input_zero = middle.input_zero;
  Block block{.front_conv = kind == 2 ? &front : nullptr,
              .front = kind == 0 ? Matrix{} : Matrix{w.stream[0], expand.depth, wide, g.input_zero, random_clamp(random)},
              .geometry = g,
              .depthwise = {w.stream[1], wide, project.input_zero, random_clamp(random)},
              .project = {w.stream[2], wide, out_channels, random.between(-128, 127), random_clamp(random)},
              .has_residual = residual,
              .residual_clamp = random_clamp(random),
              .slack_rows = random.between(0, 5)};
  pack_add(0.04, block.project.output_zero, 0.05, expand.input_zero, 0.06, random.between(-128, 127), &block.residual);
  pack_matrix(kLayout, expand, w.stream[0]);
  pack_depthwise(kLayout, middle, kKernel, kStride, w.stream[1]);
  pack_matrix(kLayout, project, w.stream[2]);
  const std::int32_t in_count = front.in_height * front.in_width * front.channels;
  const std::int32_t out_pixels = g.out_height * g.out_width;
  random.fill(w.in, in_count);
  if (kind == 0)
    std::memcpy(w.first, w.in, static_cast<std::size_t>(in_count));
  else
    naive::conv(front, expand, w.in, block.front.output_zero, block.front.clamp, w.first);
  naive::conv(g, middle, w.first, block.depthwise.output_zero, block.depthwise.clamp, w.second);
  const Geometry flat{.in_width = out_pixels, .channels = wide, .out_width = out_pixels, .input_zero = project.input_zero};
  naive::conv(flat, project, w.second, block.project.output_zero, block.project.clamp, w.expected);
  if (residual) naive::add(w.expected, w.in, out_pixels * out_channels, block.residual, block.residual_clamp, w.expected);
  prepare(w);
  if (residual) std::memcpy(w.got, w.in, static_cast<std::size_t>(in_count));
  run_block<kKernel, kStride>(block, residual ? w.got : w.in, w.got, w.work);
  if (Outcome o = compare(w, out_pixels * out_channels, "run_block")) return o;
  return check_work(w, block_memory(block).bytes());
}

inline Outcome add_case(Random& random, Workspace& w) {
  const std::int32_t count = random.between(1, 300), offset = random.between(0, 3);
  random.fill(w.in, count + 3);
  random.fill(w.first, count + 3);
  AddConstants constants;
  if (!pack_add(0.001 * random.between(1, 300), random.between(-128, 127), 0.001 * random.between(1, 300), random.between(-128, 127), 0.05,
                random.between(-128, 127), &constants))
    return "pack_add";
  const Clamp clamp = random_clamp(random);
  prepare(w);
  naive::add(w.in + offset, w.first, count, constants, clamp, w.expected);
  add(w.in + offset, w.first, count, constants, clamp, w.got);
  return compare(w, count, "add");
}

inline Outcome general_case(Random& random, Workspace& w) {
  const bool depthwise = random.one_in(2);
  Geometry g = random_geometry(random, random.between(1, 5), random.between(1, 4), random.between(1, 3), random.between(1, 12));
  const std::int32_t channels = depthwise ? g.channels * random.between(1, 3) : random.between(1, 12);
  const std::int32_t depth = g.kernel_height * g.kernel_width * (depthwise ? 1 : g.channels);
  const LayerConstants layer = random_layer(random, w, 0, depth, channels, depthwise);
  g.input_zero = layer.input_zero;
  for (std::int32_t c = 0; c < channels; ++c)
    if (random.one_in(2)) w.scales[0][c] = 0.001 * random.between(100, 3000);
  random.fill(w.in, g.in_height * g.in_width * g.channels);
  const Clamp clamp = random_clamp(random);
  const std::int32_t zero = random.between(-128, 127);
  pack_general(layer, w.stream[0]);
  General general;
  general.stream = w.stream[0];
  general.channels = channels;
  general.output_zero = zero;
  general.clamp = clamp;
  prepare(w);
  naive::conv(g, layer, w.in, zero, clamp, w.expected);
  if (depthwise)
    general_conv<true>(g, general, w.in, w.got);
  else
    general_conv<false>(g, general, w.in, w.got);
  return compare(w, g.out_height * g.out_width * channels, "general_conv");
}

inline Outcome mul_case(Random& random, Workspace& w) {
  const std::int32_t pixels = random.between(1, 20), channels = random.between(1, 40), count = pixels * channels;
  random.fill(w.in, count);
  random.fill(w.first, channels);
  MulConstants constants;
  if (!pack_mul(0.0001 * random.between(1, 4999), random.between(-128, 127), random.between(-128, 127), random.between(-128, 127),
                &constants))
    return "pack_mul";
  const Clamp clamp = random_clamp(random);
  prepare(w);
  naive::mul(w.in, w.first, count, channels, constants, clamp, w.expected);
  mul(w.in, w.first, pixels, channels, constants, clamp, w.got);
  return compare(w, count, "mul");
}

inline Outcome table_case(Random& random, Workspace& w) {
  const std::int32_t count = random.between(1, 300);
  random.fill(w.in, count);
  alignas(4) std::int8_t table[kTableBytes];
  random.fill(table, kTableBytes);
  std::int32_t stream[kTableBytes / 4];
  std::memcpy(stream, table, sizeof stream);
  prepare(w);
  naive::look_up(table, w.in, count, w.expected);
  look_up(stream, w.in, count, w.got);
  return compare(w, count, "look_up");
}

inline Outcome pool_case(Random& random, Workspace& w) {
  const Geometry g = random_geometry(random, random.between(1, 4), random.between(1, 4), random.between(1, 3), random.between(1, 20));
  random.fill(w.in, g.in_height * g.in_width * g.channels);
  const Clamp clamp = random_clamp(random);
  // A window that lies wholly outside has no pixels; networks have none.
  if ((g.out_height - 1) * g.stride_height - g.pad_top >= g.in_height || (g.out_width - 1) * g.stride_width - g.pad_left >= g.in_width)
    return nullptr;
  const std::int32_t count = g.out_height * g.out_width * g.channels;
  prepare(w);
  naive::pool(g, w.in, true, clamp, w.expected);
  average_pool(g, w.in, clamp, w.got);
  if (Outcome o = compare(w, count, "average_pool")) return o;
  prepare(w);
  naive::pool(g, w.in, false, clamp, w.expected);
  max_pool(g, w.in, clamp, w.got);
  if (Outcome o = compare(w, count, "max_pool")) return o;
  exact::Mean constants;
  const Geometry rows{.in_height = g.in_height,
                      .in_width = g.in_width,
                      .channels = g.channels,
                      .kernel_height = g.in_height,
                      .out_height = 1,
                      .out_width = g.in_width};
  if (!exact::mean_constants(0.001 * random.between(1, 9999), g.in_height, random.between(-128, 127), random.between(-128, 127),
                             &constants))
    return "mean_constants";
  prepare(w);
  naive::mean(rows, w.in, constants, clamp, w.expected);
  mean(rows, w.in, constants, clamp, w.got);
  if (Outcome o = compare(w, g.in_width * g.channels, "mean")) return o;
  const Geometry whole{
      .in_height = g.in_height, .in_width = g.in_width, .channels = g.channels, .kernel_height = g.in_height, .kernel_width = g.in_width};
  prepare(w);
  naive::pool(whole, w.in, true, clamp, w.expected);
  global_average_pool(w.in, g.in_height * g.in_width, g.channels, clamp, w.got);
  return compare(w, g.channels, "global_average_pool");
}

struct KernelCase {
  const char* name;
  Outcome (*run)(Random& random, Workspace& workspace);
};

inline constexpr KernelCase kKernelCases[] = {
    {"pointwise", matrix_case},
    {"pointwise_planar", planar_case},
    {"conv", conv_case},
    {"depthwise 3 s1", depthwise_case<3, 1>},
    {"depthwise 3 s2", depthwise_case<3, 2>},
    {"depthwise 5 s1", depthwise_case<5, 1>},
    {"depthwise 5 s2", depthwise_case<5, 2>},
    {"depthwise 7 s1", depthwise_case<7, 1>},
    {"depthwise 7 s2", depthwise_case<7, 2>},
    {"block 3 s1", block_case<3, 1>},
    {"block 3 s2", block_case<3, 2>},
    {"block 5 s1", block_case<5, 1>},
    {"block 5 s2", block_case<5, 2>},
    {"block 7 s1", block_case<7, 1>},
    {"block 7 s2", block_case<7, 2>},
    {"add", add_case},
    {"general", general_case},
    {"mul", mul_case},
    {"table", table_case},
    {"pools", pool_case},
};

}  // namespace hedge::micro::testing

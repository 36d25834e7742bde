#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "codegen/network.h"
#include "core/rng.h"

namespace hedge::codegen::testing {

/// Builds int8 networks of random weights whose scales keep the activations alive, for the planner and the emitter.
class NetworkBuilder {
 public:
  NetworkBuilder(std::string name, std::int32_t height, std::int32_t width, std::int32_t channels, std::uint64_t seed) : rng_(seed) {
    network_.name = std::move(name);
    network_.input = activation("input", height, width, channels, 0.02F, -1);
  }

  struct Window {
    std::int32_t kernel = 1, stride = 1;
    bool relu6 = true;
    bool same_tf = false;  ///< TFLite's SAME: at stride 2 less padding above than below
  };

  std::size_t conv(std::size_t from, std::int32_t channels, Window w) { return window(LayerKind::kConv, from, channels, w); }
  std::size_t depthwise(std::size_t from, Window w) { return window(LayerKind::kDepthwise, from, at(from).channels, w); }

  std::size_t add(std::size_t a, std::size_t b) {
    const auto like = at(a);
    const auto out = activation("add" + number(), like.height, like.width, like.channels, scale() * 4.0F, -6);
    network_.layers.push_back({.kind = LayerKind::kAdd, .name = at(out).name, .inputs = {a, b}, .output = out});
    return out;
  }

  /// A random one-input function.
  std::size_t table(std::size_t from) {
    const auto like = at(from);
    const auto out = activation("table" + number(), like.height, like.width, like.channels, scale() * 4.0F, -20);
    Layer layer{.kind = LayerKind::kTable, .name = at(out).name, .inputs = {from}, .output = out};
    for (int i = 0; i < 256; ++i) layer.weights.push_back(static_cast<std::int8_t>(static_cast<int>(rng_.below(256)) - 128));
    network_.layers.push_back(std::move(layer));
    return out;
  }

  /// `gate` has the shape of `from`, or one value a channel.
  std::size_t mul(std::size_t from, std::size_t gate) {
    const auto like = at(from);
    const auto out = activation("mul" + number(), like.height, like.width, like.channels, like.scale * at(gate).scale * 40.0F, 5);
    network_.layers.push_back({.kind = LayerKind::kMul, .name = at(out).name, .inputs = {from, gate}, .output = out});
    return out;
  }

  std::size_t global_pool(std::size_t from) {
    const auto like = at(from);
    const auto out = activation("pool" + number(), 1, 1, like.channels, like.scale, like.zero_point);
    network_.layers.push_back({.kind = LayerKind::kAveragePool,
                               .name = at(out).name,
                               .inputs = {from},
                               .output = out,
                               .kernel_height = like.height,
                               .kernel_width = like.width,
                               .stride_height = like.height,
                               .stride_width = like.width});
    return out;
  }

  std::size_t max_pool(std::size_t from, std::int32_t kernel, std::int32_t stride) {
    const auto like = at(from);
    const auto out = activation("pool" + number(), (like.height - kernel) / stride + 1, (like.width - kernel) / stride + 1, like.channels,
                                like.scale, like.zero_point);
    network_.layers.push_back({.kind = LayerKind::kMaxPool,
                               .name = at(out).name,
                               .inputs = {from},
                               .output = out,
                               .kernel_height = kernel,
                               .kernel_width = kernel,
                               .stride_height = stride,
                               .stride_width = stride});
    return out;
  }

  std::size_t dense(std::size_t from, std::int32_t classes) {
    const auto fan_in = static_cast<std::int32_t>(at(from).bytes());
    const auto out = activation("dense" + number(), 1, 1, classes, scale() * 4.0F, 3);
    Layer layer{.kind = LayerKind::kFullyConnected, .name = at(out).name, .inputs = {from}, .output = out};
    constants(layer, fan_in, classes, at(from).scale, at(out).scale);
    layer.macs = std::int64_t{fan_in} * classes;
    network_.layers.push_back(std::move(layer));
    return out;
  }

  [[nodiscard]] const Activation& at(std::size_t i) const { return network_.activations[i]; }
  [[nodiscard]] std::size_t input() const { return network_.input; }

  Network finish(std::vector<std::size_t> outputs) {
    network_.outputs = std::move(outputs);
    for (std::size_t i = 0; i < network_.outputs.size(); ++i) network_.output_names.push_back(i == 0 ? "logits" : "features");
    return network_;
  }

 private:
  std::size_t activation(std::string name, std::int32_t h, std::int32_t w, std::int32_t c, float scale, std::int32_t zero) {
    network_.activations.push_back({.name = std::move(name), .height = h, .width = w, .channels = c, .scale = scale, .zero_point = zero});
    return network_.activations.size() - 1;
  }
  std::string number() { return std::to_string(network_.layers.size()); }
  float scale() { return static_cast<float>(0.01 + 0.01 * rng_.uniform()); }

  std::size_t window(LayerKind kind, std::size_t from, std::int32_t channels, Window w) {
    const auto in = at(from);
    const auto pad = [&](std::int32_t size) {
      if (!w.same_tf) return std::pair{w.kernel / 2, w.kernel / 2};
      const auto out = (size + w.stride - 1) / w.stride, all = std::max((out - 1) * w.stride + w.kernel - size, 0);
      return std::pair{all / 2, all - all / 2};
    };
    const auto [top, bottom] = pad(in.height);
    const auto [left, right] = pad(in.width);
    const auto out =
        activation((kind == LayerKind::kConv ? "conv" : "depthwise") + number(), (in.height + top + bottom - w.kernel) / w.stride + 1,
                   (in.width + left + right - w.kernel) / w.stride + 1, channels, w.relu6 ? 6.0F / 255.0F : scale() * 3.0F,
                   w.relu6 ? -128 : static_cast<std::int32_t>(rng_.below(21)) - 10);
    Layer layer{.kind = kind,
                .name = at(out).name,
                .inputs = {from},
                .output = out,
                .kernel_height = w.kernel,
                .kernel_width = w.kernel,
                .stride_height = w.stride,
                .stride_width = w.stride,
                .pad_top = top,
                .pad_left = left,
                .pad_bottom = bottom,
                .pad_right = right};
    const auto fan_in = w.kernel * w.kernel * (kind == LayerKind::kConv ? in.channels : 1);
    constants(layer, fan_in, channels, in.scale, at(out).scale);
    layer.macs = std::int64_t{fan_in} * channels * at(out).height * at(out).width;
    network_.layers.push_back(std::move(layer));
    return out;
  }

  /// Weights uniform in int8, scales so that the sum of `fan_in` products spreads over the output's range.
  void constants(Layer& layer, std::int32_t fan_in, std::int32_t channels, float in_scale, float out_scale) {
    for (std::int64_t i = 0; i < std::int64_t{fan_in} * channels; ++i)
      layer.weights.push_back(static_cast<std::int8_t>(static_cast<int>(rng_.below(255)) - 127));
    for (std::int32_t c = 0; c < channels; ++c) {
      const double spread = 73.0 * 40.0 * std::sqrt(static_cast<double>(fan_in));
      layer.weight_scales.push_back(static_cast<float>(50.0 * (0.5 + rng_.uniform()) * out_scale / (spread * in_scale)));
      layer.bias.push_back(static_cast<std::int32_t>(rng_.below(4000)) - 1000);
    }
  }

  Network network_;
  Rng rng_;
};

/// One row of MCUNet's table: depthwise kernel, channels in, expanded and out, stride, residual.
using Block = std::array<std::int32_t, 6>;

inline std::size_t inverted_residual(NetworkBuilder& b, std::size_t x, const Block& block, bool same_tf = false) {
  const auto [kernel, in, middle, out, stride, residual] = block;
  auto y = middle == in && residual == 0 && in == b.at(x).channels && stride == 1 && kernel == 3 && out < in ? x : b.conv(x, middle, {});
  y = b.depthwise(y, {.kernel = kernel, .stride = stride, .same_tf = same_tf});
  y = b.conv(y, out, {.relu6 = false});
  return residual ? b.add(x, y) : y;
}

inline Network mcunet(const std::string& name, std::int32_t resolution, std::int32_t stem, std::int32_t classes,
                      const std::vector<Block>& blocks, std::uint64_t seed = 1, bool same_tf = false) {
  NetworkBuilder b(name, resolution, resolution, 3, seed);
  auto x = b.conv(b.input(), stem, {.kernel = 3, .stride = 2, .same_tf = same_tf});
  for (const auto& block : blocks) x = inverted_residual(b, x, block, same_tf);
  x = b.global_pool(x);
  const auto logits = b.dense(x, classes);
  return b.finish({logits, x});
}

/// The visual wake words network of MCUNet's zoo (Lin et al. 2020): 80 x 80 x 3, 11 578 816 multiply-accumulates.
inline Network mcunet_vww1() {
  return mcunet("mcunet-vww1", 80, 16, 2,
                {{3, 16, 16, 8, 1, 0},
                 {3, 8, 48, 16, 2, 0},
                 {3, 16, 48, 16, 1, 1},
                 {3, 16, 48, 16, 1, 1},
                 {7, 16, 48, 24, 2, 0},
                 {3, 24, 144, 24, 1, 1},
                 {5, 24, 120, 24, 1, 1},
                 {7, 24, 144, 40, 2, 0},
                 {7, 40, 240, 40, 1, 1},
                 {3, 40, 240, 48, 1, 0},
                 {3, 48, 192, 48, 1, 1},
                 {5, 48, 240, 96, 2, 0},
                 {3, 96, 480, 96, 1, 1},
                 {3, 96, 384, 96, 1, 1},
                 {7, 96, 288, 160, 1, 0}});
}

/// The ImageNet network of the same zoo: 176 x 176 x 3, 81 785 520 multiply-accumulates.
inline Network mcunet_in3() {
  return mcunet("mcunet-in3", 176, 16, 1000,
                {{3, 16, 16, 8, 1, 0},
                 {7, 8, 24, 16, 2, 0},
                 {3, 16, 80, 16, 1, 1},
                 {7, 16, 80, 16, 1, 1},
                 {5, 16, 64, 16, 1, 1},
                 {5, 16, 80, 24, 2, 0},
                 {5, 24, 120, 24, 1, 1},
                 {5, 24, 120, 24, 1, 1},
                 {3, 24, 120, 40, 2, 0},
                 {7, 40, 240, 40, 1, 1},
                 {5, 40, 160, 40, 1, 1},
                 {5, 40, 200, 48, 1, 0},
                 {7, 48, 240, 48, 1, 1},
                 {3, 48, 240, 48, 1, 1},
                 {3, 48, 288, 96, 2, 0},
                 {7, 96, 480, 96, 1, 1},
                 {3, 96, 384, 96, 1, 1},
                 {7, 96, 480, 160, 1, 0}});
}

/// A small inverted-residual network of random widths, kernels and strides.
inline Network random_mobile(std::uint64_t seed) {
  Rng rng(seed, 7);
  const auto pick = [&](std::initializer_list<std::int32_t> of) { return of.begin()[rng.below(of.size())]; };
  NetworkBuilder b("mobile" + std::to_string(seed), 10 + static_cast<std::int32_t>(rng.below(15)),
                   9 + static_cast<std::int32_t>(rng.below(15)), pick({1, 3}), seed);
  const bool same_tf = rng.below(2) == 0;
  auto x = b.conv(b.input(), pick({8, 16}), {.kernel = 3, .stride = pick({1, 2}), .same_tf = same_tf});
  for (int i = 0; i < 4; ++i) {
    const auto in = b.at(x).channels;
    const auto stride = pick({1, 1, 2});
    const auto out = rng.below(2) == 0 ? in : pick({8, 12, 16, 24});
    x = inverted_residual(b, x, {pick({3, 5, 7}), in, in * pick({2, 3, 4}), out, stride, stride == 1 && out == in ? 1 : 0}, same_tf);
  }
  x = b.global_pool(x);
  const auto logits = b.dense(x, pick({2, 5, 10}));
  return b.finish({logits, x});
}

/// Two of MobileNetV3's blocks: hard-swish as a table, squeeze-excite; and an image times itself.
inline Network small_mobilenet_v3(std::uint64_t seed) {
  NetworkBuilder b("v3-" + std::to_string(seed), 14, 13, 3, seed);
  auto x = b.table(b.conv(b.input(), 8, {.kernel = 3, .stride = 2, .relu6 = false}));
  for (const std::int32_t out : {8, 12}) {
    auto y = b.table(b.conv(x, 24, {.relu6 = false}));
    y = b.table(b.depthwise(y, {.kernel = 5, .relu6 = false}));
    const auto gate = b.table(b.conv(b.conv(b.global_pool(y), 8, {}), 24, {.relu6 = false}));
    y = b.conv(b.mul(y, gate), out, {.relu6 = false});
    x = out == 8 ? b.add(x, y) : b.mul(y, b.table(y));
  }
  x = b.global_pool(x);
  const auto logits = b.dense(b.table(b.dense(x, 16)), 10);
  return b.finish({logits, x});
}

/// Basic blocks with shortcuts (the shape of MLPerf Tiny's ResNet-8), general convolutions, one strided 1 x 1.
inline Network small_resnet(std::uint64_t seed) {
  NetworkBuilder b("resnet" + std::to_string(seed), 16, 16, 3, seed);
  auto x = b.conv(b.input(), 8, {.kernel = 3});
  auto y = b.conv(b.conv(x, 8, {.kernel = 3}), 8, {.kernel = 3, .relu6 = false});
  x = b.add(x, y);
  y = b.conv(b.conv(x, 16, {.kernel = 3, .stride = 2, .same_tf = true}), 16, {.kernel = 3, .relu6 = false});
  const auto shortcut = b.conv(x, 16, {.kernel = 1, .stride = 2, .relu6 = false, .same_tf = true});
  x = b.add(shortcut, y);
  x = b.max_pool(x, 2, 2);
  x = b.global_pool(x);
  const auto logits = b.dense(x, 10);
  return b.finish({logits, x});
}

}  // namespace hedge::codegen::testing

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "hedge/result.h"
#include "hedge/tensor.h"

namespace hedge::codegen {

/// An int8 activation, one image, height x width x channels, channels last (a vector is 1 x 1 x C).
/// real = scale * (q - zero_point). Source: the TFLite 8-bit quantisation specification.
struct Activation {
  std::string name;
  std::int32_t height = 1, width = 1, channels = 1;
  float scale = 1;
  std::int32_t zero_point = 0;
  [[nodiscard]] std::int64_t bytes() const { return std::int64_t{1} * height * width * channels; }
};

/// What a layer computes. A reshape or flatten is no layer: the importer and the lowering drop it.
enum class LayerKind {
  kConv,            ///< weights [O, KH, KW, I]; pointwise is kernel 1 x 1
  kDepthwise,       ///< weights [KH, KW, C] of C output channels, as many an input channel (the depth multiplier)
  kFullyConnected,  ///< weights [O, I]; the input is flattened
  kAdd,             ///< two inputs of the same shape
  kAveragePool,     ///< kernel and stride given; a global pool has the input's size as kernel. Output scale = input scale
  kMaxPool,         ///< output scale = input scale
  kTable,           ///< a one-input function: weights [256], the output of each input from -128
  kMul,             ///< two inputs of the same shape, or the second [1, 1, C]
  kConcat,          ///< two inputs or more of the output's height, width and scale, their channels one after the other
  kMean,            ///< the mean of windows (all rows, all columns or both) in an output scale of its own: TFLite's MEAN
};

/// One int8 operation with its constants. Symmetric per-output-channel weights, int32 bias at scale input * weight.
struct Layer {
  LayerKind kind = LayerKind::kConv;
  std::string name;
  std::vector<std::size_t> inputs;  ///< into Network::activations: one, two of kAdd and kMul, more of kConcat
  std::size_t output = 0;           ///< into Network::activations
  std::int32_t kernel_height = 1, kernel_width = 1;
  std::int32_t stride_height = 1, stride_width = 1;
  std::int32_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;  ///< filled with the input's zero point
  std::int32_t low = -128, high = 127;                                    ///< the output's clamp: a fused ReLU or ReLU6, or the whole range
  std::vector<std::int8_t> weights;
  std::vector<float> weight_scales;  ///< a scale an output channel, also where all are the same
  std::vector<std::int32_t> bias;    ///< a value an output channel
  std::int64_t macs = 0;
  /// Of kConv, kDepthwise and kFullyConnected: there is no fast kernel for its window, or for what its sums are multiplied with
  /// (micro/general.h computes it).
  bool general = false;
};

/// A quantised network lowered from a graph with QuantizeLinear/DequantizeLinear nodes, in the order of execution: what the host runner
/// computes, the planner places and the emitter writes.
struct Network {
  std::string name;
  std::vector<Activation> activations;
  std::vector<Layer> layers;
  std::size_t input = 0;                  ///< into activations
  std::vector<std::size_t> outputs;       ///< into activations: logits first, then features where there are any
  std::vector<std::string> output_names;  ///< of `outputs`, as the graph calls them
};

/// "conv", "depthwise", …, for messages and reports.
const char* to_string(LayerKind kind);
using hedge::to_string;  // of shapes and element types, which the name above would hide in this room

/// input scale * weight scale / output scale, an output channel: what a sum is multiplied with. Precondition: a layer with weights.
std::vector<double> effective_scales(const Network& network, const Layer& layer);
/// The same of a product of two inputs: a's scale * b's scale / output scale. Precondition: kMul.
double product_scale(const Network& network, const Layer& layer);

/// Every index inside, sizes of constants as the layer's form says, scales positive, pools with the scale of their input, layers in an
/// order in which each input is made before. What lower and the importer give holds it; a host runner or an emitter may rely on it.
/// Errors: kInternal, `where` the layer.
Status check(const Network& network);

}  // namespace hedge::codegen

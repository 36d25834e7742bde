#pragma once

#include <filesystem>
#include <string_view>

#include "graph/graph.h"

namespace hedge::codegen {

/// Reads a quantised TensorFlow Lite model (.tflite, schema version 3) as a graph with QuantizeLinear and DequantizeLinear nodes, which
/// lower() takes. Input "image" f32 [N, C, H, W], output "logits" f32 [N, classes]; a Softmax or Dequantize at the end is left off.
/// The float tensor behind TFLite's tensor 24 is called "tensor_24", the node of its operator 3 "operator_3".
///
/// Operators: ADD, AVERAGE_POOL_2D, CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED, MAX_POOL_2D, MEAN (height and width), PAD before a
/// convolution, RESHAPE and SQUEEZE to a vector, QUANTIZE at the beginning, DEQUANTIZE and SOFTMAX at the end; with a fused ReLU or ReLU6.
/// int8 models are kept bit for bit. Older uint8 models come as int8: activations exactly (shifted by 128), weights rounded anew to a
/// symmetric scale a channel, which moves their results a little.
/// Errors: kBadFormat a truncated or damaged file; kUnsupported an operator or form (its index and name), a model in floats; kMismatch.
Result<graph::Graph> parse_tflite_model(std::string_view bytes, std::string_view where);
Result<graph::Graph> read_tflite(const std::filesystem::path& path);

}  // namespace hedge::codegen

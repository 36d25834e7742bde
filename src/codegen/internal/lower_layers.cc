#include <algorithm>

#include "codegen/internal/lowering.h"
#include "graph/window.h"
#include "micro/exact.h"

namespace hedge::codegen::internal {
namespace {

/// A bias' scale may differ from input * weight by the rounding of a float product.
constexpr double kScaleTolerance = 1e-5;
constexpr double kMostWeights = 1 << 26;  // of a dilated layer, its zeros counted

Error mismatch(const graph::Node& node, std::string what, std::string got = {}, std::string expected = {}) {
  return {.code = ErrorCode::kMismatch,
          .what = std::move(what),
          .where = where_of(node),
          .got = std::move(got),
          .expected = std::move(expected)};
}

void set_window(Layer& layer, const graph::Window& window) {
  const auto narrow = [](std::int64_t v) { return static_cast<std::int32_t>(v); };
  layer.kernel_height = narrow(window.kernel[0]);
  layer.kernel_width = narrow(window.kernel[1]);
  layer.stride_height = narrow(window.strides[0]);
  layer.stride_width = narrow(window.strides[1]);
  layer.pad_top = narrow(window.pads_begin[0]);
  layer.pad_left = narrow(window.pads_begin[1]);
  layer.pad_bottom = narrow(window.pads_end[0]);
  layer.pad_right = narrow(window.pads_end[1]);
}

/// [O, I, KH, KW] -> [O, KH, KW, I]; with I = 1 (depthwise) [KH, KW, O].
std::vector<std::int8_t> channels_last(std::span<const std::int8_t> from, const Shape& shape, bool depthwise) {
  std::vector<std::int8_t> to(from.size());
  const std::int64_t outs = shape[0], ins = shape[1], plane = shape[2] * shape[3];
  std::size_t read = 0;
  for (std::int64_t o = 0; o < outs; ++o)
    for (std::int64_t i = 0; i < ins; ++i)
      for (std::int64_t k = 0; k < plane; ++k) {
        const std::int64_t at = depthwise ? k * outs + o : (o * plane + k) * ins + i;
        to[static_cast<std::size_t>(at)] = from[read++];
      }
  return to;
}

/// Weights [O, I, KH, KW] of a dilated window as those of a wider one with zeros between them.
struct Spread {
  Shape shape;
  std::vector<std::int8_t> weights;
};
Spread spread_out(std::span<const std::int8_t> from, const Shape& shape, const std::array<std::int64_t, 2>& dilations) {
  const std::int64_t rows = shape[2], columns = shape[3];
  Spread made{{shape[0], shape[1], (rows - 1) * dilations[0] + 1, (columns - 1) * dilations[1] + 1}, {}};
  made.weights.resize(static_cast<std::size_t>(num_elements(made.shape)));
  for (std::int64_t plane = 0; plane < shape[0] * shape[1]; ++plane)
    for (std::int64_t y = 0; y < rows; ++y)
      for (std::int64_t x = 0; x < columns; ++x) {
        const std::int64_t to = (plane * made.shape[2] + y * dilations[0]) * made.shape[3] + x * dilations[1];
        made.weights[static_cast<std::size_t>(to)] = from[static_cast<std::size_t>((plane * rows + y) * columns + x)];
      }
  return made;
}

/// Every channel's bias as int32: as the graph has it, or rounded where it is still in floats.
Status fill_bias(const graph::Node& node, Layer& layer, double input_scale, const QuantisedConstant* integers, const Tensor* floats) {
  const std::size_t channels = layer.weight_scales.size();
  layer.bias.assign(channels, 0);
  if (integers == nullptr && floats == nullptr) return {};
  const Tensor& values = integers != nullptr ? *integers->values : *floats;
  if (static_cast<std::size_t>(values.num_elements()) != channels)
    return mismatch(node, "the bias does not have one value an output channel", to_string(values.shape()),
                    to_string(Shape{static_cast<std::int64_t>(channels)}));
  for (std::size_t c = 0; c < channels; ++c) {
    const double scale = input_scale * static_cast<double>(layer.weight_scales[c]);
    if (integers == nullptr) {
      const double rounded = std::round(static_cast<double>(floats->data<float>()[c]) / scale);
      layer.bias[c] = static_cast<std::int32_t>(std::clamp(rounded, -2147483647.0, 2147483647.0));
      continue;
    }
    const double given = static_cast<double>(integers->scale(c));
    if (std::abs(given - scale) > kScaleTolerance * scale)
      return mismatch(node, "the bias' scale is not the input's times the weight's", std::to_string(given),
                      std::to_string(scale) + " in channel " + std::to_string(c));
    layer.bias[c] = values.data<std::int32_t>()[c];
  }
  return {};
}

}  // namespace

Result<QuantisedConstant> Lowering::weights(const graph::Node& node) const {
  const auto found = constants_.find(node.inputs[1]);
  if (found == constants_.end() || found->second.values->dtype() != DType::kI8)
    return unsupported(node, "the weights " + node.inputs[1] + " are not constants of i8 behind a DequantizeLinear",
                       "quantise the graph first: hedge mcu quantize");
  if (!found->second.symmetric()) return unsupported(node, "weights with a zero point; only symmetric weights are implemented");
  return found->second;
}

Status Lowering::finish_product(const graph::Node& node, Layer& layer, const QuantisedConstant& weights) const {
  const auto channels = static_cast<std::size_t>(shape_of(node.outputs[0])[1]);
  for (std::size_t c = 0; c < channels; ++c) layer.weight_scales.push_back(weights.scale(c));
  const QuantisedConstant* integers = nullptr;
  const Tensor* floats = nullptr;
  if (node.inputs.size() > 2 && !node.inputs[2].empty()) {
    if (const auto found = constants_.find(node.inputs[2]); found != constants_.end() && found->second.values->dtype() == DType::kI32) {
      integers = &found->second;
    } else if (const auto plain = graph_.initializers.find(node.inputs[2]); plain != graph_.initializers.end()) {
      floats = &plain->second;
    } else {
      return unsupported(node, "the bias " + node.inputs[2] + " is no constant of i32 behind a DequantizeLinear, nor of f32");
    }
  }
  return fill_bias(node, layer, static_cast<double>(network_.activations[layer.inputs[0]].scale), integers, floats);
}

Status Lowering::conv(const graph::Node& node, std::int64_t macs) {
  HEDGE_TRY(const std::size_t input, operand(node, 0));
  HEDGE_TRY(const auto weight, weights(node));
  const Shape& x = shape_of(node.inputs[0]);
  const Shape& w = weight.values->shape();
  if (weight.scales.size() > 1 && weight.axis != 0)
    return unsupported(node, "weights with a scale along another axis than the output channels");
  HEDGE_TRY(const auto window, graph::resolve_window(node, {w[2], w[3]}, x[2], x[3]));
  const std::int64_t groups = node.integer("group", 1);
  const bool depthwise = groups > 1 && groups == x[1] && w[0] % groups == 0 && w[1] == 1;
  if (groups > 1 && !depthwise) return unsupported(node, "a grouped convolution that is not depthwise");
  Layer layer{.kind = depthwise ? LayerKind::kDepthwise : LayerKind::kConv, .name = node.name, .inputs = {input}, .macs = macs};
  set_window(layer, window);
  const auto wide = [&](std::size_t axis) { return static_cast<double>((w[axis + 2] - 1) * window.dilations[axis] + 1); };
  if (wide(0) * wide(1) * static_cast<double>(w[0] * w[1]) > kMostWeights) return unsupported(node, "a dilated window of this size");
  const auto spread = spread_out(weight.values->data<std::int8_t>(), w, window.dilations);
  layer.kernel_height = static_cast<std::int32_t>(spread.shape[2]);
  layer.kernel_width = static_cast<std::int32_t>(spread.shape[3]);
  layer.weights = channels_last(spread.weights, spread.shape, depthwise);
  HEDGE_CHECK(finish_product(node, layer, weight));
  put_pending(node, std::move(layer));
  return {};
}

Status Lowering::gemm(const graph::Node& node, std::int64_t macs) {
  HEDGE_TRY(const std::size_t input, operand(node, 0));
  HEDGE_TRY(const auto weight, weights(node));
  const bool flipped = node.integer("transB", 0) != 0;  // [O, I], as a fully connected layer has it
  const bool plain = node.integer("transA", 0) == 0 && node.number("alpha", 1) == 1 && node.number("beta", 1) == 1;
  if (!plain) return unsupported(node, "a Gemm with transA, alpha or beta");
  if (weight.scales.size() > 1 && weight.axis != (flipped ? 0 : 1))
    return unsupported(node, "weights with a scale along another axis than the outputs");
  const Activation& x = network_.activations[input];
  const std::int64_t outs = weight.values->shape()[flipped ? 0 : 1], ins = weight.values->shape()[flipped ? 1 : 0];
  Layer layer{.kind = LayerKind::kFullyConnected, .name = node.name, .inputs = {input}, .macs = macs};
  layer.weights.resize(static_cast<std::size_t>(outs * ins));
  const auto from = weight.values->data<std::int8_t>();
  const std::int64_t plane = std::int64_t{1} * x.height * x.width;
  if (x.bytes() != ins) return mismatch(node, "the depth is not the input's size", std::to_string(ins), std::to_string(x.bytes()));
  for (std::int64_t o = 0; o < outs; ++o)
    for (std::int64_t i = 0; i < ins; ++i) {
      const std::int64_t last = i % plane * x.channels + i / plane;  // the graph flattens [C, H, W], the network [H, W, C]
      layer.weights[static_cast<std::size_t>(o * ins + last)] = from[static_cast<std::size_t>(flipped ? o * ins + i : i * outs + o)];
    }
  HEDGE_CHECK(finish_product(node, layer, weight));
  put_pending(node, std::move(layer));
  return {};
}

Status Lowering::with_constant(const graph::Node& node, const std::string& tensor, const std::string& constant) {
  const auto& c = constants_.at(constant);
  if (c.values->dtype() != DType::kI8 || c.values->num_elements() != 1)
    return unsupported(node, "a constant operand of several elements", "one constant is implemented, or a Conv that scales each channel");
  const std::size_t input = dequantised_.at(tensor);
  const Activation a = network_.activations[input];
  const auto scale = static_cast<double>(c.scale(0));
  const auto zero = c.zero_points.empty() ? 0 : c.zero_points[0];
  const std::int8_t value = c.values->data<std::int8_t>()[0];
  put_pending(node, {.kind = LayerKind::kTable, .name = node.name, .inputs = {input}});
  auto& integers = pending_[node.outputs[0]].integers;
  if (node.op == "Mul")
    integers = [=](std::int32_t q, const Activation& out) {
      const auto by = micro::exact::quantize_multiplier(static_cast<double>(a.scale) * scale / static_cast<double>(out.scale));
      return micro::exact::multiply((q - a.zero_point) * (value - zero), by) + out.zero_point;
    };
  else
    integers = [=](std::int32_t q, const Activation& out) {
      const auto by = micro::exact::add_constants(static_cast<double>(a.scale), a.zero_point, scale, zero, static_cast<double>(out.scale),
                                                  out.zero_point);
      return std::int32_t{micro::exact::add(static_cast<std::int8_t>(q), value, by, -128, 127)};
    };
  return {};
}

Status Lowering::add(const graph::Node& node) {
  for (const std::size_t c : {0U, 1U})
    if (constants_.contains(node.inputs[c]) && dequantised_.contains(node.inputs[1 - c]))
      return with_constant(node, node.inputs[1 - c], node.inputs[c]);
  HEDGE_TRY(const std::size_t a, operand(node, 0));
  HEDGE_TRY(const std::size_t b, operand(node, 1));
  if (shape_of(node.inputs[0]) != shape_of(node.inputs[1])) return unsupported(node, "an Add that broadcasts");
  put_pending(node, {.kind = LayerKind::kAdd, .name = node.name, .inputs = {a, b}});
  return {};
}

Status Lowering::mul(const graph::Node& node) {
  for (const std::size_t c : {0U, 1U})
    if (constants_.contains(node.inputs[c]) && dequantised_.contains(node.inputs[1 - c]))
      return with_constant(node, node.inputs[1 - c], node.inputs[c]);
  HEDGE_TRY(std::size_t a, operand(node, 0));
  HEDGE_TRY(std::size_t b, operand(node, 1));
  if (network_.activations[a].bytes() < network_.activations[b].bytes()) std::swap(a, b);
  const Activation &x = network_.activations[a], &gate = network_.activations[b];
  const bool same = x.height == gate.height && x.width == gate.width;
  if (x.channels != gate.channels || (!same && (gate.height != 1 || gate.width != 1)))
    return unsupported(node, "a Mul that broadcasts otherwise than one value a channel");
  put_pending(node, {.kind = LayerKind::kMul, .name = node.name, .inputs = {a, b}});
  return {};
}

Status Lowering::function(const graph::Node& node) {
  HEDGE_TRY(const std::size_t input, operand(node, 0));
  put_pending(node, {.kind = LayerKind::kTable, .name = node.name, .inputs = {input}});
  auto& f = pending_[node.outputs[0]].function;
  const double alpha = node.number("alpha", 0.2F), beta = node.number("beta", 0.5F);
  if (node.op == "HardSwish") f = [](double x) { return x * std::clamp(x / 6 + 0.5, 0.0, 1.0); };
  if (node.op == "HardSigmoid") f = [=](double x) { return std::clamp(alpha * x + beta, 0.0, 1.0); };
  if (node.op == "Sigmoid") f = [](double x) { return 1 / (1 + std::exp(-x)); };
  if (node.op == "Tanh") f = [](double x) { return std::tanh(x); };
  const float slope = node.number("alpha", 0.01F);
  if (node.op == "LeakyRelu" && slope < 0) f = [slope](double x) { return x < 0 ? static_cast<double>(slope) * x : x; };
  if (node.op == "LeakyRelu" && slope >= 0)  // as TFLite computes it, whose factors are floats
    pending_[node.outputs[0]].integers = [a = network_.activations[input], slope](std::int32_t q, const Activation& out) {
      constexpr float kMost = 1 << 16;  // far beyond what 8 bits can show
      const std::int32_t x = q - a.zero_point;
      const float factor = std::min(kMost, x < 0 ? a.scale * slope / out.scale : a.scale / out.scale);
      return micro::exact::multiply(x, micro::exact::quantize_multiplier(static_cast<double>(factor))) + out.zero_point;
    };
  return {};
}

Status Lowering::pool(const graph::Node& node) {
  HEDGE_TRY(const std::size_t input, operand(node, 0));
  const Shape& x = shape_of(node.inputs[0]);
  HEDGE_TRY(const auto window, graph::resolve_window(node, x[2], x[3]));
  if (window.dilations[0] != 1 || window.dilations[1] != 1) return unsupported(node, "a dilated pool");
  const bool padded = window.pads_begin != std::array<std::int64_t, 2>{} || window.pads_end != std::array<std::int64_t, 2>{};
  if (padded && node.integer("count_include_pad", 0) != 0) return unsupported(node, "an average that counts the padding");
  Layer layer{.kind = node.op == "MaxPool" ? LayerKind::kMaxPool : LayerKind::kAveragePool, .name = node.name, .inputs = {input}};
  set_window(layer, window);
  put_pending(node, std::move(layer));
  return {};
}

Status Lowering::mean(const graph::Node& node) {
  HEDGE_TRY(const std::size_t input, operand(node, 0));
  const auto axes = node.integers("axes", {2, 3});
  const Shape& x = shape_of(node.inputs[0]);
  Layer layer{.kind = LayerKind::kMean, .name = node.name, .inputs = {input}};
  for (const auto axis : axes) {
    const auto at = axis < 0 ? axis + 4 : axis;
    if (x.size() != 4 || (at != 2 && at != 3)) return unsupported(node, "a mean over other axes than height and width");
    (at == 2 ? layer.kernel_height : layer.kernel_width) = static_cast<std::int32_t>(x[static_cast<std::size_t>(at)]);
  }
  if (axes.size() == 1 && node.integer("keepdims", 1) == 0) return unsupported(node, "a mean over one axis that drops it");
  put_pending(node, std::move(layer));
  return {};
}

Status Lowering::concat(const graph::Node& node) {
  const std::int64_t axis = node.integer("axis", 1);
  const auto rank = static_cast<std::int64_t>(shape_of(node.outputs[0]).size());
  if (axis != 1 && axis != 1 - rank) return unsupported(node, "a Concat of other axes than the channels");
  Layer layer{.kind = LayerKind::kConcat, .name = node.name};
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    HEDGE_TRY(const std::size_t input, operand(node, i));
    layer.inputs.push_back(input);
  }
  if (layer.inputs.size() < 2) return unsupported(node, "a Concat of one tensor");
  put_pending(node, std::move(layer));
  return {};
}

}  // namespace hedge::codegen::internal

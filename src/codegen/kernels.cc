#include "codegen/kernels.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "micro/depthwise_compact.h"
#include "micro/table.h"

namespace hedge::codegen {
namespace {

constexpr std::pair<Target, const char*> kNames[] = {{Target::kPortable, "portable"},
                                                     {Target::kCortexM4, "cortex-m4"},
                                                     {Target::kCortexM7, "cortex-m7"},
                                                     {Target::kCortexM55, "cortex-m55"}};

/// Inputs of an output: a patch's or a flattened image's values; of a depthwise layer those of its channel.
std::int32_t depth_of(const Network& n, const Layer& l) {
  const auto& in = n.activations[l.inputs[0]];
  if (l.kind == LayerKind::kFullyConnected) return static_cast<std::int32_t>(in.bytes());
  return l.kernel_height * l.kernel_width * (l.kind == LayerKind::kDepthwise ? 1 : in.channels);
}

bool is_matrix(const Layer& l) { return l.kind == LayerKind::kConv || l.kind == LayerKind::kFullyConnected; }

micro::Matrix matrix_of(const Network& n, const Layer& l) {
  const auto& out = n.activations[l.output];
  return {.depth = depth_of(n, l), .channels = out.channels, .output_zero = out.zero_point, .clamp = clamp_of(l)};
}

std::int64_t layer_scratch(const Network& n, const Layer& l, bool compact) {
  const auto channels = n.activations[l.output].channels;
  if (l.general) return 0;
  if (l.kind == LayerKind::kDepthwise)
    return compact ? micro::compact_depthwise_scratch_bytes(geometry_of(n, l)) : micro::depthwise_scratch_bytes(geometry_of(n, l));
  if (!is_matrix(l)) return 0;
  const bool gathers = l.kind == LayerKind::kConv && !is_pointwise(l);
  return gathers ? micro::conv_scratch_bytes(depth_of(n, l), channels) : micro::matrix_scratch_bytes(depth_of(n, l), channels);
}

Error unsupported(const Layer& layer, std::string what, std::string got, std::string expected, std::string hint = {}) {
  return {.code = ErrorCode::kUnsupported,
          .what = std::move(what),
          .where = "layer " + layer.name,
          .got = std::move(got),
          .expected = std::move(expected),
          .hint = std::move(hint)};
}

}  // namespace

const char* to_string(Target target) {
  for (const auto& [value, name] : kNames)
    if (value == target) return name;
  return "unknown";
}

Result<Target> target_named(const std::string& name) {
  std::string names;
  for (const auto& [value, text] : kNames) {
    if (name == text) return value;
    names += (names.empty() ? "" : ", ") + std::string(text);
  }
  return Error{.code = ErrorCode::kInvalidArgument, .what = "no such target", .got = name, .expected = "one of: " + names};
}

micro::Layout layout_of(Target target) { return target == Target::kCortexM55 ? micro::Layout::kVectors : micro::Layout::kWords; }

micro::Geometry geometry_of(const Network& network, const Layer& layer) {
  const auto& in = network.activations[layer.inputs[0]];
  const auto& out = network.activations[layer.output];
  return {.in_height = in.height,
          .in_width = in.width,
          .channels = in.channels,
          .kernel_height = layer.kernel_height,
          .kernel_width = layer.kernel_width,
          .stride_height = layer.stride_height,
          .stride_width = layer.stride_width,
          .pad_top = layer.pad_top,
          .pad_left = layer.pad_left,
          .out_height = out.height,
          .out_width = out.width,
          .input_zero = in.zero_point};
}

micro::Clamp clamp_of(const Layer& layer) { return {layer.low, layer.high}; }

Result<micro::AddConstants> add_constants(const Network& network, const LayerGroup& group) {
  const auto& add = network.layers[group.layers.back()];
  const auto first = group.add ? network.layers[group.layers[group.layers.size() - 2]].output : add.inputs[0];
  const auto& a = network.activations[first];
  const auto& b = network.activations[group.add ? residual_of(network, group) : add.inputs[1]];
  const auto& out = network.activations[add.output];
  micro::AddConstants constants;
  if (!micro::pack_add(a.scale, a.zero_point, b.scale, b.zero_point, out.scale, out.zero_point, &constants))
    return unsupported(add, "an operand's scale is too large for its sum's", std::to_string(std::max(a.scale, b.scale) / out.scale),
                       "less than 8 times the output's", "calibrate again: the sum hardly ever reaches its operands' range");
  return constants;
}

Result<micro::MulConstants> mul_constants(const Network& network, const Layer& layer) {
  const auto& a = network.activations[layer.inputs[0]];
  const auto& b = network.activations[layer.inputs[1]];
  const auto& out = network.activations[layer.output];
  const double scale = product_scale(network, layer);
  micro::MulConstants constants;
  if (!micro::pack_mul(scale, a.zero_point, b.zero_point, out.zero_point, &constants))
    return unsupported(layer, "the operands' scales are too large for their product's", std::to_string(scale), "a product below 1/2",
                       "calibrate again: the product hardly ever reaches its operands' range");
  return constants;
}

Result<micro::exact::Mean> mean_constants(const Network& network, const Layer& layer) {
  const auto& in = network.activations[layer.inputs[0]];
  const auto& out = network.activations[layer.output];
  const double scale = static_cast<double>(in.scale) / static_cast<double>(out.scale);
  micro::exact::Mean constants;
  if (!micro::exact::mean_constants(scale, layer.kernel_height * layer.kernel_width, in.zero_point, out.zero_point, &constants))
    return unsupported(layer, "the mean's output scale is far too small", std::to_string(scale) + " times the input's scale",
                       "less than 100", "calibrate again with other images");
  return constants;
}

BlockForm block_form(const Network& network, const LayerGroup& group) {
  const auto parts = row_block(network, group);
  BlockForm form{.kernel = parts.depthwise->kernel_height, .stride = parts.depthwise->stride_height};
  auto& b = form.block;
  if (parts.source) {
    b.front = matrix_of(network, *parts.source);
    form.has_front_conv = !is_pointwise(*parts.source);
    if (form.has_front_conv) form.front = geometry_of(network, *parts.source);
  }
  b.geometry = geometry_of(network, *parts.depthwise);
  const auto& middle = network.activations[parts.depthwise->output];
  b.depthwise = {.channels = middle.channels, .output_zero = middle.zero_point, .clamp = clamp_of(*parts.depthwise)};
  b.project = matrix_of(network, *parts.projection);
  b.has_residual = parts.add != nullptr;
  if (parts.add) b.residual_clamp = clamp_of(*parts.add);
  // A quarter more rows than the window has: it moves back a few times an image only. More would be a plane's rows that nobody reads.
  const auto all = (b.geometry.out_height - 1) * form.stride;
  b.slack_rows = std::min(std::max(b.geometry.channels * form.kernel / 4, form.stride), all);
  return form;
}

bool is_compact(Target target, bool wanted) { return wanted && layout_of(target) == micro::Layout::kWords; }

std::int64_t scratch_bytes(const Network& network, const LayerGroup& group, bool compact) {
  if (!group.rows) return layer_scratch(network, network.layers[group.layers[0]], compact);
  auto form = block_form(network, group);
  if (form.has_front_conv) form.block.front_conv = &form.front;
  return micro::block_memory(form.block).bytes();
}

std::int64_t KernelCosts::scratch_bytes(const Network& network, const LayerGroup& group) const {
  return codegen::scratch_bytes(network, group, is_compact(target, compact));
}

std::int64_t KernelCosts::instructions(const Network& network, const LayerGroup& group) const {
  return estimate_instructions(target, network, group);
}

std::int64_t stream_bytes(micro::Layout layout, const Network& network, const Layer& layer, bool compact) {
  const auto channels = network.activations[layer.output].channels;
  if (layer.general) return micro::general_stream_bytes(depth_of(network, layer), channels);
  if (layer.kind == LayerKind::kDepthwise && compact) return micro::compact_depthwise_stream_bytes(layer.kernel_height, channels);
  if (layer.kind == LayerKind::kDepthwise) return micro::depthwise_stream_bytes(layout, layer.kernel_height, layer.stride_height, channels);
  if (layer.kind == LayerKind::kTable) return micro::kTableBytes;
  return is_matrix(layer) ? micro::matrix_stream_bytes(layout, depth_of(network, layer), channels) : 0;
}

Result<std::vector<std::int32_t>> pack_layer(micro::Layout layout, const Network& network, const Layer& layer, bool compact) {
  std::vector<std::int32_t> stream(static_cast<std::size_t>(stream_bytes(layout, network, layer, compact) / 4));
  if (stream.empty()) return stream;
  if (layer.kind == LayerKind::kTable) {
    std::memcpy(stream.data(), layer.weights.data(), layer.weights.size());
    return stream;
  }
  const std::vector<double> scales = effective_scales(network, layer);
  const auto constants = constants_of(network, layer, scales);
  const bool depthwise = constants.depthwise;
  if (layer.general) {
    if (!micro::can_pack_general(constants))
      return unsupported(layer, "an output channel's scale is too large for the device's arithmetic",
                         std::to_string(*std::max_element(scales.begin(), scales.end())),
                         "input scale * weight scale / output scale < 1024", "the layer's output range is far too small: calibrate again");
    micro::pack_general(constants, stream.data());
    return stream;
  }
  if (!micro::can_pack(constants))
    return unsupported(layer, "an output channel's scale is too large for the device's arithmetic",
                       std::to_string(*std::max_element(scales.begin(), scales.end())),
                       "input scale * weight scale / output scale < 1/2, or < 31 / the channel's largest weight",
                       "calibrate again: the layer's output range is far too small");
  if (depthwise && compact)
    micro::pack_compact_depthwise(constants, layer.kernel_height, stream.data());
  else if (depthwise)
    micro::pack_depthwise(layout, constants, layer.kernel_height, layer.stride_height, stream.data());
  else
    micro::pack_matrix(layout, constants, stream.data());
  return stream;
}

micro::LayerConstants constants_of(const Network& network, const Layer& layer, const std::vector<double>& scales) {
  return {.weights = layer.weights.data(),
          .bias = layer.bias.data(),
          .scales = scales.data(),
          .depth = depth_of(network, layer),
          .channels = network.activations[layer.output].channels,
          .input_zero = network.activations[layer.inputs[0]].zero_point,
          .depthwise = layer.kind == LayerKind::kDepthwise};
}

bool needs_general(const Network& network, const Layer& layer) {
  if (layer.kind != LayerKind::kDepthwise && !is_matrix(layer)) return false;
  const auto scales = effective_scales(network, layer);
  const bool grows = network.activations[layer.output].channels != network.activations[layer.inputs[0]].channels;
  return (layer.kind == LayerKind::kDepthwise && (grows || !has_fast_window(layer))) ||
         !micro::can_pack(constants_of(network, layer, scales));
}

Status check_kernels(const Network& network) {
  for (const auto& l : network.layers) {
    if (l.kind == LayerKind::kDepthwise && !l.general && !has_fast_window(l))
      return unsupported(l, "there is no fast depthwise kernel of this form",
                         std::to_string(l.kernel_height) + " x " + std::to_string(l.kernel_width) + ", stride " +
                             std::to_string(l.stride_height) + " x " + std::to_string(l.stride_width),
                         "3 x 3, 5 x 5 or 7 x 7, stride 1 or 2");
    if (l.kind == LayerKind::kMean) {
      HEDGE_TRY([[maybe_unused]] const auto constants, mean_constants(network, l));
    }
  }
  return {};
}

}  // namespace hedge::codegen

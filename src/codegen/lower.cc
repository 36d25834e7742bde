#include "codegen/lower.h"

#include <algorithm>

#include "codegen/internal/lowering.h"
#include "codegen/kernels.h"
#include "micro/exact.h"

namespace hedge::codegen {
namespace internal {
namespace {

/// The clamp of a fused activation, as TFLite's CalculateActivationRangeQuantized: in float, ties away from zero.
std::int32_t quantised_bound(double bound, const Scaling& scaling) {
  const float steps = std::round(static_cast<float>(bound) / scaling.scale);
  const float q = steps + static_cast<float>(scaling.zero_point);
  return static_cast<std::int32_t>(std::clamp(q, -128.0F, 127.0F));
}

/// kMismatch / kUnsupported where a clamp leaves one value only.
Status set_clamp(const graph::Node& node, Pending& pending, const Scaling& scaling) {
  if (std::isfinite(pending.least)) pending.layer.low = quantised_bound(pending.least, scaling);
  if (std::isfinite(pending.most)) pending.layer.high = quantised_bound(pending.most, scaling);
  if (pending.layer.low <= pending.layer.high) return {};
  return Error{.code = ErrorCode::kMismatch, .what = "the layer's clamp lies outside its quantised range", .where = where_of(node)};
}

/// The function's values of all 256 inputs, clamped as a Relu or Clip behind it says. Without a function: the inputs in the output's scale,
/// by TFLite's multiplication.
void fill_table(const Activation& in, const Activation& out, const Pending& pending, Layer& layer) {
  const auto by = micro::exact::quantize_multiplier(static_cast<double>(in.scale) / static_cast<double>(out.scale));
  for (int q = -128; q < 128; ++q) {
    const double real = static_cast<double>(in.scale) * (q - in.zero_point);
    const double steps = pending.integers   ? pending.integers(q, out)
                         : pending.function ? std::round(pending.function(real) / static_cast<double>(out.scale)) + out.zero_point
                                            : micro::exact::multiply(q - in.zero_point, by) + out.zero_point;
    layer.weights.push_back(static_cast<std::int8_t>(std::clamp<double>(steps, layer.low, layer.high)));
  }
}

}  // namespace

Error unsupported(const graph::Node& node, std::string what, std::string hint) {
  return {.code = ErrorCode::kUnsupported, .what = std::move(what), .where = where_of(node), .hint = std::move(hint)};
}

Result<std::size_t> Lowering::add_activation(const std::string& name, const Shape& shape, const Scaling& scaling) {
  const bool batch = !shape.empty() && (shape[0] == -1 || shape[0] == 1);
  const bool fixed = batch && std::none_of(shape.begin() + 1, shape.end(), [](std::int64_t d) { return d < 1 || d > 1 << 20; });
  if (!fixed || (shape.size() != 4 && shape.size() != 2) || num_elements({shape.begin() + 1, shape.end()}) > 1 << 30)
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "an activation of this shape has no place in an int8 network",
                 .where = "tensor " + name,
                 .got = to_string(shape),
                 .expected = "[N, C, H, W] or [N, F], N dynamic or 1, the rest fixed"};
  Activation made{.name = name, .channels = static_cast<std::int32_t>(shape[1]), .scale = scaling.scale, .zero_point = scaling.zero_point};
  if (shape.size() == 4) {
    made.height = static_cast<std::int32_t>(shape[2]);
    made.width = static_cast<std::int32_t>(shape[3]);
  }
  network_.activations.push_back(std::move(made));
  return network_.activations.size() - 1;
}

std::size_t Lowering::rescaled(std::size_t activation, const Scaling& scaling, const std::string& name) {
  const Activation from = network_.activations[activation];
  if (Scaling{from.scale, from.zero_point} == scaling) return activation;
  Activation to = from;
  to.name = from.name + "/rescaled";
  to.scale = scaling.scale;
  to.zero_point = scaling.zero_point;
  network_.activations.push_back(to);
  Layer layer{.kind = LayerKind::kTable, .name = name + "/rescale", .inputs = {activation}, .output = network_.activations.size() - 1};
  fill_table(from, to, {}, layer);
  network_.layers.push_back(std::move(layer));
  return network_.layers.back().output;
}

Status Lowering::quantize(const graph::Node& node) {
  if (tensors_.at(node.outputs[0]).dtype != DType::kI8) return unsupported(node, "an activation of u8; only i8 is implemented");
  HEDGE_TRY(const Scaling scaling, scaling_of(graph_, node));
  const std::string& x = node.inputs[0];
  if (const auto before = dequantised_.find(x); before != dequantised_.end()) {
    const Activation& same = network_.activations[before->second];
    if (Scaling{same.scale, same.zero_point} == scaling) {
      quantised_[node.outputs[0]] = before->second;
      return {};
    }
    put_pending({.name = node.name, .outputs = {x}}, {.kind = LayerKind::kTable, .name = node.name, .inputs = {before->second}});
  }
  const bool is_input = std::any_of(graph_.inputs.begin(), graph_.inputs.end(), [&](const auto& v) { return v.name == x; });
  const auto pending = pending_.find(x);
  if (!is_input && pending == pending_.end())
    return unsupported(node, "the tensor " + x + " is computed in floats", "quantise the graph first: hedge mcu quantize");
  HEDGE_TRY(const std::size_t made, add_activation(node.outputs[0], shape_of(x), scaling));
  quantised_[node.outputs[0]] = made;
  if (is_input) {
    if (!network_.layers.empty() || made != 0) return unsupported(node, "a second input");
    network_.input = made;
    return {};
  }
  HEDGE_CHECK(set_clamp(node, pending->second, scaling));
  Layer layer = std::move(pending->second.layer);
  if (layer.kind == LayerKind::kTable)
    fill_table(network_.activations[layer.inputs[0]], network_.activations[made], pending->second, layer);
  pending_.erase(pending);
  layer.output = made;
  return settle(node, std::move(layer), scaling);
}

Status Lowering::settle(const graph::Node& node, Layer layer, const Scaling& scaling) {
  if (layer.kind == LayerKind::kMean) {  // TFLite's average pool keeps its input's scale; with a scale of its own it is a mean
    const Activation& in = network_.activations[layer.inputs[0]];
    if (in.scale == scaling.scale && in.zero_point == scaling.zero_point) layer.kind = LayerKind::kAveragePool;
  }
  if (layer.kind == LayerKind::kConcat) {
    if (layer.low > -128 || layer.high < 127) return unsupported(node, "a clamp behind a Concat");
    for (auto& input : layer.inputs) input = rescaled(input, scaling, layer.name);
  }
  const Activation& in = network_.activations[layer.inputs[0]];
  const bool is_pool = layer.kind == LayerKind::kAveragePool || layer.kind == LayerKind::kMaxPool;
  if (is_pool && Scaling{in.scale, in.zero_point} != scaling)
    return Error{.code = ErrorCode::kMismatch, .what = "a pool whose output has another scale than its input", .where = where_of(node)};
  network_.layers.push_back(std::move(layer));
  return {};
}

Status Lowering::dequantize(const graph::Node& node) {
  const std::string& q = node.inputs[0];
  if (graph_.initializers.contains(q)) {
    constants_[node.outputs[0]] = constant_of(graph_, node);
    return {};
  }
  const auto found = quantised_.find(q);
  if (found == quantised_.end()) return unsupported(node, "the integers " + q + " come from no QuantizeLinear");
  HEDGE_TRY(const Scaling scaling, scaling_of(graph_, node));
  Activation& activation = network_.activations[found->second];
  if (Scaling{activation.scale, activation.zero_point} != scaling)
    return unsupported(node, "integers that are read with another scale than they were written with");
  activation.name = node.outputs[0];
  dequantised_[node.outputs[0]] = found->second;
  return {};
}

Result<std::size_t> Lowering::operand(const graph::Node& node, std::size_t input) const {
  const auto found = dequantised_.find(node.inputs[input]);
  if (found != dequantised_.end()) return found->second;
  return unsupported(node, "input " + std::to_string(input) + " (" + node.inputs[input] + ") is not quantised",
                     "quantise the graph first: hedge mcu quantize");
}

Status Lowering::activation(const graph::Node& node) {
  Pending pending;
  if (const auto found = pending_.find(node.inputs[0]); found != pending_.end()) {
    pending = std::move(found->second);
    pending_.erase(found);
  } else {
    HEDGE_TRY(const std::size_t input, operand(node, 0));  // behind no layer: a table
    pending.layer = {.kind = LayerKind::kTable, .name = node.name, .inputs = {input}};
  }
  double low = 0;
  double high = std::numeric_limits<double>::infinity();
  if (node.op == "Clip") {
    const auto bound = [&](std::size_t i, double otherwise) {
      return i < node.inputs.size() && !node.inputs[i].empty()
                 ? static_cast<double>(graph_.initializers.at(node.inputs[i]).data<float>()[0])
                 : otherwise;
    };
    low = bound(1, -std::numeric_limits<double>::infinity());
    high = bound(2, high);
  }
  pending.least = std::max(pending.least, low);
  pending.most = std::min(pending.most, high);
  pending_[node.outputs[0]] = std::move(pending);
  return {};
}

Status Lowering::pass(const graph::Node& node) {
  const std::string& x = node.inputs[0];
  const Shape& before = shape_of(x);
  const Shape& after = shape_of(node.outputs[0]);
  const bool vector = after.size() == 2 || (after.size() == 4 && after[2] == 1 && after[3] == 1);
  if (before != after && !vector) return unsupported(node, "a change of shape but to a vector has no int8 layer");
  if (const auto found = dequantised_.find(x); found != dequantised_.end()) {
    dequantised_[node.outputs[0]] = found->second;
  } else if (const auto quantised = quantised_.find(x); quantised != quantised_.end()) {
    quantised_[node.outputs[0]] = quantised->second;
  } else if (const auto pending = pending_.find(x);
             pending != pending_.end() && (before == after || num_elements({before.begin() + 2, before.end()}) == 1)) {
    Pending moved = std::move(pending->second);
    pending_.erase(pending);
    pending_[node.outputs[0]] = std::move(moved);
  } else {
    return unsupported(node, "the tensor " + x + " is computed in floats", "quantise the graph first: hedge mcu quantize");
  }
  return {};
}

Status Lowering::node(const graph::Node& n, std::int64_t macs) {
  if (n.op == "QuantizeLinear") return quantize(n);
  if (n.op == "DequantizeLinear") return dequantize(n);
  if (n.op == "Conv") return conv(n, macs);
  if (n.op == "Gemm") return gemm(n, macs);
  if (n.op == "Add") return add(n);
  if (n.op == "Mul") return mul(n);
  if (n.op == "HardSwish" || n.op == "HardSigmoid" || n.op == "Sigmoid" || n.op == "Tanh" || n.op == "LeakyRelu") return function(n);
  if (n.op == "Concat") return concat(n);
  if (n.op == "AveragePool" || n.op == "MaxPool") return pool(n);
  if (n.op == "GlobalAveragePool" || n.op == "ReduceMean") return mean(n);
  if (n.op == "Relu" || n.op == "Clip") return activation(n);
  if (n.op == "Flatten" || n.op == "Reshape" || n.op == "Squeeze" || n.op == "Identity" || n.op == "Dropout") return pass(n);
  return unsupported(n, "an operator without an int8 layer",
                     "there are Conv, Gemm, Add, Mul, Concat, AveragePool, MaxPool, GlobalAveragePool, ReduceMean, HardSwish, HardSigmoid, "
                     "Sigmoid, Tanh, LeakyRelu, with Relu or Clip behind them");
}

Status Lowering::outputs() {
  const auto add = [&](const graph::Value& output) -> Status {
    const auto floats = dequantised_.find(output.name);
    const auto integers = quantised_.find(output.name);
    if (floats == dequantised_.end() && integers == quantised_.end())
      return Error{.code = ErrorCode::kUnsupported,
                   .what = "an output that is not quantised",
                   .where = "graph " + graph_.name + ", output " + output.name,
                   .hint = "quantise the graph first: hedge mcu quantize"};
    network_.outputs.push_back(floats != dequantised_.end() ? floats->second : integers->second);
    network_.output_names.push_back(output.name);
    return {};
  };
  const auto is_logits = [](const graph::Value& v) { return v.name == "logits"; };
  const auto logits = std::find_if(graph_.outputs.begin(), graph_.outputs.end(), is_logits);
  const graph::Value& first = logits == graph_.outputs.end() ? graph_.outputs.front() : *logits;
  HEDGE_CHECK(add(first));
  for (const auto& output : graph_.outputs)
    if (&output != &first) HEDGE_CHECK(add(output));
  return {};
}

Result<Network> Lowering::run() {
  network_.name = graph_.name;
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i) HEDGE_CHECK(node(graph_.nodes[i], macs_[i]));
  if (!pending_.empty()) {
    const auto& [tensor, pending] = *pending_.begin();
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "a layer whose result is not quantised",
                 .where = "layer " + pending.layer.name + ", tensor " + tensor,
                 .hint = "quantise the graph first: hedge mcu quantize"};
  }
  HEDGE_CHECK(outputs());
  HEDGE_CHECK(check(network_));
  for (auto& layer : network_.layers) layer.general = needs_general(network_, layer);
  return std::move(network_);
}

}  // namespace internal

Result<Network> lower(const graph::Graph& graph) {
  HEDGE_CHECK(graph::validate(graph));
  if (graph.inputs.size() != 1)
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "an int8 network has one input",
                 .where = "graph " + graph.name,
                 .got = std::to_string(graph.inputs.size())};
  HEDGE_TRY(auto tensors, graph::infer_shapes(graph));
  HEDGE_TRY(auto macs, graph::macs_by_node(graph));
  return internal::Lowering(graph, std::move(tensors), std::move(macs)).run();
}

}  // namespace hedge::codegen

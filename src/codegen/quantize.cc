#include "codegen/quantize.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "graph/operators.h"

namespace hedge::codegen {
namespace {

using graph::Graph;
using graph::Node;

constexpr float kLeastScale = 1e-30F;  ///< smaller ones lose their precision to denormal numbers
constexpr double kMostBias = 1 << 30;  ///< keeps bias + accumulator within int32

struct Scaling {
  float scale = 1;
  std::int8_t zero_point = 0;
};

/// 0 is representable exactly (padding and ReLU need it); the whole of -128…127 is used.
Result<Scaling> scaling_of(const std::string& tensor, const Range& range) {
  const double low = std::min(0.0, static_cast<double>(range.low));
  const double high = std::max(0.0, static_cast<double>(range.high));
  const double scale = (high - low) / 255.0;
  if (!std::isfinite(scale) || scale < static_cast<double>(kLeastScale))
    return Error{.code = ErrorCode::kBadData,
                 .what = "an empty quantisation range",
                 .where = "tensor " + tensor,
                 .got = std::to_string(range.low) + " to " + std::to_string(range.high),
                 .expected = "values other than zero among the calibration images",
                 .hint = "the layer is dead, or the calibration data do not suit the model"};
  const double zero = std::clamp(std::round(-128.0 - low / scale), -128.0, 127.0);
  return Scaling{static_cast<float>(scale), static_cast<std::int8_t>(zero)};
}

class Quantizer {
 public:
  Quantizer(const QuantizationPlan& plan, const Ranges& ranges) : plan_(plan), ranges_(ranges), graph_(plan.graph) {}

  Result<Graph> run() {
    for (const auto& tensor : plan_.ranged) {
      const auto range = ranges_.find(tensor);
      if (range == ranges_.end())
        return Error{.code = ErrorCode::kNotFound, .what = "no range was measured for a tensor", .where = "tensor " + tensor};
      HEDGE_TRY(scalings_[tensor], scaling_of(tensor, limited(tensor, range->second)));
    }
    for (const auto& [tensor, from] : plan_.shares) scalings_[tensor] = scalings_.at(from);
    std::vector<Node> nodes = std::move(graph_.nodes);
    graph_.nodes.clear();
    for (const auto& input : graph_.inputs)
      if (scalings_.contains(input.name)) quantize_input(input.name, nodes);
    for (Node& node : nodes) HEDGE_CHECK(rewrite(std::move(node)));
    HEDGE_CHECK(graph::validate(graph_));
    return std::move(graph_);
  }

 private:
  [[nodiscard]] Range limited(const std::string& tensor, Range range) const {
    const auto limit = plan_.limits.find(tensor);
    if (limit == plan_.limits.end()) return range;
    const auto& [low, high] = limit->second;
    const Range cut{.low = std::max(range.low, low), .high = std::min(range.high, high)};
    return cut.low < cut.high ? cut : range;
  }

  /// The input keeps its name; who took it takes its dequantised form.
  void quantize_input(const std::string& input, std::vector<Node>& nodes) {
    const std::string back = fresh(input + "/dequantised");
    add_pair(input, back, scalings_.at(input));
    scalings_[back] = scalings_.at(input);
    for (Node& node : nodes)
      for (auto& name : node.inputs)
        if (name == input) name = back;
  }

  Status rewrite(Node node) {
    if (node.op == "Conv" || node.op == "Gemm") HEDGE_CHECK(quantize_constants(node));
    std::vector<std::pair<std::string, std::string>> pairs;  // raw, dequantised
    for (auto& output : node.outputs) {
      if (!scalings_.contains(output)) continue;
      const std::string raw = fresh(output + "/float");
      pairs.emplace_back(raw, output);
      output = raw;
    }
    graph_.nodes.push_back(std::move(node));
    for (const auto& [raw, back] : pairs) add_pair(raw, back, scalings_.at(back));
    return {};
  }

  void add_pair(const std::string& x, const std::string& back, const Scaling& scaling) {
    const std::string scale = constant(back + "/scale", Tensor::of<float>({}, std::vector<float>{scaling.scale}));
    const std::string zero = constant(back + "/zero_point", Tensor::of<std::int8_t>({}, std::vector<std::int8_t>{scaling.zero_point}));
    const std::string integers = fresh(back + "/int8");
    add_node("QuantizeLinear", {x, scale, zero}, integers);
    add_node("DequantizeLinear", {integers, scale, zero}, back);
  }

  /// The scale of a product's input, through changes of shape.
  [[nodiscard]] const Scaling* input_scaling(std::string tensor) const {
    for (int steps = 0; steps < 64; ++steps) {
      if (const auto found = scalings_.find(tensor); found != scalings_.end()) return &found->second;
      const Node* made = graph_.producer(tensor);
      if (made == nullptr || made->inputs.empty()) break;
      tensor = made->inputs[0];
    }
    return nullptr;
  }

  Status quantize_constants(Node& node) {
    const Scaling* input = input_scaling(node.inputs[0]);
    const auto found = plan_.graph.initializers.find(node.inputs[1]);
    if (input == nullptr || found == plan_.graph.initializers.end() || found->second.dtype() != DType::kF32) return {};
    const std::int64_t axis = node.op == "Gemm" && node.integer("transB", 0) == 0 ? 1 : 0;
    const Tensor* bias = nullptr;
    if (node.inputs.size() > 2 && !node.inputs[2].empty()) bias = &plan_.graph.initializers.at(node.inputs[2]);
    const bool plain = node.op == "Conv" || (node.number("alpha", 1) == 1 && node.number("beta", 1) == 1);
    const std::int64_t channels = found->second.shape()[static_cast<std::size_t>(axis)];
    if (!plain || (bias != nullptr && bias->num_elements() != channels))
      return Error{.code = ErrorCode::kUnsupported,
                   .what = "a product with alpha, beta or a bias that is not one value a channel cannot be quantised",
                   .where = "node " + node.name + " (" + node.op + ")"};
    const auto scales = weight_scales(found->second, axis, bias, input->scale);
    node.inputs[1] = quantized_weights(found->second, axis, scales, node.name);
    if (bias != nullptr) node.inputs[2] = quantized_bias(*bias, scales, input->scale, node.name);
    return {};
  }

  /// max|w| / 127 a channel, at least what keeps the bias within int32; a channel of zeros takes the layer's largest.
  static std::vector<float> weight_scales(const Tensor& weights, std::int64_t axis, const Tensor* bias, float input_scale) {
    const Shape& shape = weights.shape();
    const auto channels = static_cast<std::size_t>(shape[static_cast<std::size_t>(axis)]);
    const auto inner = static_cast<std::size_t>(num_elements({shape.begin() + axis + 1, shape.end()}));
    std::vector<double> most(channels, 0);
    const auto values = weights.data<float>();
    for (std::size_t i = 0; i < values.size(); ++i) {
      double& m = most[i / inner % channels];
      m = std::max(m, std::abs(static_cast<double>(values[i])));
    }
    const double largest = std::max(*std::max_element(most.begin(), most.end()), 1e-10);
    std::vector<float> scales;
    for (std::size_t c = 0; c < channels; ++c) {
      double scale = (most[c] > largest * 1e-9 ? most[c] : largest) / 127.0;
      if (bias != nullptr)
        scale = std::max(scale, std::abs(static_cast<double>(bias->data<float>()[c])) / (static_cast<double>(input_scale) * kMostBias));
      scales.push_back(static_cast<float>(scale));
    }
    return scales;
  }

  std::string quantized_weights(const Tensor& weights, std::int64_t axis, const std::vector<float>& scales, const std::string& node) {
    const auto inner = static_cast<std::size_t>(num_elements({weights.shape().begin() + axis + 1, weights.shape().end()}));
    Tensor integers(DType::kI8, weights.shape());
    const auto from = weights.data<float>();
    const auto to = integers.data<std::int8_t>();
    for (std::size_t i = 0; i < from.size(); ++i)
      to[i] = static_cast<std::int8_t>(std::clamp(std::round(from[i] / scales[i / inner % scales.size()]), -127.0F, 127.0F));
    return dequantized(node + ".weight", std::move(integers), scales, axis);
  }

  std::string quantized_bias(const Tensor& bias, const std::vector<float>& weight_scales, float input_scale, const std::string& node) {
    Tensor integers(DType::kI32, bias.shape());
    std::vector<float> scales;
    for (std::size_t c = 0; c < weight_scales.size(); ++c) {
      const double scale = static_cast<double>(input_scale) * static_cast<double>(weight_scales[c]);
      scales.push_back(static_cast<float>(scale));
      integers.data<std::int32_t>()[c] = static_cast<std::int32_t>(std::round(static_cast<double>(bias.data<float>()[c]) / scale));
    }
    return dequantized(node + ".bias", std::move(integers), scales, static_cast<std::int64_t>(bias.shape().size()) - 1);
  }

  std::string dequantized(const std::string& name, Tensor integers, const std::vector<float>& scales, std::int64_t axis) {
    const std::string kind = integers.dtype() == DType::kI8 ? "/int8" : "/int32";
    const std::string values = constant(name + kind, std::move(integers));
    const std::string scale = constant(name + "/scale", Tensor::of<float>({static_cast<std::int64_t>(scales.size())}, scales));
    const std::string back = fresh(name + "/dequantised");
    add_node("DequantizeLinear", {values, scale}, back);
    graph_.nodes.back().attributes["axis"] = axis;
    return back;
  }

  void add_node(const std::string& op, std::vector<std::string> inputs, const std::string& output) {
    graph_.nodes.push_back({.name = fresh(output + "/" + (op == "QuantizeLinear" ? "quantise" : "dequantise")),
                            .op = op,
                            .inputs = std::move(inputs),
                            .outputs = {output}});
  }

  std::string constant(const std::string& name, Tensor value) {
    const std::string made = fresh(name);
    graph_.initializers.insert_or_assign(made, std::move(value));
    return made;
  }

  /// `wanted`, or with a number where a tensor or node has that name.
  std::string fresh(const std::string& wanted) {
    if (taken_.empty()) {
      for (const auto& [name, tensor] : plan_.graph.initializers) taken_.insert(name);
      for (const auto& input : plan_.graph.inputs) taken_.insert(input.name);
      for (const auto& node : plan_.graph.nodes) {
        taken_.insert(node.name);
        taken_.insert(node.outputs.begin(), node.outputs.end());
      }
    }
    std::string name = wanted;
    for (int n = 1; !taken_.insert(name).second; ++n) name = wanted + "_" + std::to_string(n);
    return name;
  }

  const QuantizationPlan& plan_;
  const Ranges& ranges_;
  Graph graph_;
  std::map<std::string, Scaling> scalings_;
  std::set<std::string> taken_;
};

/// Weights in floats that their int8 form has replaced.
void drop_unused(Graph& graph) {
  std::set<std::string> used;
  for (const auto& node : graph.nodes) used.insert(node.inputs.begin(), node.inputs.end());
  for (const auto& output : graph.outputs) used.insert(output.name);
  std::erase_if(graph.initializers, [&](const auto& entry) { return !used.contains(entry.first); });
}

}  // namespace

Result<Graph> quantize(const QuantizationPlan& plan, const Ranges& ranges) {
  HEDGE_TRY(auto graph, Quantizer(plan, ranges).run());
  drop_unused(graph);
  return graph;
}

}  // namespace hedge::codegen

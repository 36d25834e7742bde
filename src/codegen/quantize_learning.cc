#include "codegen/quantize_learning.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "graph/operators.h"

namespace hedge::codegen {
namespace {

using graph::Graph;
using graph::Node;

constexpr double kWithin = 0.49;  ///< of a step, to either side: rounds back to it

bool is_product(const Node& node) { return node.op == "Conv" || node.op == "Gemm"; }

/// Integers in the graph that a DequantizeLinear turns into one input of a product.
struct Constant {
  const Node* back = nullptr;  ///< the DequantizeLinear
  const Tensor* values = nullptr;
  std::span<const float> scales;
  std::size_t inner = 1;  ///< elements between two of the next scale

  [[nodiscard]] double scale(std::size_t i) const { return static_cast<double>(scales[i / inner % scales.size()]); }
};

/// Of input `index` of `node`, where it is such a constant.
std::optional<Constant> constant_of(const Graph& graph, const Node& node, std::size_t index) {
  if (index >= node.inputs.size() || node.inputs[index].empty()) return std::nullopt;
  const Node* back = graph.producer(node.inputs[index]);
  if (back == nullptr || back->op != "DequantizeLinear") return std::nullopt;
  const auto values = graph.initializers.find(back->inputs[0]);
  if (values == graph.initializers.end()) return std::nullopt;
  const Shape& shape = values->second.shape();
  const auto axis = back->integer("axis", 1);
  Constant constant{.back = back, .values = &values->second, .scales = graph.initializers.at(back->inputs[1]).data<float>()};
  constant.inner = static_cast<std::size_t>(num_elements({shape.begin() + axis + 1, shape.end()}));
  return constant;
}

Error mismatch(const Node& node) {
  return {.code = ErrorCode::kMismatch, .what = "the int8 graph is not of this plan", .where = "node " + node.name + " (" + node.op + ")"};
}

/// `floats`, each kept within the step of its integer.
Tensor near_steps(const Tensor& floats, const Constant& constant) {
  Tensor kept(DType::kF32, floats.shape());
  const auto integers = constant.values->data<std::int8_t>();
  for (std::size_t i = 0; i < integers.size(); ++i) {
    const double scale = constant.scale(i), middle = integers[i];
    const double steps = std::clamp(static_cast<double>(floats.data<float>()[i]) / scale, middle - kWithin, middle + kWithin);
    kept.data<float>()[i] = static_cast<float>(steps * scale);
  }
  return kept;
}

Tensor dequantised_bias(const Constant& constant) {
  Tensor floats(DType::kF32, constant.values->shape());
  const auto integers = constant.values->data<std::int32_t>();
  for (std::size_t i = 0; i < integers.size(); ++i) floats.data<float>()[i] = static_cast<float>(integers[i] * constant.scale(i));
  return floats;
}

std::vector<const Node*> products_of(const Graph& graph) {
  std::vector<const Node*> products;
  for (const auto& node : graph.nodes)
    if (is_product(node)) products.push_back(&node);
  return products;
}

}  // namespace

Result<Graph> with_learnable_constants(const Graph& small, const QuantizationPlan& plan) {
  const auto ours = products_of(small), theirs = products_of(plan.graph);  // in the same order
  Graph learnable = small;
  std::map<std::string, Node> rounded;  // by the integers that it makes
  std::set<std::string> dropped;        // biases' dequantised forms
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const auto weights = constant_of(small, *ours[i], 1);
    if (!weights) continue;
    if (i >= theirs.size() || theirs[i]->op != ours[i]->op) return mismatch(*ours[i]);
    const auto floats = plan.graph.initializers.find(theirs[i]->inputs[1]);
    if (floats == plan.graph.initializers.end() || floats->second.shape() != weights->values->shape()) return mismatch(*ours[i]);
    const std::string integers = weights->back->inputs[0], learned = integers + "/learned", zero = integers + "/zero_point";
    learnable.initializers.erase(integers);
    learnable.initializers.insert_or_assign(learned, near_steps(floats->second, *weights));
    learnable.initializers.insert_or_assign(zero, Tensor(DType::kI8, {static_cast<std::int64_t>(weights->scales.size())}));
    rounded[integers] = {.name = integers + "/round",
                         .op = "QuantizeLinear",
                         .inputs = {learned, weights->back->inputs[1], zero},
                         .outputs = {integers},
                         .attributes = {{"axis", weights->back->integer("axis", 1)}}};
    if (const auto bias = constant_of(small, *ours[i], 2)) {
      learnable.initializers.erase(bias->back->inputs[0]);
      learnable.initializers.insert_or_assign(bias->back->outputs[0], dequantised_bias(*bias));
      dropped.insert(bias->back->outputs[0]);
    }
  }
  std::vector<Node> nodes;
  for (auto& node : learnable.nodes) {
    if (dropped.contains(node.outputs[0])) continue;
    if (const auto found = rounded.find(node.inputs[0]); node.op == "DequantizeLinear" && found != rounded.end())
      nodes.push_back(std::move(found->second));
    nodes.push_back(std::move(node));
  }
  learnable.nodes = std::move(nodes);
  HEDGE_CHECK(graph::validate(learnable));
  return learnable;
}

Result<Graph> with_learned_constants(Graph small, const Graph& learned) {
  const Graph before = small;
  for (const Node* product : products_of(before)) {
    const auto weights = constant_of(before, *product, 1);
    if (!weights) continue;
    const auto floats = learned.initializers.find(weights->back->inputs[0] + "/learned");
    if (floats == learned.initializers.end() || floats->second.shape() != weights->values->shape()) return mismatch(*product);
    auto integers = small.initializers.at(weights->back->inputs[0]).data<std::int8_t>();
    for (std::size_t i = 0; i < integers.size(); ++i)
      integers[i] = static_cast<std::int8_t>(
          std::clamp(std::nearbyint(static_cast<double>(floats->second.data<float>()[i]) / weights->scale(i)), -127.0, 127.0));
    const auto bias = constant_of(before, *product, 2);
    if (!bias) continue;
    const auto values = learned.initializers.find(bias->back->outputs[0]);
    if (values == learned.initializers.end()) return mismatch(*product);
    auto sums = small.initializers.at(bias->back->inputs[0]).data<std::int32_t>();
    constexpr double kMost = 1 << 30;  // as quantize() keeps it
    for (std::size_t i = 0; i < sums.size(); ++i)
      sums[i] = static_cast<std::int32_t>(
          std::clamp(std::nearbyint(static_cast<double>(values->second.data<float>()[i]) / bias->scale(i)), -kMost, kMost));
  }
  return small;
}

}  // namespace hedge::codegen

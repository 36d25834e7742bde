#include "codegen/quantize_costs.h"

#include <algorithm>
#include <string>

namespace hedge::codegen {
namespace {

using graph::Graph;
using graph::Node;

/// The values of the first output, batch after batch.
Result<std::vector<float>> first_output(const Graph& graph, const CostInputs& inputs) {
  HEDGE_TRY(const auto executor, inputs.floats.compile(graph));
  HEDGE_TRY(const std::size_t index, find_spec(executor->outputs(), graph.outputs.at(0).name));
  std::vector<float> values;
  for (std::size_t b = 0; b < inputs.data.batches(); ++b) {
    HEDGE_TRY(const auto batch, inputs.data.batch(b));
    std::vector<NamedView> views;
    for (const auto& [name, tensor] : batch) views.push_back({name, tensor.view()});
    HEDGE_TRY(const auto outputs, executor->run(views));
    const auto some = outputs[index].data<float>();
    values.insert(values.end(), some.begin(), some.end());
  }
  return values;
}

const Node* named(const Graph& graph, const std::string& name) {
  const auto node = std::find_if(graph.nodes.begin(), graph.nodes.end(), [&](const Node& n) { return n.name == name; });
  return node == graph.nodes.end() ? nullptr : &*node;
}

/// The graph in floats, one layer's weights replaced by what its integers stand for; nothing where it has none.
std::optional<Graph> with_weights(const CostInputs& inputs, const std::string& layer) {
  const Node* small = named(inputs.small, layer);
  const Node* large = named(inputs.plan.graph, layer);
  if (small == nullptr || large == nullptr || small->inputs.size() < 2) return std::nullopt;
  const Node* back = inputs.small.producer(small->inputs[1]);
  if (back == nullptr || back->op != "DequantizeLinear") return std::nullopt;
  const auto integers = inputs.small.initializers.find(back->inputs[0]), scales = inputs.small.initializers.find(back->inputs[1]);
  if (integers == inputs.small.initializers.end() || scales == inputs.small.initializers.end()) return std::nullopt;
  const Shape& shape = integers->second.shape();
  const auto inner = static_cast<std::size_t>(num_elements({shape.begin() + back->integer("axis", 1) + 1, shape.end()}));
  const auto from = integers->second.data<std::int8_t>();
  const auto scale = scales->second.data<float>();
  Tensor weights(DType::kF32, shape);
  for (std::size_t i = 0; i < from.size(); ++i) weights.data<float>()[i] = static_cast<float>(from[i]) * scale[i / inner % scale.size()];
  Graph graph = inputs.plan.graph;
  const std::string name = layer + "/alone";
  graph.initializers.insert_or_assign(name, std::move(weights));
  for (Node& node : graph.nodes)
    if (node.name == layer) node.inputs[1] = name;
  return graph;
}

/// The graph in floats, the tensor rounded as `one` says; the network's input where no layer makes it.
Graph with_rounding(const QuantizationPlan& plan, const TensorNoise& one) {
  Graph graph = plan.graph;
  const bool input = graph.producer(one.tensor) == nullptr;
  const std::string tensor = input ? graph.inputs.at(0).name : one.tensor;
  const std::string name = tensor + "/alone";
  graph.initializers.insert_or_assign(name + "/scale", Tensor::of<float>({}, std::vector<float>{one.scale}));
  graph.initializers.insert_or_assign(name + "/zero",
                                      Tensor::of<std::int8_t>({}, std::vector<std::int8_t>{static_cast<std::int8_t>(one.zero_point)}));
  // The rounded tensor takes the old name where a layer makes it, because it may be an output; an input keeps its own.
  const std::string from = input ? tensor : name + "/float", to = input ? name : tensor;
  auto at = graph.nodes.begin();
  for (auto node = graph.nodes.begin(); node != graph.nodes.end(); ++node)
    for (auto& output : node->outputs)
      if (!input && output == tensor) {
        output = from;
        at = node + 1;
      }
  if (input)
    for (Node& node : graph.nodes) std::replace(node.inputs.begin(), node.inputs.end(), tensor, to);
  at = graph.nodes.insert(at, {.name = name + "/quantise",
                               .op = "QuantizeLinear",
                               .inputs = {from, name + "/scale", name + "/zero"},
                               .outputs = {name + "/int8"},
                               .attributes = {}});
  graph.nodes.insert(at + 1, {.name = name + "/dequantise",
                              .op = "DequantizeLinear",
                              .inputs = {name + "/int8", name + "/scale", name + "/zero"},
                              .outputs = {to},
                              .attributes = {}});
  return graph;
}

}  // namespace

Status measure_costs(const CostInputs& inputs, std::vector<TensorNoise>& noise) {
  HEDGE_TRY(const auto wanted, first_output(inputs.plan.graph, inputs));
  const auto cost_of = [&](const Graph& graph) -> Result<double> {
    if (inputs.should_stop && inputs.should_stop())
      return Error{.code = ErrorCode::kCancelled, .what = "stopped on request", .where = "costs"};
    HEDGE_TRY(const auto got, first_output(graph, inputs));
    return signal_to_noise_db(wanted, got);
  };
  for (std::size_t i = 0; i < noise.size(); ++i) {
    if (const auto graph = with_weights(inputs, noise[i].layer)) {
      HEDGE_TRY(noise[i].weights_alone_db, cost_of(*graph));
    }
    HEDGE_TRY(noise[i].output_alone_db, cost_of(with_rounding(inputs.plan, noise[i])));
    if (inputs.progress) inputs.progress({.what = "costs", .done = static_cast<double>(i + 1), .total = static_cast<double>(noise.size())});
  }
  return {};
}

}  // namespace hedge::codegen

#include <algorithm>
#include <limits>
#include <set>

#include "codegen/quantize.h"
#include "graph/operators.h"
#include "graph/passes.h"
#include "graph/uses.h"

namespace hedge::codegen {
namespace {

using graph::Graph;
using graph::Node;

bool is_product(const Node& node) { return node.op == "Conv" || node.op == "Gemm"; }
bool is_pool(const Node& node) { return node.op == "GlobalAveragePool" || node.op == "AveragePool" || node.op == "MaxPool"; }
bool passes_through(const Node& node) {
  return node.op == "Flatten" || node.op == "Reshape" || node.op == "Squeeze" || node.op == "Identity" || node.op == "Dropout";
}

bool is_hard(const Node& node) { return node.op == "HardSwish" || node.op == "HardSigmoid"; }

/// Where a hard function stops changing: below `low` it gives one value; so does a hard-sigmoid above `high`.
Range limit_of(const Node& node) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  if (node.op == "HardSwish") return {.low = -3, .high = kInfinity};
  const auto alpha = static_cast<float>(node.number("alpha", 0.2F)), beta = static_cast<float>(node.number("beta", 0.5F));
  return alpha > 0 ? Range{.low = -beta / alpha, .high = (1 - beta) / alpha} : Range{.low = -kInfinity, .high = kInfinity};
}

/// Axes of a ReduceMean over a tensor of `rank`, from the front, sorted.
std::vector<std::int64_t> axes_of(const Node& node, std::size_t rank) {
  auto axes = node.integers("axes", {});
  for (auto& axis : axes) axis = axis < 0 ? axis + static_cast<std::int64_t>(rank) : axis;
  std::sort(axes.begin(), axes.end());
  return axes;
}

/// Takes a mean over height and width, in one ReduceMean or in two after each other (as PyTorch's x.mean(3).mean(2) exports), for the
/// GlobalAveragePool that it is; a Flatten drops the dimensions where the mean did.
Status pool_means(Graph& graph) {
  HEDGE_TRY(const auto tensors, graph::infer_shapes(graph));
  auto uses = graph::count_uses(graph);
  std::vector<Node> nodes;
  for (Node& node : graph.nodes) {
    const auto rank_of = [&](const Node& n) { return tensors.at(n.inputs[0]).shape.size(); };
    const Node* before = nodes.empty() || node.op != "ReduceMean" ? nullptr : &nodes.back();
    const bool second = before != nullptr && before->op == "ReduceMean" && before->outputs[0] == node.inputs[0] &&
                        uses[node.inputs[0]] == 1 && rank_of(*before) == 4 && before->integer("keepdims", 1) == 0 &&
                        node.integer("keepdims", 1) == 0 && axes_of(*before, 4) == std::vector<std::int64_t>{3} &&
                        axes_of(node, 3) == std::vector<std::int64_t>{2};
    const bool whole = node.op == "ReduceMean" && rank_of(node) == 4 && axes_of(node, 4) == std::vector<std::int64_t>{2, 3};
    if (!second && !whole) {
      nodes.push_back(std::move(node));
      continue;
    }
    Node pool{
        .name = node.name, .op = "GlobalAveragePool", .inputs = {second ? before->inputs[0] : node.inputs[0]}, .outputs = node.outputs};
    if (second) nodes.pop_back();
    if (node.integer("keepdims", 1) == 0) {
      pool.outputs = {node.outputs[0] + "/pooled"};
      Node flat{.name = node.name + "/flat", .op = "Flatten", .inputs = pool.outputs, .outputs = node.outputs};
      nodes.push_back(std::move(pool));
      nodes.push_back(std::move(flat));
    } else {
      nodes.push_back(std::move(pool));
    }
  }
  graph.nodes = std::move(nodes);
  return graph::validate(graph);
}

/// A maximum pool before its activation (Conv, MaxPool, Relu) is taken behind it: a monotone function of a maximum is the maximum of its
/// values, and an int8 layer clamps for nothing.
void activate_before_pooling(Graph& graph) {
  auto uses = graph::count_uses(graph);
  std::map<std::string, std::size_t> pools;  // by output
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    Node& node = graph.nodes[i];
    if (node.op == "MaxPool" && node.outputs.size() == 1 && uses[node.outputs[0]] == 1) pools[node.outputs[0]] = i;
    if (node.op != "Relu" && node.op != "Clip") continue;
    const auto found = pools.find(node.inputs[0]);
    if (found == pools.end()) continue;
    Node& pool = graph.nodes[found->second];
    std::swap(pool.inputs[0], node.inputs[0]);
    std::swap(pool.outputs, node.outputs);
    std::swap(pool, node);
  }
}

class Planner {
 public:
  Planner(Graph graph, std::map<std::string, graph::TensorInfo> tensors)
      : graph_(std::move(graph)), tensors_(std::move(tensors)), uses_(graph::count_uses(graph_)) {}

  Result<QuantizationPlan> run() {
    for (const auto& node : graph_.nodes)
      if (node.op == "QuantizeLinear" || node.op == "DequantizeLinear")
        return Error{.code = ErrorCode::kInvalidArgument,
                     .what = "the graph is quantised already",
                     .where = "graph " + graph_.name + ", node " + node.name};
    for (const Node& node : graph_.nodes) HEDGE_CHECK(visit(node));
    if (plan_.ranged.empty())
      return Error{.code = ErrorCode::kUnsupported,
                   .what = "nothing to quantise",
                   .where = "graph " + graph_.name,
                   .expected = "a Conv, Gemm or pool"};
    plan_.graph = std::move(graph_);
    return std::move(plan_);
  }

 private:
  [[nodiscard]] bool is_constant(const std::string& tensor) const { return graph_.initializers.contains(tensor); }

  [[nodiscard]] bool is_image(const std::string& tensor) const { return tensors_.at(tensor).shape.size() == 4; }
  /// A router's sigmoid and products, which are not of images, stay in floats.
  [[nodiscard]] bool is_function(const Node& node) const {
    return is_hard(node) || node.op == "LeakyRelu" || ((node.op == "Sigmoid" || node.op == "Tanh") && is_image(node.inputs[0]));
  }
  [[nodiscard]] bool multiplies(const Node& node) const {
    return node.op == "Mul" && !is_constant(node.inputs[0]) && !is_constant(node.inputs[1]) && is_image(node.inputs[0]) &&
           is_image(node.inputs[1]);
  }

  /// The tensor behind changes of shape, which alone carries a scale.
  [[nodiscard]] std::string source(std::string tensor) const {
    for (const Node* made = graph_.producer(tensor); made != nullptr && passes_through(*made); made = graph_.producer(tensor))
      tensor = made->inputs[0];
    return tensor;
  }

  /// Where the layer's result is quantised: behind its Relu or Clip, if nothing else looks at what lies between.
  [[nodiscard]] std::string result_of(const Node& node) const {
    std::string result = node.outputs[0];
    for (bool fused = true; fused;) {
      fused = false;
      if (uses_.contains(result) && uses_.at(result) != 1) break;
      for (const Node& next : graph_.nodes)
        if ((next.op == "Relu" || next.op == "Clip") && next.inputs[0] == result) {
          result = next.outputs[0];
          fused = true;
          break;
        }
    }
    return result;
  }

  void range(const std::string& tensor) {
    if (plan_.shares.contains(tensor)) return;
    if (seen_.insert(tensor).second) plan_.ranged.push_back(tensor);
  }

  Status visit(const Node& node) {
    const bool adds = node.op == "Add" && !is_constant(node.inputs[0]) && !is_constant(node.inputs[1]);
    if (!is_product(node) && !is_pool(node) && !adds && !is_function(node) && !multiplies(node)) return {};
    if (is_product(node) && is_constant(node.inputs[0])) return {};
    if (is_product(node))
      for (std::size_t i = 1; i < node.inputs.size(); ++i)
        if (!node.inputs[i].empty() && !is_constant(node.inputs[i]))
          return Error{.code = ErrorCode::kUnsupported,
                       .what = "weights that are computed cannot be quantised",
                       .where = "node " + node.name + " (" + node.op + "), input " + node.inputs[i]};
    for (const auto& input : node.inputs)
      if (!input.empty() && !is_constant(input)) range(source(input));
    // Nobody else may look at the tensor, nor at a change of its shape.
    if (const auto& x = node.inputs[0]; is_hard(node) && source(x) == x && uses_.at(x) == 1) plan_.limits[x] = limit_of(node);
    if (is_pool(node)) {
      const std::string from = source(node.inputs[0]);
      const auto shared = plan_.shares.find(from);
      plan_.shares[node.outputs[0]] = shared == plan_.shares.end() ? from : shared->second;
    } else {
      range(result_of(node));
    }
    return {};
  }

  Graph graph_;
  std::map<std::string, graph::TensorInfo> tensors_;
  QuantizationPlan plan_;
  std::map<std::string, int> uses_;
  std::set<std::string> seen_;
};

}  // namespace

Result<QuantizationPlan> plan_quantization(Graph graph) {
  HEDGE_CHECK(graph::validate(graph));
  HEDGE_TRY(auto folded, graph::fold_batch_norm(std::move(graph)));
  HEDGE_CHECK(pool_means(folded));
  activate_before_pooling(folded);
  HEDGE_TRY(auto tensors, graph::infer_shapes(folded));
  return Planner(std::move(folded), std::move(tensors)).run();
}

}  // namespace hedge::codegen

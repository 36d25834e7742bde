#include <algorithm>
#include <set>

#include "codegen/quantize.h"
#include "graph/operators.h"
#include "graph/passes.h"

namespace hedge::codegen {
namespace {

using graph::Graph;
using graph::Node;

bool is_product(const Node& node) { return node.op == "Conv" || node.op == "Gemm"; }
bool is_pool(const Node& node) { return node.op == "GlobalAveragePool" || node.op == "AveragePool" || node.op == "MaxPool"; }
bool passes_through(const Node& node) {
  return node.op == "Flatten" || node.op == "Reshape" || node.op == "Squeeze" || node.op == "Identity" || node.op == "Dropout";
}

class Planner {
 public:
  explicit Planner(Graph graph) : graph_(std::move(graph)) {
    for (const auto& node : graph_.nodes)
      for (const auto& input : node.inputs) ++uses_[input];
    for (const auto& output : graph_.outputs) ++uses_[output.name];
    if (const auto features = graph_.metadata.find(graph::kFeaturesKey); features != graph_.metadata.end()) ++uses_[features->second];
  }

  Result<QuantizationPlan> run() {
    for (const Node& node : graph_.nodes) HEDGE_CHECK(visit(node));
    for (const auto& node : graph_.nodes)
      if (node.op == "QuantizeLinear" || node.op == "DequantizeLinear")
        return Error{.code = ErrorCode::kInvalidArgument, .what = "the graph is quantised already", .where = "graph " + graph_.name + ", node " + node.name};
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

  /// The tensor behind changes of shape, which alone carries a scale.
  [[nodiscard]] std::string source(std::string tensor) const {
    for (const Node* made = graph_.producer(tensor); made != nullptr && passes_through(*made); made = graph_.producer(tensor)) tensor = made->inputs[0];
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
    if (!is_product(node) && !is_pool(node) && !adds) return {};
    if (is_product(node) && is_constant(node.inputs[0])) return {};
    if (is_product(node))
      for (std::size_t i = 1; i < node.inputs.size(); ++i)
        if (!node.inputs[i].empty() && !is_constant(node.inputs[i]))
          return Error{.code = ErrorCode::kUnsupported,
                       .what = "weights that are computed cannot be quantised",
                       .where = "node " + node.name + " (" + node.op + "), input " + node.inputs[i]};
    for (const auto& input : node.inputs)
      if (!input.empty() && !is_constant(input)) range(source(input));
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
  QuantizationPlan plan_;
  std::map<std::string, int> uses_;
  std::set<std::string> seen_;
};

}  // namespace

Result<QuantizationPlan> plan_quantization(Graph graph) {
  HEDGE_CHECK(graph::validate(graph));
  HEDGE_TRY(auto folded, graph::fold_batch_norm(std::move(graph)));
  return Planner(std::move(folded)).run();
}

}  // namespace hedge::codegen

#include "graph/ends.h"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <set>

#include "graph/operators.h"
#include "graph/passes.h"

namespace hedge::graph {
namespace {

constexpr double kNearlyNone = 0.01;  // bounds that keep probabilities off 0 and 1 are nearer to them than this

bool one_of(const std::string& op, std::initializer_list<const char*> ops) {
  return std::any_of(ops.begin(), ops.end(), [&](const char* o) { return op == o; });
}

/// The value of a constant of one element.
std::optional<double> number_of(const Graph& graph, const std::string& tensor) {
  const auto found = graph.initializers.find(tensor);
  if (found == graph.initializers.end() || found->second.num_elements() != 1 || found->second.dtype() != DType::kF32) return std::nullopt;
  return found->second.data<float>()[0];
}

/// Reshapes, or picks and orders: the numbers stay what they are.
bool reshapes(const Node& node) {
  return one_of(node.op, {"Identity", "Dropout", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Slice", "Gather"});
}

/// Changes the numbers but neither their order nor what they mean: rounding, a positive factor, bounds close to 0 and 1.
bool rounds(const Graph& graph, const Node& node) {
  if (one_of(node.op, {"Cast", "QuantizeLinear", "DequantizeLinear"})) return true;
  if (one_of(node.op, {"Mul", "Div"}) && node.inputs.size() == 2) return number_of(graph, node.inputs[1]).value_or(0) > 0;
  if (node.op != "Clip") return false;
  const auto bound = [&](std::size_t at, double otherwise) {
    return at < node.inputs.size() && !node.inputs[at].empty() ? number_of(graph, node.inputs[at]).value_or(0.5) : otherwise;
  };
  return bound(1, 0) < kNearlyNone && bound(2, 1) > 1 - kNearlyNone;
}

bool is_constant(const Graph& graph, const std::string& tensor) { return graph.initializers.contains(tensor); }

/// x of Exp(x), or of Exp(x - max x): softmax is the same of both.
std::string exponent(const Graph& graph, const Node& exp) {
  const Node* shifted = graph.producer(exp.inputs[0]);
  if (shifted == nullptr || shifted->op != "Sub") return exp.inputs[0];
  const Node* most = graph.producer(shifted->inputs[1]);
  return most != nullptr && most->op == "ReduceMax" && most->inputs[0] == shifted->inputs[0] ? shifted->inputs[0] : exp.inputs[0];
}

/// Exp(x) / ReduceSum(Exp(x)), or 1 / (1 + Exp(-x)).
std::optional<FoundEnd> written_out(const Graph& graph, const Node& node) {
  if (node.op != "Div") return std::nullopt;
  const Node* above = graph.producer(node.inputs[0]);
  const Node* below = graph.producer(node.inputs[1]);
  if (above != nullptr && below != nullptr && above->op == "Exp" && below->op == "ReduceSum" && below->inputs[0] == node.inputs[0])
    return FoundEnd{.end = End::kProbabilities, .node = node.name, .op = "Softmax", .logits = exponent(graph, *above)};
  if (below == nullptr || below->op != "Add" || number_of(graph, node.inputs[0]) != 1.0) return std::nullopt;
  for (const std::size_t i : {0, 1}) {
    const Node* exp = graph.producer(below->inputs[i]);
    const Node* neg = exp != nullptr && exp->op == "Exp" ? graph.producer(exp->inputs[0]) : nullptr;
    if (neg != nullptr && neg->op == "Neg" && number_of(graph, below->inputs[1 - i]) == 1.0)
      return FoundEnd{.end = End::kSigmoid, .node = node.name, .op = "Sigmoid", .logits = neg->inputs[0]};
  }
  return std::nullopt;
}

/// Whether `tensor` is a product with weights, up to a bias and what `reshapes` and `rounds`.
bool is_product(const Graph& graph, std::string tensor) {
  while (const Node* node = graph.producer(tensor)) {
    if (one_of(node->op, {"Gemm", "MatMul", "Conv"})) return true;
    const bool bias = one_of(node->op, {"Add", "Sub"}) && (is_constant(graph, node->inputs[0]) || is_constant(graph, node->inputs[1]));
    if (!bias && !reshapes(*node) && !rounds(graph, *node)) return false;
    tensor = node->inputs[bias && is_constant(graph, node->inputs[0]) ? 1 : 0];
  }
  return false;
}

/// The node that ends the classifier, and the nodes between it and the output that reshape, from the output on.
struct Walk {
  FoundEnd found;
  std::vector<const Node*> reshaping;
};

Walk walk_up(const Graph& graph, const std::string& output) {
  Walk walk;
  std::string tensor = output;
  while (const Node* node = graph.producer(tensor)) {
    if (const auto found = written_out(graph, *node)) {
      walk.found = *found;
      return walk;
    }
    if (one_of(node->op, {"Softmax", "LogSoftmax", "Sigmoid"})) {
      const End end = node->op == "Softmax" ? End::kProbabilities : node->op == "Sigmoid" ? End::kSigmoid : End::kLogProbabilities;
      walk.found = {.end = end, .node = node->name, .op = node->op, .logits = node->inputs[0]};
      return walk;
    }
    if (node->op == "Log") {
      Walk inner = walk_up(graph, node->inputs[0]);
      if (inner.found.end != End::kProbabilities) break;
      walk.found = inner.found;
      walk.found.end = End::kLogProbabilities;
      walk.reshaping.insert(walk.reshaping.end(), inner.reshaping.begin(), inner.reshaping.end());
      return walk;
    }
    if (reshapes(*node)) {
      walk.reshaping.push_back(node);
    } else if (!rounds(graph, *node)) {
      break;
    }
    tensor = node->inputs[0];
  }
  walk.reshaping.clear();
  if (is_product(graph, output)) walk.found.end = End::kLogits;
  return walk;
}

/// Adds a node at the end; the name of its output.
std::string append(Graph& graph, Node node, const std::string& wanted) {
  node.name = new_name(graph, wanted);
  node.outputs = {node.name};
  graph.nodes.push_back(node);
  return node.name;
}

/// [N, 1] -> [N, 2]: 0 and x.
std::string two_classes(Graph& graph, const std::string& tensor) {
  const std::string weights = new_name(graph, "two_classes_w");
  graph.initializers.emplace(weights, Tensor::of<float>({1, 2}, std::vector<float>{0, 1}));
  return append(graph, {.op = "MatMul", .inputs = {tensor, weights}}, "two_classes");
}

/// Leaves out the nodes and weights that no output needs any more.
void drop_dead(Graph& graph) {
  std::set<std::string> needed;
  for (const Value& output : graph.outputs) needed.insert(output.name);
  if (const auto features = graph.metadata.find(kFeaturesKey); features != graph.metadata.end()) needed.insert(features->second);
  std::vector<Node> kept;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    if (std::none_of(node->outputs.begin(), node->outputs.end(), [&](const auto& name) { return needed.contains(name); })) continue;
    needed.insert(node->inputs.begin(), node->inputs.end());
    kept.push_back(std::move(*node));
  }
  std::reverse(kept.begin(), kept.end());
  graph.nodes = std::move(kept);
  std::erase_if(graph.initializers, [&](const auto& entry) { return !needed.contains(entry.first); });
}

/// [N, C], also with sizes of 1 behind it.
bool is_class_output(const Value& value) {
  const Shape& s = value.shape;
  return value.dtype == DType::kF32 && s.size() >= 2 && std::all_of(s.begin() + 2, s.end(), [](auto size) { return size == 1; });
}

std::string list(const std::vector<Value>& outputs) {
  std::string text;
  for (const auto& output : outputs) text += (text.empty() ? "" : ", ") + output.name + " " + hedge::to_string(output.shape);
  return text;
}

}  // namespace

const char* to_string(End end) {
  switch (end) {
    case End::kUnknown: break;
    case End::kLogits: return "logits";
    case End::kProbabilities: return "probabilities";
    case End::kLogProbabilities: return "log_probabilities";
    case End::kSigmoid: return "sigmoid";
  }
  return "unknown";
}

FoundEnd find_end(const Graph& graph, const std::string& output) { return walk_up(graph, output).found; }

Result<std::string> find_class_output(const Graph& graph, const std::string& wanted) {
  std::vector<Value> fitting;
  for (const Value& output : graph.outputs) {
    if (output.name == (wanted.empty() ? "logits" : wanted)) return output.name;
    if (is_class_output(output)) fitting.push_back(output);
  }
  if (wanted.empty() && fitting.size() == 1) return fitting[0].name;
  const bool several = wanted.empty() && !fitting.empty();
  return Error{.code = several ? ErrorCode::kUnsupported : ErrorCode::kNotFound,
               .what = several ? "several outputs may be the classes" : "no output gives the classes",
               .where = "graph " + graph.name,
               .got = list(graph.outputs),
               .expected = wanted.empty() ? "one f32 output [N, classes]" : "an output called " + wanted,
               .hint = "name the output (--output, or \"output\" in MODEL.hedge.json)"};
}

Result<Graph> with_logits(Graph graph, const std::string& wanted) {
  HEDGE_TRY(const std::string output, find_class_output(graph, wanted));
  const Walk walk = walk_up(graph, output);
  HEDGE_TRY(const auto tensors, infer_shapes(graph));
  const Shape& shape = tensors.at(output).shape;
  if (walk.found.logits.empty() && shape.size() == 2) return graph;
  std::vector<Node> again;
  for (auto node = walk.reshaping.rbegin(); node != walk.reshaping.rend(); ++node) again.push_back(**node);
  std::string tensor = walk.found.logits.empty() ? output : walk.found.logits;
  for (Node& node : again) {
    node.inputs[0] = tensor;
    tensor = append(graph, node, node.name + "_of_logits");
  }
  if (shape.size() > 2) tensor = append(graph, {.op = "Flatten", .inputs = {tensor}}, output + "_flat");
  if (walk.found.end == End::kSigmoid && shape.size() >= 2 && shape[1] == 1) tensor = two_classes(graph, tensor);
  // The output keeps its name: what made it until now gets another.
  const std::string old = new_name(graph, output + "_before");
  for (Node& node : graph.nodes) {
    std::replace(node.outputs.begin(), node.outputs.end(), output, old);
    std::replace(node.inputs.begin(), node.inputs.end(), output, old);
  }
  if (tensor == output) tensor = old;
  const std::string name = new_name(graph, output + "_as_logits");
  graph.nodes.push_back({.name = name, .op = "Identity", .inputs = {tensor}, .outputs = {output}});
  drop_dead(graph);
  if (graph.metadata.contains(kFeaturesKey) && graph.metadata.at(kFeaturesKey) == output) graph.metadata.erase(kFeaturesKey);
  HEDGE_TRY(const auto typed, infer_shapes(graph));
  for (Value& value : graph.outputs)
    if (value.name == output) value.shape = typed.at(output).shape;
  HEDGE_CHECK(validate(graph));
  return graph;
}

Result<Graph> with_nchw_input(Graph graph) {
  if (graph.inputs.size() != 1 || graph.inputs[0].shape.size() != 4)
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "the model does not take one image",
                 .where = "graph " + graph.name,
                 .expected = "one input [N, H, W, C]"};
  Value& input = graph.inputs[0];
  const std::string inner = new_name(graph, input.name + "_nhwc");
  for (Node& node : graph.nodes) std::replace(node.inputs.begin(), node.inputs.end(), input.name, inner);
  const Shape& s = input.shape;
  input.shape = {s[0], s[3], s[1], s[2]};
  Node turn{.name = new_name(graph, inner + "_turn"),
            .op = "Transpose",
            .inputs = {input.name},
            .outputs = {inner},
            .attributes = {{"perm", std::vector<std::int64_t>{0, 2, 3, 1}}}};
  graph.nodes.insert(graph.nodes.begin(), std::move(turn));
  HEDGE_CHECK(validate(graph));
  return graph;
}

}  // namespace hedge::graph

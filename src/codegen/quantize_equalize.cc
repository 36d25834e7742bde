#include "codegen/quantize_equalize.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "graph/passes.h"
#include "graph/uses.h"

namespace hedge::codegen {
namespace {

using graph::Graph;
using graph::Node;

constexpr double kMargin = 1.1;  ///< a channel's values may grow by this before they meet the tensor's range
/// A channel that would need more is left alone: it is dead or nearly so. All that it shows is below a quarter of a step of the tensor's
/// range, so that little is lost, while on other images it may hold more, which would be cut off, and the layer behind it would get weights
/// of which only those of this channel keep a size.
constexpr double kMostFactor = 1024;

/// A convolution, the tensor that goes from it (behind its activation) to a depthwise one, and that one.
struct Pair {
  std::size_t maker = 0;
  std::string tensor;
  std::size_t depthwise = 0;
  double most = std::numeric_limits<double>::infinity();  ///< the activation's upper bound
  std::vector<double> largest;                            ///< |value| a channel, as measured
};

class Pairs {
 public:
  explicit Pairs(const Graph& graph) : graph_(graph), uses_(graph::count_uses(graph)) {
    for (std::size_t i = 0; i < graph.nodes.size(); ++i)
      for (const auto& output : graph.nodes[i].outputs) maker_[output] = i;
  }

  std::vector<Pair> find() const {
    std::vector<Pair> pairs;
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i)
      if (auto pair = pair_of(i)) pairs.push_back(std::move(*pair));
    return pairs;
  }

 private:
  [[nodiscard]] bool once(const std::string& tensor) const { return uses_.contains(tensor) && uses_.at(tensor) == 1; }

  /// Float constants that this node alone uses.
  [[nodiscard]] bool owns_constants(const Node& node) const {
    for (std::size_t i = 1; i < node.inputs.size(); ++i) {
      if (node.inputs[i].empty()) continue;
      const auto found = graph_.initializers.find(node.inputs[i]);
      if (found == graph_.initializers.end() || found->second.dtype() != DType::kF32 || !once(node.inputs[i])) return false;
    }
    return node.inputs.size() >= 2;
  }

  /// The bound of a Clip whose lower one is 0; nothing for another Clip.
  [[nodiscard]] std::optional<double> upper_bound(const Node& clip) const {
    const auto bound = [&](std::size_t i) {
      return clip.inputs.size() > i && !clip.inputs[i].empty() ? graph_.initializers.find(clip.inputs[i]) : graph_.initializers.end();
    };
    const auto low = bound(1), high = bound(2);
    if (low == graph_.initializers.end() || low->second.data<float>()[0] != 0) return std::nullopt;
    return high == graph_.initializers.end() ? std::numeric_limits<double>::infinity() : static_cast<double>(high->second.data<float>()[0]);
  }

  [[nodiscard]] std::optional<Pair> pair_of(std::size_t index) const {
    const Node& node = graph_.nodes[index];
    if (node.op != "Conv" || node.integer("group", 1) < 2 || !owns_constants(node)) return std::nullopt;
    const Shape& weights = graph_.initializers.at(node.inputs[1]).shape();
    if (weights[1] != 1 || weights[0] != node.integer("group", 1)) return std::nullopt;
    Pair pair{.tensor = node.inputs[0], .depthwise = index};
    const auto made = maker_.find(pair.tensor);
    if (made == maker_.end() || !once(pair.tensor)) return std::nullopt;
    pair.maker = made->second;
    const Node& before = graph_.nodes[pair.maker];
    if (before.op == "Relu" || before.op == "Clip") {
      const auto bound = before.op == "Clip" ? upper_bound(before) : pair.most;
      const auto conv = maker_.find(before.inputs[0]);
      if (!bound || conv == maker_.end() || !once(before.inputs[0])) return std::nullopt;
      pair.most = *bound;
      pair.maker = conv->second;
    }
    if (graph_.nodes[pair.maker].op != "Conv" || !owns_constants(graph_.nodes[pair.maker])) return std::nullopt;
    return pair;
  }

  const Graph& graph_;
  std::map<std::string, int> uses_;
  std::map<std::string, std::size_t> maker_;
};

/// Adds one batch [N, C, H, W] to the channels' largest values.
Status add_batch(Pair& pair, const Tensor& values) {
  const auto channels = static_cast<std::size_t>(values.shape()[1]),
             plane = static_cast<std::size_t>(values.shape()[2] * values.shape()[3]);
  pair.largest.resize(channels, 0);
  const auto x = values.data<float>();
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!std::isfinite(x[i]))
      return Error{
          .code = ErrorCode::kBadData, .what = "a calibration image makes a value that is not finite", .where = "tensor " + pair.tensor};
    double& largest = pair.largest[i / plane % channels];
    largest = std::max(largest, std::abs(static_cast<double>(x[i])));
  }
  return {};
}

Status measure(std::vector<Pair>& pairs, const Graph& graph, const infer::Runner& floats, const CalibrationData& data) {
  Graph probe = graph;
  for (const Pair& pair : pairs) {
    HEDGE_TRY(probe, graph::expose_output(std::move(probe), pair.tensor));
  }
  HEDGE_TRY(const auto executor, floats.compile(probe));
  for (std::size_t b = 0; b < data.batches(); ++b) {
    HEDGE_TRY(const auto batch, data.batch(b));
    std::vector<NamedView> views;
    for (const auto& [name, tensor] : batch) views.push_back({name, tensor.view()});
    HEDGE_TRY(const auto outputs, executor->run(views));
    for (Pair& pair : pairs) {
      HEDGE_TRY(const std::size_t index, find_spec(executor->outputs(), pair.tensor));
      HEDGE_CHECK(add_batch(pair, outputs[index]));
    }
  }
  return {};
}

/// Multiplies channel c, the first dimension, by factors[c].
void scale_channels(Tensor& tensor, const std::vector<double>& factors) {
  const auto values = tensor.data<float>();
  const std::size_t each = values.size() / factors.size();
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(static_cast<double>(values[i]) * factors[i / each]);
}

void apply(Graph& graph, const Pair& pair) {
  const double whole = std::min(*std::max_element(pair.largest.begin(), pair.largest.end()), pair.most);
  std::vector<double> up, down;
  for (const double largest : pair.largest) {
    const double factor = largest > 0 ? whole / (kMargin * largest) : 1.0;
    up.push_back(factor > kMostFactor ? 1.0 : std::max(factor, 1.0));
    down.push_back(1.0 / up.back());
  }
  const Node& maker = graph.nodes[pair.maker];
  for (std::size_t i = 1; i < maker.inputs.size(); ++i)
    if (!maker.inputs[i].empty()) scale_channels(graph.initializers.at(maker.inputs[i]), up);
  scale_channels(graph.initializers.at(graph.nodes[pair.depthwise].inputs[1]), down);
}

}  // namespace

Result<QuantizationPlan> equalize_channels(QuantizationPlan plan, const infer::Runner& floats, const CalibrationData& data) {
  std::vector<Pair> pairs = Pairs(plan.graph).find();
  if (pairs.empty()) return plan;
  HEDGE_CHECK(measure(pairs, plan.graph, floats, data));
  for (const Pair& pair : pairs)
    if (!pair.largest.empty()) apply(plan.graph, pair);
  return plan;
}

}  // namespace hedge::codegen

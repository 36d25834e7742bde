#include "graph/exits.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/json.h"
#include "core/rng.h"
#include "graph/operators.h"
#include "graph/passes.h"

namespace hedge::graph {
namespace {

constexpr double kClassifierDeviation = 0.01;  // as the zoo's classifiers

Tensor filled(std::int64_t count, float value) {
  return Tensor::of<float>({count}, std::vector<float>(static_cast<std::size_t>(count), value));
}

Tensor normal(Rng& rng, Shape shape, double deviation) {
  Tensor tensor(DType::kF32, std::move(shape));
  for (float& value : tensor.data<float>()) value = static_cast<float>(rng.normal() * deviation);
  return tensor;
}

/// The index of the last node that takes each tensor.
std::map<std::string, std::size_t> last_uses(const Graph& graph) {
  std::map<std::string, std::size_t> last;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i)
    for (const auto& input : graph.nodes[i].inputs) last[input] = i;
  return last;
}

std::size_t last_convolution(const Graph& graph) {
  std::size_t last = 0;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i)
    if (graph.nodes[i].op == "Conv") last = i;
  return last;
}

/// One head's nodes, behind the others of `graph`.
class Head {
 public:
  Head(Graph& graph, std::size_t number, Rng& rng) : graph_(graph), rng_(rng), name_(kExitPrefix + std::to_string(number)) {}

  void add(const std::string& tensor, std::int64_t channels, std::int64_t classes, std::int64_t width) {
    const std::string x = width > 0 ? convolve(tensor, channels, width) : tensor;
    const auto features = width > 0 ? width : channels;
    const auto pooled = node("GlobalAveragePool", ".pool", {x});
    const auto flat = node("Flatten", ".flat", {pooled}, {{"axis", std::int64_t{1}}});
    const auto logits =
        node("Gemm", "",
             {flat, constant(".weight", normal(rng_, {classes, features}, kClassifierDeviation)), constant(".bias", filled(classes, 0))},
             {{"transB", std::int64_t{1}}});
    graph_.outputs.push_back({logits, DType::kF32, {-1, classes}});
  }

 private:
  std::string convolve(const std::string& x, std::int64_t channels, std::int64_t width) {
    using Integers = std::vector<std::int64_t>;
    const double deviation = std::sqrt(2.0 / static_cast<double>(9 * width));  // He 2015, fan-out
    const auto y = node("Conv", ".conv", {x, constant(".conv.weight", normal(rng_, {width, channels, 3, 3}, deviation))},
                        {{"kernel_shape", Integers{3, 3}}, {"pads", Integers(4, 1)}, {"strides", Integers{2, 2}}});
    const auto z = node("BatchNormalization", ".bn",
                        {y, constant(".gamma", filled(width, 1)), constant(".beta", filled(width, 0)), constant(".mean", filled(width, 0)),
                         constant(".variance", filled(width, 1))});
    return node("Relu", ".relu", {z});
  }
  std::string constant(const std::string& suffix, Tensor value) {
    graph_.initializers[name_ + suffix] = std::move(value);
    return name_ + suffix;
  }
  std::string node(const std::string& op, const std::string& suffix, std::vector<std::string> inputs,
                   std::map<std::string, Attribute> attributes = {}) {
    graph_.nodes.push_back(
        {.name = name_ + suffix, .op = op, .inputs = std::move(inputs), .outputs = {name_ + suffix}, .attributes = std::move(attributes)});
    return name_ + suffix;
  }

  Graph& graph_;
  Rng& rng_;
  std::string name_;
};

/// kUnsupported where a name of the graph begins as the heads' do.
Status check_names(const Graph& graph) {
  const auto taken = [&](const std::string& name) -> Status {
    if (!name.starts_with(kExitPrefix)) return {};
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "the graph has exits already, or names like theirs",
                 .where = "graph " + graph.name,
                 .got = name};
  };
  for (const auto& [name, tensor] : graph.initializers) HEDGE_CHECK(taken(name));
  for (const auto& node : graph.nodes) HEDGE_CHECK(taken(node.name));
  return {};
}

Graph with_outputs(const Graph& graph, const std::set<std::string>& names) {
  Graph part = graph;
  std::erase_if(part.outputs, [&](const Value& v) { return !names.contains(v.name); });
  part.metadata.erase(kExitsKey);
  part.metadata.erase(kFeaturesKey);
  return prune_dead(std::move(part));
}

std::string exit_name(std::size_t index) { return kExitPrefix + std::to_string(index + 1); }

}  // namespace

Result<std::vector<CutPoint>> cut_points(const Graph& graph) {
  HEDGE_TRY(const auto tensors, infer_shapes(graph));
  HEDGE_TRY(const auto macs, macs_by_node(graph));
  const auto last = last_uses(graph);
  const auto end = last_convolution(graph);
  std::set<std::string> live;  // computed before and taken behind
  for (const auto& input : graph.inputs) live.insert(input.name);
  std::vector<CutPoint> points;
  std::int64_t before = 0;
  for (std::size_t i = 0; i < end; ++i) {
    for (const auto& output : graph.nodes[i].outputs) live.insert(output);
    std::erase_if(live, [&](const std::string& name) {
      const auto use = last.find(name);
      return use == last.end() || use->second <= i;
    });
    before += macs[i];
    if (live.size() != 1 || before == 0) continue;
    const Shape& shape = tensors.at(*live.begin()).shape;
    if (shape.size() != 4 || shape[1] < 1 || shape[2] < 1 || shape[3] < 1 || shape[2] * shape[3] == 1) continue;
    CutPoint point{.tensor = *live.begin(), .shape = shape, .elements = shape[1] * shape[2] * shape[3], .head_macs = before};
    if (points.empty() || points.back().head_macs != before)
      points.push_back(std::move(point));
    else if (point.elements <= points.back().elements)
      points.back() = std::move(point);
  }
  if (points.empty())
    return Error{
        .code = ErrorCode::kUnsupported, .what = "no tensor carries everything between two convolutions", .where = "graph " + graph.name};
  const auto pixels = [](const Shape& shape) { return shape.size() == 4 ? shape[2] * shape[3] : 1; };
  points.back().pixels_behind = pixels(tensors.at(graph.nodes[end].outputs.at(0)).shape);
  for (std::size_t i = 0; i + 1 < points.size(); ++i) points[i].pixels_behind = pixels(points[i + 1].shape);
  return points;
}

std::vector<CutPoint> stage_ends(const std::vector<CutPoint>& points) {
  std::vector<CutPoint> ends;
  for (const auto& point : points)
    if (point.pixels_behind < point.shape[2] * point.shape[3]) ends.push_back(point);
  return ends;
}

Result<Graph> add_exits(Graph graph, const std::vector<std::string>& tensors, const ExitOptions& options) {
  if (tensors.empty() || options.width < 0)
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "each exit needs a tensor, and the width must be at least 0",
                 .got = std::to_string(tensors.size()) + " tensors, width " + std::to_string(options.width)};
  HEDGE_CHECK(check_names(graph));
  HEDGE_TRY(const auto shapes, infer_shapes(graph));
  if (graph.outputs.empty() || shapes.at(graph.outputs[0].name).shape.size() != 2)
    return Error{.code = ErrorCode::kMismatch, .what = "the first output is no logits [N, C]", .where = "graph " + graph.name};
  const auto classes = shapes.at(graph.outputs[0].name).shape[1];
  Rng rng(options.seed, 0xE817);
  std::size_t number = 0;
  for (const auto& tensor : tensors) {
    const auto found = shapes.find(tensor);
    if (found == shapes.end())
      return Error{.code = ErrorCode::kNotFound, .what = "no tensor of this name", .where = "graph " + graph.name + ", tensor " + tensor};
    const Shape& shape = found->second.shape;
    if (shape.size() != 4 || shape[1] < 1)
      return Error{.code = ErrorCode::kMismatch,
                   .what = "an exit needs a tensor of images",
                   .where = "graph " + graph.name + ", tensor " + tensor,
                   .got = to_string(shape),
                   .expected = "[-1, C, H, W]"};
    Head(graph, ++number, rng).add(tensor, shape[1], classes, options.width);
  }
  graph.metadata[kExitsKey] = Json(tensors).dump();
  HEDGE_CHECK(validate(graph));
  return graph;
}

Result<std::vector<std::string>> exits_of(const Graph& graph) {
  const auto found = graph.metadata.find(kExitsKey);
  if (found == graph.metadata.end()) return std::vector<std::string>();
  const std::string where = "graph " + graph.name + ", metadata " + kExitsKey;
  HEDGE_TRY(const auto json, parse_json(found->second, where));
  std::vector<std::string> tensors;
  if (!json.is_array()) return Error{.code = ErrorCode::kBadFormat, .what = "not an array of names", .where = where};
  for (const auto& entry : json) {
    if (!entry.is_string()) return Error{.code = ErrorCode::kBadFormat, .what = "not an array of names", .where = where};
    tensors.push_back(entry.get<std::string>());
  }
  for (std::size_t i = 0; i < tensors.size(); ++i)
    if (std::none_of(graph.outputs.begin(), graph.outputs.end(), [&](const Value& v) { return v.name == exit_name(i); }))
      return Error{
          .code = ErrorCode::kBadFormat, .what = "an exit that the graph does not have as an output", .where = where, .got = exit_name(i)};
  return tensors;
}

Result<SplitNetwork> split_at_exit(const Graph& graph, std::size_t index) {
  HEDGE_TRY(const auto exits, exits_of(graph));
  if (index >= exits.size())
    return Error{.code = ErrorCode::kNotFound,
                 .what = "no such exit",
                 .where = "graph " + graph.name,
                 .got = std::to_string(index),
                 .expected = "below " + std::to_string(exits.size())};
  SplitNetwork split;
  split.tensor = exits[index];
  HEDGE_TRY(auto exposed, expose_output(graph, split.tensor));
  HEDGE_TRY(auto halves, cut_at(with_outputs(graph, {graph.outputs[0].name}), split.tensor));
  split.cloud = std::move(halves.tail);
  std::stable_partition(exposed.outputs.begin(), exposed.outputs.end(), [&](const Value& v) { return v.name == split.tensor; });
  split.device = with_outputs(exposed, {split.tensor, exit_name(index)});
  for (std::size_t axis = 1; axis < split.cloud.inputs[0].shape.size(); ++axis)
    split.elements = (axis == 1 ? 1 : split.elements) * split.cloud.inputs[0].shape[axis];
  return split;
}

Result<std::vector<std::int64_t>> exit_macs(const Graph& graph) {
  HEDGE_TRY(const auto exits, exits_of(graph));
  std::vector<std::int64_t> all;
  std::set<std::string> outputs;
  for (std::size_t i = 0; i <= exits.size(); ++i) {
    outputs.insert(i < exits.size() ? exit_name(i) : graph.outputs.at(0).name);
    HEDGE_TRY(const auto macs, count_macs(with_outputs(graph, outputs)));
    all.push_back(macs);
  }
  return all;
}

}  // namespace hedge::graph

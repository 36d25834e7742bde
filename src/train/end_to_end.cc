#include "train/end_to_end.h"

#include <map>
#include <string>

#include "graph/operators.h"
#include "graph/passes.h"
#include "train/router_graph.h"

namespace hedge::train {
namespace {

constexpr const char* kPrefix = "router/";
constexpr const char* kQuery = "query";

std::string prefixed(const std::string& name) { return kPrefix + name; }

/// What each of the router's inputs is in the base. Errors: kMismatch, kUnsupported.
Result<std::map<std::string, std::string>> wire(const graph::Graph& base, const graph::Graph& router) {
  HEDGE_TRY(const auto tensors, graph::infer_shapes(base));
  std::map<std::string, std::string> wires;
  for (const auto& input : router.inputs) {
    std::string source = base.outputs.at(0).name;
    if (input.name == "features") {
      HEDGE_TRY(source, graph::find_features(base));
    } else if (input.name != "logits") {
      return Error{.code = ErrorCode::kMismatch,
                   .what = "a router has an input that a base cannot give",
                   .where = input.name,
                   .expected = "\"logits\" and \"features\""};
    }
    const Shape& shape = tensors.at(source).shape;
    if (shape.size() != 2)
      return Error{.code = ErrorCode::kUnsupported,
                   .what = "the base's features are no rows",
                   .where = source,
                   .got = hedge::to_string(shape),
                   .expected = "[-1, F]"};
    if (input.shape.size() != 2 || input.shape[1] != shape[1])
      return Error{.code = ErrorCode::kMismatch,
                   .what = "the router was made for another base",
                   .where = input.name,
                   .got = hedge::to_string(shape),
                   .expected = hedge::to_string(input.shape)};
    wires[input.name] = source;
  }
  return wires;
}

/// The score of a gain router, in -1..1, as a probability.
std::string half_of_one_more(graph::Graph& graph, const std::string& score) {
  graph.initializers[prefixed("half")] = Tensor::of<float>({}, std::vector<float>{0.5F});
  graph.nodes.push_back({.name = prefixed("halved"), .op = "Mul", .inputs = {score, prefixed("half")}, .outputs = {prefixed("halved")}});
  graph.nodes.push_back({.name = prefixed("probability"),
                         .op = "Add",
                         .inputs = {prefixed("halved"), prefixed("half")},
                         .outputs = {prefixed("probability")}});
  return prefixed("probability");
}

}  // namespace

Result<graph::Graph> join_router(const graph::Graph& base, const graph::Graph& router) {
  HEDGE_TRY(const auto router_tensors, graph::infer_shapes(router));
  const auto logits = router_tensors.find(kRouterLogits);
  if (logits == router_tensors.end())
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "a free score has no weights to train end to end",
                 .where = router.name,
                 .hint = "take a gain or a selective-query router"};
  HEDGE_TRY(const auto wires, wire(base, router));
  const auto rename = [&](const std::string& name) {
    if (name.empty()) return name;
    const auto wired = wires.find(name);
    return wired != wires.end() ? wired->second : prefixed(name);
  };
  graph::Graph joined = base;
  for (const auto& [name, tensor] : router.initializers) joined.initializers[prefixed(name)] = tensor;
  for (auto node : router.nodes) {
    node.name = prefixed(node.name);
    for (auto& input : node.inputs) input = rename(input);
    for (auto& output : node.outputs) output = prefixed(output);
    joined.nodes.push_back(std::move(node));
  }
  std::string query = prefixed(router.outputs.at(0).name);
  if (logits->second.shape.back() > 1) query = half_of_one_more(joined, query);
  joined.nodes.push_back({.name = kQuery, .op = "Identity", .inputs = {query}, .outputs = {kQuery}});
  joined.outputs = {base.outputs[0], {kQuery, DType::kF32, {-1, 1}}};
  joined.metadata.erase(graph::kFeaturesKey);
  HEDGE_CHECK(graph::validate(joined));
  return joined;
}

Result<Unjoined> unjoin_router(const graph::Graph& joined, graph::Graph base, graph::Graph router) {
  const auto copy = [&joined](graph::Graph& into, const std::string& prefix) -> Status {
    for (auto& [name, tensor] : into.initializers) {
      const auto found = joined.initializers.find(prefix + name);
      if (found == joined.initializers.end())
        return Error{.code = ErrorCode::kNotFound, .what = "the joined network lacks a weight", .where = prefix + name};
      tensor = found->second;
    }
    return {};
  };
  HEDGE_CHECK(copy(base, ""));
  HEDGE_CHECK(copy(router, kPrefix));
  return Unjoined{std::move(base), std::move(router)};
}

}  // namespace hedge::train

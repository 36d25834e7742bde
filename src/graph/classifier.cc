#include "graph/classifier.h"

#include <algorithm>
#include <set>

#include "graph/operators.h"
#include "graph/passes.h"

namespace hedge::graph {
namespace {

std::set<std::string> names_in(const Graph& graph) {
  std::set<std::string> names;
  for (const auto& [name, tensor] : graph.initializers) names.insert(name);
  for (const auto& input : graph.inputs) names.insert(input.name);
  for (const auto& node : graph.nodes) {
    names.insert(node.name);
    names.insert(node.outputs.begin(), node.outputs.end());
  }
  return names;
}

std::string fresh(const std::set<std::string>& taken, const std::string& wanted) {
  std::string name = wanted;
  for (int n = 1; taken.contains(name); ++n) name = wanted + "_" + std::to_string(n);
  return name;
}

}  // namespace

Result<NewClassifier> with_new_classifier(Graph graph, std::int64_t classes) {
  if (classes < 2)
    return Error{.code = ErrorCode::kInvalidArgument, .what = "a classifier has two classes at least", .got = std::to_string(classes)};
  NewClassifier made;
  HEDGE_TRY(made.features, find_features(graph));
  HEDGE_TRY(const auto tensors, infer_shapes(graph));
  const Shape features = tensors.at(made.features).shape;
  const auto logits = std::find_if(graph.outputs.begin(), graph.outputs.end(), [](const Value& v) { return v.name == "logits"; });
  Value& output = logits == graph.outputs.end() ? graph.outputs.front() : *logits;
  for (Node& node : graph.nodes)  // the old layer's output makes room for the new one's
    for (auto& name : node.outputs)
      if (name == output.name) name += "/old";
  const auto taken = names_in(graph);
  made.weights = fresh(taken, "classifier.weight");
  made.bias = fresh(taken, "classifier.bias");
  graph.initializers.insert_or_assign(made.weights, Tensor(DType::kF32, {classes, features[1]}));
  graph.initializers.insert_or_assign(made.bias, Tensor(DType::kF32, {classes}));
  std::string rows = made.features;
  if (features.size() == 4) {
    rows = fresh(taken, made.features + "/flat");
    graph.nodes.push_back(
        {.name = rows, .op = "Flatten", .inputs = {made.features}, .outputs = {rows}, .attributes = {{"axis", std::int64_t{1}}}});
  }
  graph.nodes.push_back({.name = fresh(taken, "classifier"),
                         .op = "Gemm",
                         .inputs = {rows, made.weights, made.bias},
                         .outputs = {output.name},
                         .attributes = {{"transB", std::int64_t{1}}}});
  output.shape = {output.shape.empty() ? -1 : output.shape[0], classes};
  graph.metadata[kFeaturesKey] = made.features;
  for (const char* key : {kLabelsKey, kTrainedOnKey, kTrainedOnHashKey, kTrainingKey}) graph.metadata.erase(key);
  made.graph = prune_dead(std::move(graph));
  HEDGE_CHECK(validate(made.graph));
  return made;
}

Result<Graph> with_image_size(Graph graph, std::int64_t height, std::int64_t width) {
  const auto unsupported = [&](const std::string& what) {
    return Error{.code = ErrorCode::kUnsupported, .what = what, .where = "graph " + graph.name, .hint = "leave the image size as it is"};
  };
  if (graph.inputs.size() != 1 || graph.inputs[0].shape.size() != 4) return unsupported("the network does not take images");
  graph.inputs[0].shape[2] = height;
  graph.inputs[0].shape[3] = width;
  const auto tensors = infer_shapes(graph);
  if (!tensors) return unsupported("the network does not take images of another size: " + tensors.error().message());
  for (const auto& output : graph.outputs)
    if (tensors->at(output.name).shape.size() != output.shape.size() || tensors->at(output.name).shape.back() != output.shape.back())
      return unsupported("for images of " + std::to_string(height) + " x " + std::to_string(width) + " the output " + output.name + " is " +
                         to_string(tensors->at(output.name).shape) + " instead of " + to_string(output.shape));
  return graph;
}

}  // namespace hedge::graph

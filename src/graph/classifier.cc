#include "graph/classifier.h"

#include <algorithm>

#include "graph/operators.h"
#include "graph/passes.h"

namespace hedge::graph {
Result<NewClassifier> with_new_classifier(Graph graph, std::int64_t classes) {
  if (classes < 2)
    return Error{.code = ErrorCode::kInvalidArgument, .what = "a classifier has two classes at least", .got = std::to_string(classes)};
  NewClassifier made;
  HEDGE_TRY(made.features, find_features(graph));
  HEDGE_TRY(const auto tensors, infer_shapes(graph));
  const Shape features = tensors.at(made.features).shape;
  if (features[1] < 2)  // such as the one probability of a model that knows two classes
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "the last layer reads a single number, which tells no other classes apart",
                 .where = "graph " + graph.name + ", tensor " + made.features,
                 .hint = "name the tensor before it: \"features\" in MODEL.hedge.json (docs/formats/model.md)"};
  const auto logits = std::find_if(graph.outputs.begin(), graph.outputs.end(), [](const Value& v) { return v.name == "logits"; });
  Value& output = logits == graph.outputs.end() ? graph.outputs.front() : *logits;
  for (Node& node : graph.nodes)  // the old layer's output makes room for the new one's
    for (auto& name : node.outputs)
      if (name == output.name) name += "/old";
  made.weights = new_name(graph, "classifier.weight");
  made.bias = new_name(graph, "classifier.bias");
  graph.initializers.insert_or_assign(made.weights, Tensor(DType::kF32, {classes, features[1]}));
  graph.initializers.insert_or_assign(made.bias, Tensor(DType::kF32, {classes}));
  std::string rows = made.features;
  if (features.size() == 4) {
    rows = new_name(graph, made.features + "/flat");
    graph.nodes.push_back(
        {.name = rows, .op = "Flatten", .inputs = {made.features}, .outputs = {rows}, .attributes = {{"axis", std::int64_t{1}}}});
  }
  graph.nodes.push_back({.name = new_name(graph, "classifier"),
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

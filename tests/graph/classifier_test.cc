#include "graph/classifier.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "graph/operators.h"
#include "graph/passes.h"
#include "graph/support.h"
#include "graph/zoo.h"

namespace hedge::graph {
namespace {

using testing::expect_error;

Graph network(const std::string& spec) {
  auto graph = build_zoo(spec, {3, 32, 32}, 10, 1).value();
  graph.metadata[kLabelsKey] = R"(["a","b"])";
  graph.metadata[kTrainedOnKey] = "folder:somewhere";
  return graph;
}

/// Ends in a convolution, as exports of MobileNetV3 do: [N, 4, 1, 1] -> [N, 6, 1, 1] -> [N, 6].
Graph ends_in_convolution() {
  Graph graph{.name = "ends_in_convolution"};
  graph.inputs.push_back({"image", DType::kF32, {-1, 3, 8, 8}});
  graph.initializers.emplace("stem", Tensor(DType::kF32, {4, 3, 3, 3}));
  graph.initializers.emplace("last", Tensor(DType::kF32, {6, 4, 1, 1}));
  graph.nodes.push_back({.name = "conv", .op = "Conv", .inputs = {"image", "stem"}, .outputs = {"map"}});
  graph.nodes.push_back({.name = "pool", .op = "GlobalAveragePool", .inputs = {"map"}, .outputs = {"features"}});
  graph.nodes.push_back({.name = "head", .op = "Conv", .inputs = {"features", "last"}, .outputs = {"answers"}});
  graph.nodes.push_back(
      {.name = "flat", .op = "Flatten", .inputs = {"answers"}, .outputs = {"logits"}, .attributes = {{"axis", std::int64_t{1}}}});
  graph.outputs.push_back({"logits", DType::kF32, {-1, 6}});
  return graph;
}

TEST(NewClassifier, takes_the_old_ones_place_and_leaves_all_before_it_alone) {
  for (const auto* spec : {"mobile:4,depth=1", "resnet:4,1", "pooled:8,16,16", "mobilenetv3-small:0.5", "efficientnet-lite0"}) {
    const auto before = network(spec);
    const auto made = with_new_classifier(before, 7);
    ASSERT_TRUE(made.ok()) << spec << ": " << made.error().message();
    EXPECT_EQ(made->features, find_features(before).value()) << spec;
    EXPECT_EQ(find_features(made->graph).value(), made->features) << spec;
    const auto shapes = infer_shapes(made->graph).value();
    EXPECT_EQ(shapes.at("logits").shape, (Shape{-1, 7})) << spec;
    EXPECT_EQ(made->graph.outputs.size(), before.outputs.size()) << spec;
    EXPECT_EQ(made->graph.initializers.at(made->weights).shape()[0], 7);
    EXPECT_EQ(made->graph.initializers.at(made->bias).shape(), (Shape{7}));
    const auto head = cut_at(before, made->features).value().head, same = cut_at(made->graph, made->features).value().head;
    EXPECT_EQ(head.nodes.size(), same.nodes.size()) << spec;
    EXPECT_EQ(head.num_parameters(), same.num_parameters()) << spec;
    EXPECT_FALSE(made->graph.metadata.contains(kLabelsKey)) << spec << ": they are the old classes'";
    EXPECT_FALSE(made->graph.metadata.contains(kTrainedOnKey)) << spec;
  }
}

TEST(NewClassifier, of_features_that_are_still_images_of_one_pixel) {
  const auto made = with_new_classifier(ends_in_convolution(), 3);
  ASSERT_TRUE(made.ok()) << made.error().message();
  EXPECT_EQ(made->features, "features");
  EXPECT_EQ(made->graph.initializers.at(made->weights).shape(), (Shape{3, 4}));
  EXPECT_EQ(infer_shapes(made->graph).value().at("logits").shape, (Shape{-1, 3}));
  EXPECT_FALSE(made->graph.initializers.contains("last"));
}

TEST(NewClassifier, names_nothing_as_something_else_is_named) {
  auto graph = ends_in_convolution();
  graph.nodes[0].inputs[1] = "classifier.weight";
  graph.initializers.emplace("classifier.weight", std::move(graph.initializers.at("stem")));
  graph.initializers.erase("stem");
  const auto made = with_new_classifier(graph, 3);
  ASSERT_TRUE(made.ok()) << made.error().message();
  EXPECT_NE(made->weights, "classifier.weight");
  EXPECT_EQ(made->graph.initializers.at("classifier.weight").shape(), (Shape{4, 3, 3, 3}));
}

TEST(NewClassifier, refuses_a_single_class_and_a_network_without_a_last_layer) {
  expect_error(with_new_classifier(ends_in_convolution(), 1), ErrorCode::kInvalidArgument, "two classes");
  auto graph = ends_in_convolution();
  graph.nodes.resize(2);
  graph.outputs = {{"features", DType::kF32, {-1, 4, 1, 1}}};
  expect_error(with_new_classifier(graph, 3), ErrorCode::kNotFound, "");
}

TEST(NewClassifier, refuses_features_of_a_single_number) {
  auto graph = ends_in_convolution();
  graph.initializers.at("last") = Tensor(DType::kF32, {1, 4, 1, 1});  // one probability, made two classes
  graph.initializers.emplace("both", Tensor(DType::kF32, {1, 2}));
  graph.nodes.back().outputs = {"logit"};
  graph.nodes.push_back({.name = "two", .op = "MatMul", .inputs = {"logit", "both"}, .outputs = {"logits"}});
  graph.outputs = {{"logits", DType::kF32, {-1, 2}}};
  expect_error(with_new_classifier(graph, 3), ErrorCode::kUnsupported, "single number");
}

TEST(ImageSize, changes_the_cost_and_not_the_answers_shape) {
  const auto before = network("mobile:4,depth=1");
  const auto larger = with_image_size(before, 48, 64);
  ASSERT_TRUE(larger.ok()) << larger.error().message();
  EXPECT_EQ(larger->inputs[0].shape, (Shape{-1, 3, 48, 64}));
  EXPECT_GT(count_macs(*larger).value(), 2 * count_macs(before).value());
  EXPECT_EQ(infer_shapes(*larger).value().at("logits").shape, (Shape{-1, 10}));
}

TEST(ImageSize, is_refused_where_a_layer_is_made_for_the_old_one) {
  auto graph = ends_in_convolution();  // every pixel of the map has a weight of its own
  graph.nodes.erase(graph.nodes.begin() + 1, graph.nodes.end());
  graph.initializers.emplace("weights", Tensor(DType::kF32, {2, 4 * 6 * 6}));
  graph.nodes.push_back(
      {.name = "flat", .op = "Flatten", .inputs = {"map"}, .outputs = {"rows"}, .attributes = {{"axis", std::int64_t{1}}}});
  graph.nodes.push_back(
      {.name = "last", .op = "Gemm", .inputs = {"rows", "weights"}, .outputs = {"logits"}, .attributes = {{"transB", std::int64_t{1}}}});
  graph.outputs = {{"logits", DType::kF32, {-1, 2}}};
  ASSERT_TRUE(with_image_size(graph, 8, 8).ok());
  expect_error(with_image_size(graph, 12, 12), ErrorCode::kUnsupported, "leave the image size");
  // Without the last layer nothing breaks, but a number comes out for each pixel.
  graph.nodes.pop_back();
  graph.outputs = {{"rows", DType::kF32, {-1, 144}}};
  expect_error(with_image_size(graph, 12, 12), ErrorCode::kUnsupported, "instead of");
}

}  // namespace
}  // namespace hedge::graph

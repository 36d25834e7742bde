#include "graph/passes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "graph/support.h"
#include "graph/zoo.h"

namespace hedge::graph {
namespace {

using testing::expect_error;

Tensor vector_of(const std::vector<float>& values) { return Tensor::of<float>({static_cast<std::int64_t>(values.size())}, values); }

std::size_t count(const Graph& graph, const std::string& op) {
  return static_cast<std::size_t>(std::count_if(graph.nodes.begin(), graph.nodes.end(), [&](const Node& n) { return n.op == op; }));
}

/// A product (Conv or Gemm) of 1 -> 2 channels with weights {3, 5}, then a BatchNormalization.
struct FoldCase {
  std::string op = "Conv";
  bool bias = true;
  bool expose_between = false;
  bool second_consumer = false;
  float variance = 4;
};

Result<Graph> product_and_norm(const FoldCase& c) {
  Builder b("fold");
  const bool conv = c.op == "Conv";
  const auto x = b.input("x", DType::kF32, conv ? Shape{-1, 1, 4, 4} : Shape{-1, 1});
  Tensor weight = vector_of({3, 5}).reshaped(conv ? Shape{2, 1, 1, 1} : Shape{1, 2});
  std::vector<std::string> inputs = {x, b.constant("w", std::move(weight))};
  if (c.bias) inputs.push_back(b.constant("bias", vector_of({1, -1})));
  const auto y = b.op(c.op, inputs, {}, "product");
  const auto z = b.op("BatchNormalization",
                      {y, b.constant("gamma", vector_of({2, 1})), b.constant("beta", vector_of({10, 20})),
                       b.constant("mean", vector_of({0.5F, 1})), b.constant("variance", vector_of({c.variance, 16}))},
                      {{"epsilon", 0.0F}}, "norm");
  b.output(b.op("Relu", {z}, {}, "y"));
  if (c.expose_between) b.output(y);
  if (c.second_consumer) b.output(b.op("Relu", {y}, {}, "also"));
  return std::move(b).build();
}

void expect_values(const Graph& graph, const std::string& tensor, const std::vector<float>& expected) {
  const auto values = graph.initializers.at(tensor).data<float>();
  EXPECT_EQ(std::vector<float>(values.begin(), values.end()), expected) << tensor;
}

TEST(FoldBatchNorm, scales_weights_and_shifts_bias) {
  // Channel 0: scale 2/2 = 1, shift 10 - 0.5; channel 1: scale 1/4, shift 20 - 0.25.
  for (const std::string op : {"Conv", "Gemm"}) {
    for (const bool bias : {true, false}) {
      SCOPED_TRACE(op + (bias ? " with bias" : " without bias"));
      const auto folded = fold_batch_norm(product_and_norm({.op = op, .bias = bias}).value());
      ASSERT_TRUE(folded.ok()) << folded.error().message();
      ASSERT_EQ(folded->nodes.size(), 2U);
      EXPECT_EQ(folded->nodes[0].outputs[0], "norm");
      expect_values(*folded, folded->nodes[0].inputs[1], {3, 1.25F});
      expect_values(*folded, folded->nodes[0].inputs[2], bias ? std::vector<float>{10.5F, 19.5F} : std::vector<float>{9.5F, 19.75F});
      EXPECT_EQ(folded->initializers.size(), 2U) << "the statistics are pruned";
      EXPECT_TRUE(validate(*folded).ok());
    }
  }
}

TEST(FoldBatchNorm, leaves_what_others_use) {
  for (const FoldCase& c : {FoldCase{.expose_between = true}, FoldCase{.second_consumer = true}}) {
    const auto folded = fold_batch_norm(product_and_norm(c).value());
    ASSERT_TRUE(folded.ok());
    EXPECT_EQ(count(*folded, "BatchNormalization"), 1U);
    expect_values(*folded, "w", {3, 5});
  }
}

TEST(FoldBatchNorm, does_not_touch_weights_shared_with_another_node) {
  Graph graph = product_and_norm({}).value();
  Node twin = graph.nodes[0];
  twin.name = "twin";
  twin.outputs = {"twin"};
  graph.nodes.push_back(twin);
  graph.outputs.push_back({"twin", DType::kF32, {-1, 2, 4, 4}});
  const auto folded = fold_batch_norm(graph);
  ASSERT_TRUE(folded.ok());
  EXPECT_EQ(count(*folded, "BatchNormalization"), 0U);
  expect_values(*folded, "w", {3, 5});
  expect_values(*folded, folded->nodes[0].inputs[1], {3, 1.25F});
}

TEST(FoldBatchNorm, refuses_a_negative_variance) {
  expect_error(fold_batch_norm(product_and_norm({.variance = -1}).value()), ErrorCode::kBadData, "tensor variance");
}

TEST(FoldBatchNorm, folds_the_whole_zoo) {
  for (const char* spec : {"mobile:4", "resnet:4,2"}) {
    const Graph graph = build_zoo(spec, {3, 32, 32}, 10, 1).value();
    const auto folded = fold_batch_norm(graph);
    ASSERT_TRUE(folded.ok());
    EXPECT_GT(count(graph, "BatchNormalization"), 0U);
    EXPECT_EQ(count(*folded, "BatchNormalization"), 0U);
    EXPECT_EQ(count(*folded, "Conv"), count(graph, "Conv"));
    EXPECT_TRUE(validate(*folded).ok());
    EXPECT_EQ(*count_macs(*folded), *count_macs(graph));
  }
}

TEST(PruneDead, drops_what_no_output_needs_and_bypasses_identities) {
  Builder b("prune");
  const auto x = b.input("x", DType::kF32, {-1, 2});
  const auto kept = b.op("Relu", {b.op("Identity", {b.op("Dropout", {x}, {}, "drop")}, {}, "same")}, {}, "kept");
  b.op("Add", {x, b.constant("unused", vector_of({1, 2}))}, {}, "dead");
  b.output(kept, "y");
  const Graph graph = prune_dead(std::move(b).build().value());
  ASSERT_EQ(graph.nodes.size(), 2U);
  EXPECT_EQ(graph.nodes[0].name, "kept");
  EXPECT_EQ(graph.nodes[0].inputs[0], "x");
  EXPECT_EQ(graph.nodes[1].outputs[0], "y") << "an Identity that names an output stays";
  EXPECT_TRUE(graph.initializers.empty());
  EXPECT_TRUE(validate(graph).ok());
}

TEST(FindFeatures, takes_the_metadata_or_the_classifiers_input) {
  Graph graph = build_zoo("mobile:4", {3, 32, 32}, 10, 1).value();
  EXPECT_EQ(find_features(graph).value(), "features");
  graph.metadata[kFeaturesKey] = "pool";
  EXPECT_EQ(find_features(graph).value(), "pool");
  graph.metadata[kFeaturesKey] = "nowhere";
  expect_error(find_features(graph), ErrorCode::kNotFound, "nowhere");
  graph.metadata.clear();
  EXPECT_EQ(find_features(graph).value(), "features");
}

TEST(FindFeatures, knows_a_classifier_of_one_by_one_convolution) {
  Builder b("conv classifier");
  const auto x = b.input("x", DType::kF32, {-1, 4, 8, 8});
  const auto y = b.op("Conv", {x, b.constant("w1", Tensor(DType::kF32, {6, 4, 1, 1}))}, {}, "body");
  const auto pooled = b.op("GlobalAveragePool", {y}, {}, "pool");
  const auto z = b.op("Conv", {pooled, b.constant("w2", Tensor(DType::kF32, {3, 6, 1, 1}))}, {}, "classify");
  b.output(b.op("Softmax", {b.op("Flatten", {z})}), "scores");
  EXPECT_EQ(find_features(std::move(b).build().value()).value(), "pool");
}

TEST(FindFeatures, asks_for_a_name_where_there_is_no_classifier) {
  Builder b("none");
  b.output(b.op("Relu", {b.input("x", DType::kF32, {-1, 2})}), "y");
  expect_error(find_features(std::move(b).build().value()), ErrorCode::kNotFound, kFeaturesKey);
}

TEST(ExposeOutput, adds_an_output_once) {
  const Graph graph = build_zoo("mobile:4", {3, 32, 32}, 10, 1).value();
  const auto exposed = expose_output(graph, "pool");
  ASSERT_TRUE(exposed.ok());
  ASSERT_EQ(exposed->outputs.size(), 3U);
  EXPECT_EQ(exposed->outputs[2].shape, (Shape{-1, 32, 1, 1}));
  EXPECT_TRUE(validate(*exposed).ok());
  EXPECT_EQ(expose_output(*exposed, "pool")->outputs.size(), 3U);
  expect_error(expose_output(graph, "nowhere"), ErrorCode::kNotFound, "nowhere");
}

TEST(CutAt, parts_a_graph_into_two_that_make_up_the_whole) {
  const Graph graph = build_zoo("resnet:4,1", {3, 32, 32}, 10, 1).value();
  for (const std::string tensor : {"features", "stage1.block0.relu", "stem.conv"}) {
    SCOPED_TRACE(tensor);
    const auto halves = cut_at(graph, tensor);
    ASSERT_TRUE(halves.ok()) << halves.error().message();
    EXPECT_TRUE(validate(halves->head).ok());
    EXPECT_TRUE(validate(halves->tail).ok()) << validate(halves->tail).error().message();
    EXPECT_EQ(halves->head.nodes.size() + halves->tail.nodes.size(), graph.nodes.size());
    EXPECT_EQ(halves->head.outputs[0].name, tensor);
    EXPECT_EQ(halves->tail.inputs[0].name, tensor);
    EXPECT_EQ(halves->tail.outputs[0].name, "logits");
    EXPECT_EQ(*count_macs(halves->head) + *count_macs(halves->tail), *count_macs(graph));
  }
}

TEST(CutAt, names_the_other_tensor_that_crosses) {
  const Graph graph = build_zoo("resnet:4,1", {3, 32, 32}, 10, 1).value();
  expect_error(cut_at(graph, "stage1.block0.first.relu"), ErrorCode::kUnsupported, "stem.relu, taken by node stage1.block0.add (Add)");
  expect_error(cut_at(graph, "logits"), ErrorCode::kUnsupported, "no node follows the cut");
  expect_error(cut_at(graph, "image"), ErrorCode::kUnsupported, "no node makes");
  expect_error(cut_at(graph, "nowhere"), ErrorCode::kNotFound, "nowhere");
}

}  // namespace
}  // namespace hedge::graph

#include "graph/ends.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "graph/support.h"

namespace hedge::graph {
namespace {

using testing::expect_error;

/// x [N, 2] -> product of `classes` -> `tail`, which gets the builder and the product's name and returns the output's.
template <typename Tail>
Graph classifier(std::int64_t classes, Tail tail, const std::string& output = "probs") {
  Builder b("c");
  Tensor weights(DType::kF32, {2, classes});
  std::fill(weights.data<float>().begin(), weights.data<float>().end(), 0.5F);
  const auto product = b.op("MatMul", {b.input("x", DType::kF32, {-1, 2}), b.constant("w", std::move(weights))}, {}, "product");
  b.output(tail(b, product), output);
  return std::move(b).build().value();
}

bool has(const Graph& graph, const std::string& op) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(), [&](const Node& node) { return node.op == op; });
}

struct Tail {
  const char* name;
  End end;
  std::string (*add)(Builder&, const std::string&);
  const char* gone;  ///< an operator that must not be left; nullptr: the graph stays as it is
};

void PrintTo(const Tail& tail, std::ostream* out) { *out << tail.name; }

std::string written_out(Builder& b, const std::string& x) {
  const auto most = b.op("ReduceMax", {x}, {{"axes", std::vector<std::int64_t>{1}}});
  const auto exp = b.op("Exp", {b.op("Sub", {x, most})});
  return b.op("Div", {exp, b.op("ReduceSum", {exp, b.integers("axes", {1})})});
}

std::string quantised(Builder& b, const std::string& x) {
  const auto scale = b.scalar("scale", 1.0F / 256);
  const auto zero = b.constant("zero", Tensor(DType::kU8, {}));
  return b.op("DequantizeLinear", {b.op("QuantizeLinear", {b.op("Softmax", {x}), scale, zero}), scale, zero});
}

const Tail kTails[] = {
    {"product", End::kLogits, [](Builder&, const std::string& x) { return x; }, nullptr},
    {"bias", End::kLogits,
     [](Builder& b, const std::string& x) {
       return b.op("Add", {x, b.scalar("b", 1)});
     },
     nullptr},
    {"relu", End::kUnknown, [](Builder& b, const std::string& x) { return b.op("Relu", {x}); }, nullptr},
    {"softmax", End::kProbabilities, [](Builder& b, const std::string& x) { return b.op("Softmax", {x}); }, "Softmax"},
    {"log_softmax", End::kLogProbabilities, [](Builder& b, const std::string& x) { return b.op("LogSoftmax", {x}); }, "LogSoftmax"},
    {"log_of_softmax", End::kLogProbabilities, [](Builder& b, const std::string& x) { return b.op("Log", {b.op("Softmax", {x})}); }, "Log"},
    {"sigmoid", End::kSigmoid, [](Builder& b, const std::string& x) { return b.op("Sigmoid", {x}); }, "Sigmoid"},
    {"reshaped_softmax", End::kProbabilities,
     [](Builder& b, const std::string& x) {
       return b.op("Reshape", {b.op("Softmax", {x}), b.integers("shape", {0, 3})});
     },
     "Softmax"},
    {"quantised_softmax", End::kProbabilities, quantised, "QuantizeLinear"},
    {"written_out_softmax", End::kProbabilities, written_out, "Exp"},
};

class Ends : public ::testing::TestWithParam<Tail> {};

TEST_P(Ends, are_found_and_cut_off) {
  const auto graph = classifier(3, GetParam().add);
  EXPECT_EQ(to_string(find_end(graph, "probs").end), std::string(to_string(GetParam().end)));
  const auto logits = with_logits(graph);
  ASSERT_TRUE(logits.ok()) << logits.error().message();
  ASSERT_EQ(logits->outputs.size(), 1U);
  EXPECT_EQ(logits->outputs[0].name, "probs");
  EXPECT_EQ(logits->outputs[0].shape, (Shape{-1, 3}));
  const bool cut = GetParam().gone != nullptr;
  EXPECT_FALSE(cut && has(*logits, GetParam().gone));
  EXPECT_TRUE(cut || logits->nodes.size() == graph.nodes.size());
  const auto end = find_end(*logits, "probs").end;
  EXPECT_EQ(to_string(end), std::string(GetParam().end == End::kUnknown ? "unknown" : "logits"));
}

INSTANTIATE_TEST_SUITE_P(All, Ends, ::testing::ValuesIn(kTails), [](const auto& info) { return std::string(info.param.name); });

TEST(ClassEnds, makes_two_classes_of_one_sigmoid) {
  const auto graph = classifier(1, [](Builder& b, const std::string& x) { return b.op("Sigmoid", {x}); });
  const auto logits = with_logits(graph);
  ASSERT_TRUE(logits.ok()) << logits.error().message();
  EXPECT_EQ(logits->outputs[0].shape, (Shape{-1, 2}));
}

TEST(ClassEnds, keeps_what_other_outputs_need) {
  Builder b("two");
  const auto softmax = b.op("Softmax", {b.op("Neg", {b.input("x", DType::kF32, {-1, 3})})});
  b.output(softmax, "logits");
  b.output(b.op("ReduceMax", {softmax}, {{"axes", std::vector<std::int64_t>{1}}}), "confidence");
  const auto graph = with_logits(std::move(b).build().value());
  ASSERT_TRUE(graph.ok()) << graph.error().message();
  EXPECT_TRUE(has(*graph, "Softmax")) << "the confidence is still one";
  EXPECT_EQ(find_end(*graph, "logits").end, End::kUnknown);
}

TEST(ClassEnds, asks_for_the_output_where_several_may_be_meant) {
  Builder b("two");
  const auto x = b.input("x", DType::kF32, {-1, 3});
  b.output(b.op("Neg", {x}), "one");
  b.output(b.op("Exp", {x}), "other");
  const auto graph = std::move(b).build().value();
  expect_error(find_class_output(graph), ErrorCode::kUnsupported, "other [-1, 3]");
  expect_error(find_class_output(graph, "third"), ErrorCode::kNotFound, "third");
  EXPECT_EQ(find_class_output(graph, "other").value(), "other");
}

TEST(ClassEnds, turns_a_layout_with_the_channels_last) {
  Builder b("nhwc");
  const auto x = b.input("image", DType::kF32, {-1, 4, 5, 3});
  b.output(b.op("Flatten", {b.op("Transpose", {x}, {{"perm", std::vector<std::int64_t>{0, 3, 1, 2}}})}), "logits");
  const auto graph = with_nchw_input(std::move(b).build().value());
  ASSERT_TRUE(graph.ok()) << graph.error().message();
  EXPECT_EQ(graph->inputs[0].name, "image");
  EXPECT_EQ(graph->inputs[0].shape, (Shape{-1, 3, 4, 5}));
  EXPECT_EQ(graph->outputs[0].shape, (Shape{-1, 60}));
}

}  // namespace
}  // namespace hedge::graph

#include "graph/operators.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "graph/support.h"

namespace hedge::graph {
namespace {

using testing::absent;
using testing::expect_error;
using testing::f32;
using testing::In;
using testing::ints;
using testing::number;
using testing::of_type;
using testing::one_node;
using testing::truth;

using Ints = std::vector<std::int64_t>;

struct Case {
  const char* op;
  std::vector<In> inputs;
  Attributes attributes;
  std::vector<Shape> expected;  ///< empty: an error
  ErrorCode error = ErrorCode::kInternal;
  const char* message = "";
};

Case fails(const char* op, std::vector<In> inputs, Attributes attributes, ErrorCode code, const char* message) {
  return {op, std::move(inputs), std::move(attributes), {}, code, message};
}

std::vector<Case> elementwise_cases() {
  std::vector<Case> cases;
  for (const char* op : {"Relu", "Sigmoid", "HardSigmoid", "HardSwish", "LeakyRelu", "Neg", "Exp", "Log", "Sqrt", "Tanh"}) {
    cases.push_back({op, {f32({-1, 3, 4, 4})}, {}, {{-1, 3, 4, 4}}});
    cases.push_back(fails(op, {of_type(DType::kI64, {2})}, {}, ErrorCode::kUnsupported, "node n"));
  }
  for (const char* op : {"Add", "Sub", "Mul", "Div", "Min", "Max"}) {
    cases.push_back({op, {f32({-1, 3, 4, 4}), f32({3, 1, 1})}, {}, {{-1, 3, 4, 4}}});
    cases.push_back({op, {f32({1, 5}), f32({-1, 1})}, {}, {{-1, 5}}});
    cases.push_back({op, {f32({}), f32({2, 5})}, {}, {{2, 5}}});
    cases.push_back(fails(op, {f32({2, 3}), f32({2, 4})}, {}, ErrorCode::kMismatch, "do not broadcast"));
    cases.push_back(fails(op, {f32({2}), of_type(DType::kI64, {2})}, {}, ErrorCode::kUnsupported, "x1"));
  }
  for (const char* op : {"Softmax", "LogSoftmax"}) {
    cases.push_back({op, {f32({-1, 10})}, {{"axis", -1}}, {{-1, 10}}});
    cases.push_back(fails(op, {f32({-1, 10})}, {{"axis", 2}}, ErrorCode::kMismatch, "axis"));
  }
  cases.push_back({"Clip", {f32({-1, 3}), number(0), number(6)}, {}, {{-1, 3}}});
  cases.push_back({"Clip", {f32({-1, 3}), absent(), number(6)}, {}, {{-1, 3}}});
  cases.push_back(fails("Clip", {f32({3}), f32({})}, {}, ErrorCode::kUnsupported, "computed"));
  cases.push_back({"Identity", {of_type(DType::kI64, {-1, 3})}, {}, {{-1, 3}}});
  cases.push_back({"Dropout", {f32({-1, 3}), number(0.5F), truth(false)}, {}, {{-1, 3}}});
  cases.push_back(fails("Dropout", {f32({3}), number(0.5F), truth(true)}, {}, ErrorCode::kUnsupported, "training mode"));
  cases.push_back({"Cast", {of_type(DType::kU8, {-1, 3})}, {{"to", 1}}, {{-1, 3}}});
  cases.push_back(fails("Cast", {f32({3})}, {{"to", 8}}, ErrorCode::kUnsupported, "ONNX type 8"));
  cases.push_back({"BatchNormalization", {f32({-1, 3, 4, 4}), f32({3}), f32({3}), f32({3}), f32({3})}, {}, {{-1, 3, 4, 4}}});
  cases.push_back(
      fails("BatchNormalization", {f32({-1, 3, 4, 4}), f32({3}), f32({2}), f32({3}), f32({3})}, {}, ErrorCode::kMismatch, "x2"));
  cases.push_back(fails("BatchNormalization", {f32({-1, 3}), f32({3}), f32({3}), f32({3}), f32({3})}, {{"training_mode", 1}},
                        ErrorCode::kUnsupported, "training mode"));
  return cases;
}

In scales(std::vector<float> values) {
  const auto count = static_cast<std::int64_t>(values.size());
  return {.constant = Tensor::of<float>({count}, values)};
}

In zero_points(const std::vector<std::int8_t>& values) {
  return {.constant = Tensor::of<std::int8_t>({static_cast<std::int64_t>(values.size())}, values)};
}

std::vector<Case> quantise_cases() {
  const In x = f32({-1, 3, 4, 4});
  const In q = of_type(DType::kI8, {-1, 3, 4, 4});
  const auto half = number(0.5F);
  return {
      {"QuantizeLinear", {x, half}, {}, {{-1, 3, 4, 4}}},
      {"QuantizeLinear", {x, scales({1, 2, 3}), zero_points({0, 1, 2})}, {{"axis", 1}}, {{-1, 3, 4, 4}}},
      fails("QuantizeLinear", {q, half}, {}, ErrorCode::kUnsupported, "x0"),
      fails("QuantizeLinear", {x, f32({})}, {}, ErrorCode::kUnsupported, "computed"),
      fails("QuantizeLinear", {x, number(0)}, {}, ErrorCode::kMismatch, "positive"),
      fails("QuantizeLinear", {x, number(std::numeric_limits<float>::infinity())}, {}, ErrorCode::kMismatch, "positive"),
      fails("QuantizeLinear", {x, scales({1, 2})}, {}, ErrorCode::kMismatch, "axis 1"),
      fails("QuantizeLinear", {x, scales({1, 2, 3})}, {{"axis", 4}}, ErrorCode::kMismatch, "axis"),
      fails("QuantizeLinear", {x, half, zero_points({0, 1})}, {}, ErrorCode::kMismatch, "zero point"),
      fails("QuantizeLinear", {x, half, ints({0})}, {}, ErrorCode::kUnsupported, "i64"),
      {"DequantizeLinear", {q, half, zero_points({3})}, {}, {{-1, 3, 4, 4}}},
      {"DequantizeLinear", {of_type(DType::kI32, {3}), scales({1, 2, 3})}, {{"axis", 0}}, {{3}}},
      fails("DequantizeLinear", {x, half}, {}, ErrorCode::kUnsupported, "f32"),
      fails("DequantizeLinear", {q, number(-1)}, {}, ErrorCode::kMismatch, "positive"),
      fails("DequantizeLinear", {of_type(DType::kU8, {3}), half, zero_points({3})}, {}, ErrorCode::kUnsupported, "x2"),
  };
}

std::vector<Case> window_cases() {
  const In x = f32({-1, 4, 9, 7});
  const Attributes same = {{"auto_pad", "SAME_UPPER"}, {"strides", Ints{2, 2}}};
  return {
      {"Conv", {x, f32({8, 4, 3, 3})}, {}, {{-1, 8, 7, 5}}},
      {"Conv", {x, f32({8, 4, 3, 3}), f32({8})}, {{"pads", Ints{1, 1, 1, 1}}, {"strides", Ints{2, 2}}}, {{-1, 8, 5, 4}}},
      {"Conv", {x, f32({4, 1, 3, 3})}, {{"group", 4}, {"pads", Ints{0, 1, 2, 3}}}, {{-1, 4, 9, 9}}},
      {"Conv", {x, f32({8, 4, 3, 3})}, {{"dilations", Ints{2, 3}}}, {{-1, 8, 5, 1}}},
      {"Conv", {x, f32({8, 4, 3, 3})}, same, {{-1, 8, 5, 4}}},
      {"Conv", {f32({-1, 4, -1, 7}), f32({8, 4, 1, 1})}, {}, {{-1, 8, -1, 7}}},
      fails("Conv", {x, f32({8, 3, 3, 3})}, {}, ErrorCode::kMismatch, "4 input channels"),
      fails("Conv", {x, f32({8, 4, 3, 3})}, {{"group", 3}}, ErrorCode::kMismatch, "group"),
      fails("Conv", {x, f32({8, 4, 3, 3})}, {{"group", 0}}, ErrorCode::kMismatch, "group"),
      fails("Conv", {x, f32({8, 4, 0, 3})}, {}, ErrorCode::kMismatch, "empty"),
      fails("Conv", {x, f32({8, 4, 3, 3}), f32({7})}, {}, ErrorCode::kMismatch, "bias"),
      fails("Conv", {x, f32({8, 4, 11, 3})}, {}, ErrorCode::kMismatch, "larger than the padded image"),
      fails("Conv", {x, f32({8, 4, 3, 3})}, {{"strides", Ints{0, 1}}}, ErrorCode::kMismatch, "strides"),
      fails("Conv", {x, f32({8, 4, 3, 3})}, {{"pads", Ints{std::numeric_limits<std::int64_t>::max(), 1, 1, 1}}}, ErrorCode::kMismatch,
            "pads"),
      fails("Conv", {x, f32({8, 4, 3, 3})}, {{"kernel_shape", Ints{5, 5}}}, ErrorCode::kMismatch, "kernel_shape"),
      fails("Conv", {f32({-1, 4, 9}), f32({8, 4, 3})}, {}, ErrorCode::kUnsupported, "2-D"),
      {"MaxPool", {x}, {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}}, {{-1, 4, 4, 3}}},
      {"MaxPool", {x}, {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}, {"ceil_mode", 1}}, {{-1, 4, 5, 4}}},
      fails("MaxPool", {x}, {}, ErrorCode::kMismatch, "kernel_shape"),
      fails("MaxPool", {x}, {{"kernel_shape", Ints{2, 2}}, {"pads", Ints{2, 0, 0, 0}}}, ErrorCode::kMismatch, "padding"),
      {"AveragePool", {x}, {{"kernel_shape", Ints{3, 3}}, {"pads", Ints{1, 1, 1, 1}}, {"count_include_pad", 1}}, {{-1, 4, 9, 7}}},
      fails("AveragePool", {x}, {{"kernel_shape", Ints{2, 2}}, {"auto_pad", "HALF"}}, ErrorCode::kMismatch, "auto_pad"),
      // The last window would start in the padding behind the image: it does not count.
      {"AveragePool",
       {f32({1, 1, 4, 4})},
       {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{3, 3}}, {"pads", Ints{1, 1, 1, 1}}, {"ceil_mode", 1}},
       {{1, 1, 2, 2}}},
      {"GlobalAveragePool", {x}, {}, {{-1, 4, 1, 1}}},
      {"Gemm", {f32({-1, 5}), f32({5, 3}), f32({3})}, {}, {{-1, 3}}},
      {"Gemm", {f32({-1, 5}), f32({3, 5})}, {{"transB", 1}, {"alpha", 0.5F}}, {{-1, 3}}},
      fails("Gemm", {f32({-1, 5}), f32({4, 3})}, {}, ErrorCode::kMismatch, "inner"),
      fails("Gemm", {f32({-1, 5}), f32({5, 3}), f32({4})}, {}, ErrorCode::kMismatch, "broadcast"),
      fails("Gemm", {f32({-1, 5, 1}), f32({5, 3})}, {}, ErrorCode::kMismatch, "2 dimensions"),
      {"MatMul", {f32({-1, 7, 5}), f32({5, 3})}, {}, {{-1, 7, 3}}},
      fails("MatMul", {f32({-1, 5}), f32({4, 3})}, {}, ErrorCode::kMismatch, "inner"),
  };
}

std::vector<Case> reduce_cases() {
  std::vector<Case> cases = {
      {"ReduceSum", {f32({-1, 3, 4}), ints({1, -1})}, {{"keepdims", 0}}, {{-1}}},
      {"ReduceSum", {f32({2, 3})}, {}, {{1, 1}}},
      {"ReduceSum", {f32({2, 3})}, {{"noop_with_empty_axes", 1}}, {{2, 3}}},
      fails("ReduceSum", {f32({2, 3}), of_type(DType::kI64, {1})}, {}, ErrorCode::kUnsupported, "computed"),
      {"TopK", {f32({-1, 10}), ints({3})}, {}, {{-1, 3}, {-1, 3}}},
      fails("TopK", {f32({-1, 10}), ints({11})}, {}, ErrorCode::kMismatch, "k does not fit"),
      fails("TopK", {f32({-1, 10}), ints({3})}, {{"largest", 0}}, ErrorCode::kUnsupported, "smallest"),
      {"Gather", {f32({-1, 10}), ints({0, -1})}, {{"axis", 1}}, {{-1, 2}}},
      fails("Gather", {f32({-1, 10}), ints({10})}, {{"axis", 1}}, ErrorCode::kMismatch, "index"),
      {"Slice", {f32({-1, 10}), ints({2}), ints({100}), ints({1}), ints({3})}, {}, {{-1, 3}}},
      {"Slice", {f32({4, 10}), ints({-1}), ints({std::numeric_limits<std::int64_t>::min()}), ints({-1}), ints({-2})}, {}, {{4, 5}}},
      {"Slice", {f32({4, 10}), ints({3}), ints({1}), ints({1})}, {}, {{4, 0}}},
      {"Slice", {f32({-1, 10}), ints({0}), ints({std::numeric_limits<std::int64_t>::max()})}, {}, {{-1, 10}}},
      fails("Slice", {f32({-1, 10}), ints({0}), ints({1})}, {}, ErrorCode::kUnsupported, "dynamic"),
      fails("Slice", {f32({4, 10}), ints({0}), ints({1}), ints({1}), ints({0})}, {}, ErrorCode::kMismatch, "step"),
  };
  for (const char* op : {"ReduceMean", "ReduceMax", "ReduceLogSumExp"}) {
    cases.push_back({op, {f32({-1, 3, 4})}, {{"axes", Ints{-1}}, {"keepdims", 0}}, {{-1, 3}}});
    cases.push_back({op, {f32({-1, 3, 4})}, {{"axes", Ints{2, 1}}}, {{-1, 1, 1}}});
    cases.push_back(fails(op, {f32({-1, 3, 4})}, {{"axes", Ints{1, -2}}}, ErrorCode::kMismatch, "twice"));
    cases.push_back(fails(op, {f32({-1, 3, 0})}, {{"axes", Ints{2}}}, ErrorCode::kMismatch, "empty"));
  }
  return cases;
}

std::vector<Case> layout_cases() {
  const In x = f32({-1, 4, 2, 3});
  return {
      {"Concat", {f32({-1, 3}), f32({-1, 4})}, {{"axis", 1}}, {{-1, 7}}},
      fails("Concat", {f32({2, 3}), f32({3, 3})}, {{"axis", 1}}, ErrorCode::kMismatch, "x1"),
      fails("Concat", {f32({2, 3})}, {}, ErrorCode::kMismatch, "axis"),
      {"Flatten", {x}, {}, {{-1, 24}}},
      {"Flatten", {x}, {{"axis", 2}}, {{-1, 6}}},
      {"Flatten", {x}, {{"axis", 0}}, {{1, -1}}},
      fails("Flatten", {x}, {{"axis", 5}}, ErrorCode::kMismatch, "axis"),
      {"Reshape", {x, ints({0, -1})}, {}, {{-1, 24}}},
      {"Reshape", {x, ints({-1, 24})}, {}, {{-1, 24}}},
      {"Reshape", {f32({2, 6}), ints({3, 4})}, {}, {{3, 4}}},
      fails("Reshape", {x, ints({1, 24})}, {}, ErrorCode::kMismatch, "as many elements"),
      fails("Reshape", {f32({2, 6}), ints({5, -1})}, {}, ErrorCode::kMismatch, "as many elements"),
      fails("Reshape", {f32({2, 6}), ints({-1, -1})}, {}, ErrorCode::kMismatch, "two dimensions"),
      fails("Reshape", {f32({2, 6}), of_type(DType::kI64, {2})}, {}, ErrorCode::kUnsupported, "x1"),
      {"Squeeze", {f32({-1, 4, 1, 1}), ints({2, -1})}, {}, {{-1, 4}}},
      {"Squeeze", {f32({1, 4, 1})}, {}, {{4}}},
      fails("Squeeze", {f32({-1, 4, 1})}, {}, ErrorCode::kUnsupported, "dynamic"),
      fails("Squeeze", {f32({-1, 4, 1}), ints({1})}, {}, ErrorCode::kMismatch, "not 1"),
      {"Unsqueeze", {f32({-1, 4}), ints({-1, 1})}, {}, {{-1, 1, 4, 1}}},
      fails("Unsqueeze", {f32({-1, 4}), ints({1, 1})}, {}, ErrorCode::kMismatch, "twice"),
      fails("Unsqueeze", {f32({1, 1, 1, 1}), ints({0, 1, 2, 3, 4})}, {}, ErrorCode::kBadFormat, "at most 8 dimensions"),
      {"Transpose", {x}, {{"perm", Ints{0, 2, 3, 1}}}, {{-1, 2, 3, 4}}},
      {"Transpose", {f32({2, 3})}, {}, {{3, 2}}},
      fails("Transpose", {x}, {{"perm", Ints{0, 1, 2}}}, ErrorCode::kMismatch, "permutation"),
      {"Pad", {x, ints({0, 0, 1, 2, 0, 0, 3, 4}), number(1)}, {}, {{-1, 4, 6, 9}}},
      fails("Pad", {x, ints({1, 0, 0, 0, 0, 0, 0, 0})}, {}, ErrorCode::kUnsupported, "dynamic"),
      fails("Pad", {x, ints({0, 0, 0, 0, 0, 0, 0, -1})}, {}, ErrorCode::kUnsupported, "negative"),
      fails("Pad", {x, ints({0, 0, 0, 0, 0, 0, 0, 0})}, {{"mode", "reflect"}}, ErrorCode::kUnsupported, "reflect"),
  };
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (auto part : {elementwise_cases(), window_cases(), reduce_cases(), layout_cases(), quantise_cases()})
    cases.insert(cases.end(), part.begin(), part.end());
  return cases;
}

std::string describe(const Case& c) {
  std::string text = c.op;
  for (const In& in : c.inputs) text += " " + (in.constant ? "constant " + to_string(in.constant->shape()) : to_string(in.shape));
  for (const auto& [key, value] : c.attributes) text += " " + key;
  return text;
}

TEST(OperatorTable, infers_shapes_or_says_why_not) {
  for (const Case& c : all_cases()) {
    SCOPED_TRACE(describe(c));
    const Graph graph = one_node(c.op, c.inputs, c.attributes, static_cast<std::size_t>(find_operator(c.op)->max_outputs));
    const auto tensors = infer_shapes(graph);
    if (c.expected.empty()) {
      expect_error(tensors, c.error, c.message);
      continue;
    }
    ASSERT_TRUE(tensors.ok()) << tensors.error().message();
    for (std::size_t i = 0; i < c.expected.size(); ++i) EXPECT_EQ(tensors->at("y" + std::to_string(i)).shape, c.expected[i]);
  }
}

TEST(OperatorTable, has_a_good_and_a_bad_case_for_every_row) {
  std::set<std::string> good, bad;
  for (const Case& c : all_cases()) (c.expected.empty() ? bad : good).insert(c.op);
  bad.insert({"Identity", "GlobalAveragePool"});  // nothing but arity can be wrong, or the rank, as for Conv
  for (const OperatorInfo& row : operator_table()) {
    EXPECT_TRUE(good.contains(row.name)) << row.name << " has no test of its shape rule";
    EXPECT_TRUE(bad.contains(row.name)) << row.name << " has no test of what it refuses";
  }
}

TEST(OperatorTable, is_sorted_and_finds_each_row) {
  std::string last;
  for (const OperatorInfo& row : operator_table()) {
    EXPECT_LT(last, row.name);
    last = row.name;
    EXPECT_EQ(find_operator(row.name), &row);
  }
  EXPECT_EQ(find_operator("Einsum"), nullptr);
}

TEST(OperatorTable, gives_element_types) {
  const auto top = infer_shapes(one_node("TopK", {f32({-1, 10}), ints({3})}, {}, 2));
  ASSERT_TRUE(top.ok());
  EXPECT_EQ(top->at("y0").dtype, DType::kF32);
  EXPECT_EQ(top->at("y1").dtype, DType::kI64);
  const auto cast = infer_shapes(one_node("Cast", {of_type(DType::kU8, {2})}, {{"to", 1}}));
  ASSERT_TRUE(cast.ok());
  EXPECT_EQ(cast->at("y0").dtype, DType::kF32);
}

TEST(Macs, counts_convolutions_and_products_of_one_image) {
  const auto conv = count_macs(one_node("Conv", {f32({-1, 4, 9, 7}), f32({8, 2, 3, 3})}, {{"group", 2}}));
  ASSERT_TRUE(conv.ok()) << conv.error().message();
  EXPECT_EQ(*conv, 8 * 7 * 5 * 2 * 3 * 3);
  EXPECT_EQ(*count_macs(one_node("Conv", {f32({16, 4, 9, 7}), f32({8, 2, 3, 3})}, {{"group", 2}})), *conv)
      << "a fixed batch does not count";
  EXPECT_EQ(*count_macs(one_node("Gemm", {f32({-1, 5}), f32({3, 5})}, {{"transB", 1}})), 15);
  EXPECT_EQ(*count_macs(one_node("MatMul", {f32({-1, 7, 5}), f32({5, 3})}, {})), 7 * 5 * 3);
  EXPECT_EQ(*count_macs(one_node("Add", {f32({-1, 5}), f32({5})}, {})), 0);
}

TEST(Macs, refuses_a_dynamic_image) {
  expect_error(count_macs(one_node("Conv", {f32({-1, 4, -1, 7}), f32({8, 4, 3, 3})}, {})), ErrorCode::kUnsupported, "node n (Conv)");
}

}  // namespace
}  // namespace hedge::graph

#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <limits>

#include "graph/onnx/onnx_io.h"
#include "graph/operators.h"
#include "graph/support.h"

namespace hedge::graph {
namespace {

using onnx::AttributeProto;
using onnx::TensorProto;
using testing::expect_error;

/// A hand-built model: "x" [N, 4, 3] -> nodes -> "y".
class Model {
 public:
  explicit Model(std::int64_t opset) {
    model.set_ir_version(7);
    model.add_opset_import()->set_version(opset);
    value(graph().add_input(), "x");
    value(graph().add_output(), "y");
  }

  onnx::GraphProto& graph() { return *model.mutable_graph(); }

  onnx::NodeProto& node(const std::string& op, const std::vector<std::string>& inputs, const std::string& output = "y") {
    auto& made = *graph().add_node();
    made.set_op_type(op);
    for (const auto& input : inputs) made.add_input(input);
    made.add_output(output);
    return made;
  }

  TensorProto& tensor(const std::string& name, int type, const std::vector<std::int64_t>& dims) {
    auto& made = *graph().add_initializer();
    made.set_name(name);
    made.set_data_type(type);
    for (const auto d : dims) made.add_dims(d);
    return made;
  }

  void integers(const std::string& name, const std::vector<std::int64_t>& values) {
    auto& made = tensor(name, TensorProto::INT64, {static_cast<std::int64_t>(values.size())});
    for (const auto v : values) made.add_int64_data(v);
  }

  Result<Graph> parse() { return parse_onnx(model.SerializeAsString(), "hand.onnx"); }

  onnx::ModelProto model;

 private:
  static void value(onnx::ValueInfoProto* info, const std::string& name) {
    info->set_name(name);
    auto* type = info->mutable_type()->mutable_tensor_type();
    type->set_elem_type(TensorProto::FLOAT);
    type->mutable_shape()->add_dim()->set_dim_param("N");
    for (const int d : {4, 3}) type->mutable_shape()->add_dim()->set_dim_value(d);
  }
};

void set_ints(onnx::NodeProto& node, const std::string& key, const std::vector<std::int64_t>& values) {
  auto& attribute = *node.add_attribute();
  attribute.set_name(key);
  attribute.set_type(AttributeProto::INTS);
  for (const auto v : values) attribute.add_ints(v);
}

void set_int(onnx::NodeProto& node, const std::string& key, std::int64_t value) {
  auto& attribute = *node.add_attribute();
  attribute.set_name(key);
  attribute.set_type(AttributeProto::INT);
  attribute.set_i(value);
}

void set_float(onnx::NodeProto& node, const std::string& key, float value) {
  auto& attribute = *node.add_attribute();
  attribute.set_name(key);
  attribute.set_type(AttributeProto::FLOAT);
  attribute.set_f(value);
}

/// The only node's first output shape; fails the test on an error.
Shape output_shape(const Result<Graph>& graph) {
  EXPECT_TRUE(graph.ok()) << graph.error().message();
  return graph.ok() ? graph->outputs.at(0).shape : Shape{};
}

TEST(OnnxVersions, brings_axes_attributes_to_inputs) {
  for (const char* op : {"ReduceSum", "Unsqueeze"}) {
    SCOPED_TRACE(op);
    Model model(11);
    set_ints(model.node(op, {"x"}), "axes", {1});
    const auto graph = model.parse();
    ASSERT_TRUE(graph.ok()) << graph.error().message();
    EXPECT_TRUE(graph->nodes[0].attributes.empty());
    ASSERT_EQ(graph->nodes[0].inputs.size(), 2U);
    EXPECT_EQ(integers_of(graph->initializers.at(graph->nodes[0].inputs[1])).value(), std::vector<std::int64_t>{1});
  }
}

TEST(OnnxVersions, brings_axes_inputs_to_attributes) {
  for (const char* op : {"ReduceMean", "ReduceMax", "ReduceLogSumExp"}) {
    SCOPED_TRACE(op);
    Model model(18);
    model.integers("axes", {2});
    set_int(model.node(op, {"x", "axes"}), "keepdims", 0);
    const auto graph = model.parse();
    EXPECT_EQ(output_shape(graph), (Shape{-1, 4}));
    ASSERT_TRUE(graph.ok());
    EXPECT_EQ(graph->nodes[0].integers("axes", {}), std::vector<std::int64_t>{2});
    EXPECT_TRUE(graph->initializers.empty()) << "the list is no longer needed";
  }
}

TEST(OnnxVersions, reads_an_empty_reduction_as_identity_where_it_says_so) {
  Model model(18);
  set_int(model.node("ReduceMean", {"x"}), "noop_with_empty_axes", 1);
  const auto graph = model.parse();
  EXPECT_EQ(output_shape(graph), (Shape{-1, 4, 3}));
}

TEST(OnnxVersions, brings_dropout_and_clip_attributes_to_inputs) {
  Model model(11);
  auto& clip = model.node("Clip", {"x"}, "clipped");
  set_float(clip, "max", 6);
  auto& dropout = model.node("Dropout", {"clipped"});
  set_float(dropout, "ratio", 0.25F);
  dropout.add_output("mask");
  const auto graph = model.parse();
  ASSERT_TRUE(graph.ok()) << graph.error().message();
  ASSERT_EQ(graph->nodes[0].inputs.size(), 3U);
  EXPECT_EQ(graph->nodes[0].inputs[1], "");
  EXPECT_EQ(graph->initializers.at(graph->nodes[0].inputs[2]).data<float>()[0], 6.0F);
  EXPECT_EQ(graph->initializers.at(graph->nodes[1].inputs[1]).data<float>()[0], 0.25F);
  EXPECT_EQ(graph->nodes[1].outputs.size(), 1U) << "the unused mask is dropped";
}

TEST(OnnxVersions, brings_lists_of_opset_7_to_inputs) {
  Model model(7);
  auto& slice = model.node("Slice", {"x"}, "cut");
  set_ints(slice, "axes", {2});
  set_ints(slice, "starts", {0});
  set_ints(slice, "ends", {2});
  auto& pad = model.node("Pad", {"cut"});
  set_ints(pad, "pads", {0, 0, 1, 0, 0, 1});
  set_float(pad, "value", 2);
  const auto graph = model.parse();
  EXPECT_EQ(output_shape(graph), (Shape{-1, 4, 4}));
  ASSERT_TRUE(graph.ok());
  EXPECT_EQ(graph->initializers.at(graph->nodes[1].inputs[2]).data<float>()[0], 2.0F);
}

TEST(OnnxVersions, brings_the_k_of_opset_9_to_an_input) {
  Model model(9);
  auto& top = model.node("TopK", {"x"});
  set_int(top, "k", 2);
  top.add_output("indices");
  EXPECT_EQ(output_shape(model.parse()), (Shape{-1, 4, 2}));
}

TEST(OnnxVersions, drops_attributes_of_opset_23_that_say_what_was_done_anyway) {
  Model model(23);
  model.tensor("scale", TensorProto::FLOAT, {}).add_float_data(0.5F);
  auto& quantise = model.node("QuantizeLinear", {"x", "scale"}, "q");
  for (const char* key : {"block_size", "output_dtype", "precision"}) set_int(quantise, key, 0);
  set_int(quantise, "saturate", 1);
  auto& back = model.node("DequantizeLinear", {"q", "scale"});
  set_int(back, "output_dtype", 0);
  EXPECT_EQ(output_shape(model.parse()), (Shape{-1, 4, 3}));
  set_int(back, "block_size", 2);
  expect_error(model.parse(), ErrorCode::kUnsupported, "block_size");
}

TEST(OnnxVersions, reads_old_softmax_only_where_it_means_the_same) {
  Model flattening(11);
  flattening.node("Softmax", {"x"});
  expect_error(flattening.parse(), ErrorCode::kUnsupported, "softmax over several axes");
  Model last(11);
  set_int(last.node("Softmax", {"x"}), "axis", 2);
  EXPECT_EQ(output_shape(last.parse()), (Shape{-1, 4, 3}));
  Model modern(13);
  modern.node("Softmax", {"x"});
  EXPECT_EQ(output_shape(modern.parse()), (Shape{-1, 4, 3}));
}

TEST(OnnxReader, refuses_opsets_outside_its_range) {
  for (const std::int64_t opset : {6, 25}) {
    Model model(opset);
    model.node("Relu", {"x"});
    expect_error(model.parse(), ErrorCode::kUnsupported, "opset");
  }
}

TEST(OnnxReader, makes_constants_initializers) {
  Model model(13);
  auto& constant = model.node("Constant", {}, "shape");
  set_ints(constant, "value_ints", {0, -1});
  model.node("Reshape", {"x", "shape"});
  const auto graph = model.parse();
  EXPECT_EQ(output_shape(graph), (Shape{-1, 12}));
  EXPECT_TRUE(graph.ok() && graph->initializers.contains("shape"));
}

TEST(OnnxReader, sorts_nodes_and_refuses_cycles) {
  Model shuffled(13);
  shuffled.node("Relu", {"middle"});
  shuffled.node("Neg", {"x"}, "middle");
  const auto graph = shuffled.parse();
  ASSERT_TRUE(graph.ok()) << graph.error().message();
  EXPECT_EQ(graph->nodes[0].op, "Neg");
  EXPECT_NE(graph->nodes[0].name, graph->nodes[1].name) << "unnamed nodes get names";
  Model cycle(13);
  cycle.node("Add", {"x", "b"}, "a");
  cycle.node("Relu", {"a"}, "b");
  cycle.node("Relu", {"b"});
  expect_error(cycle.parse(), ErrorCode::kBadFormat, "cycle");
}

TEST(OnnxReader, tolerates_weights_listed_as_inputs_and_unused_domains) {
  Model model(13);
  model.model.add_opset_import()->set_domain("com.example");
  model.tensor("w", TensorProto::FLOAT, {1}).add_float_data(2);
  model.graph().add_input()->set_name("w");
  model.node("Mul", {"x", "w"});
  const auto graph = model.parse();
  ASSERT_TRUE(graph.ok()) << graph.error().message();
  EXPECT_EQ(graph->inputs.size(), 1U);
}

TEST(OnnxReader, refuses_operators_of_other_domains_and_unknown_ones) {
  Model other(13);
  auto& node = other.node("Relu", {"x"});
  node.set_name("special");
  node.set_domain("com.example");
  expect_error(other.parse(), ErrorCode::kUnsupported, "node special (Relu)");
  Model unknown(13);
  unknown.node("Einsum", {"x"}).set_name("sum");
  expect_error(unknown.parse(), ErrorCode::kUnsupported, "node sum (Einsum)");
}

TEST(OnnxReader, converts_half_and_double_weights) {
  Model model(13);
  auto& half = model.tensor("half", TensorProto::FLOAT16, {3});
  for (const int bits : {0x3C00, 0xC000, 0x0001}) half.add_int32_data(bits);  // 1, -2, the smallest subnormal
  auto& twice = model.tensor("double", TensorProto::DOUBLE, {3});
  for (const double v : {0.5, 1.0, 2.0}) twice.add_double_data(v);
  model.node("Mul", {"x", "half"}, "m");
  model.node("Add", {"m", "double"});
  const auto graph = model.parse();
  ASSERT_TRUE(graph.ok()) << graph.error().message();
  const auto values = graph->initializers.at("half").data<float>();
  EXPECT_EQ(values[0], 1.0F);
  EXPECT_EQ(values[1], -2.0F);
  EXPECT_EQ(values[2], 0x1p-24F);
  EXPECT_EQ(graph->initializers.at("double").data<float>()[0], 0.5F);
}

TEST(OnnxReader, refuses_weights_it_cannot_trust) {
  const auto with = [](const auto& spoil) {
    Model model(13);
    spoil(model.tensor("w", TensorProto::FLOAT, {3}));
    model.node("Mul", {"x", "w"});
    return model.parse();
  };
  expect_error(with([](TensorProto& t) { t.add_float_data(1); }), ErrorCode::kBadFormat, "tensor w");
  expect_error(with([](TensorProto& t) { t.set_raw_data("1234"); }), ErrorCode::kBadFormat, "got 4 bytes");
  expect_error(with([](TensorProto& t) { t.set_dims(0, std::int64_t{1} << 39); }), ErrorCode::kBadFormat, "tensor w");
  expect_error(with([](TensorProto& t) { t.set_dims(0, -1); }), ErrorCode::kBadFormat, "tensor w");
  expect_error(with([](TensorProto& t) { t.set_data_location(TensorProto::EXTERNAL); }), ErrorCode::kUnsupported, "external data");
  expect_error(with([](TensorProto& t) { t.set_data_type(TensorProto::STRING); }), ErrorCode::kUnsupported, "element type");
  expect_error(with([](TensorProto& t) {
                 for (const float v : {1.0F, 2.0F, std::numeric_limits<float>::quiet_NaN()}) t.add_float_data(v);
               }),
               ErrorCode::kBadData, "tensor w");
}

}  // namespace
}  // namespace hedge::graph

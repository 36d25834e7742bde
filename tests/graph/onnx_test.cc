#include "graph/onnx/onnx_io.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <limits>

#include "graph/operators.h"
#include "graph/passes.h"
#include "graph/support.h"
#include "graph/zoo.h"

namespace hedge::graph {
namespace {

using testing::expect_error;

/// Text that a graph can be compared by: everything, weights as bytes.
std::string fingerprint(const Graph& graph) {
  std::string text = graph.name + "\n";
  for (const auto* values : {&graph.inputs, &graph.outputs})
    for (const Value& v : *values) text += v.name + " " + to_string(v.dtype) + to_string(v.shape) + "\n";
  for (const Node& n : graph.nodes) {
    text += n.name + " " + n.op;
    for (const auto& i : n.inputs) text += " " + i;
    for (const auto& o : n.outputs) text += " > " + o;
    for (const auto& [key, value] : n.attributes) {
      text += " " + key + "=" + n.text(key, "") + to_string(n.integers(key, {})) + std::to_string(n.integer(key, 0)) +
              std::to_string(n.number(key, 0));
    }
    text += "\n";
  }
  for (const auto& [name, t] : graph.initializers)
    text +=
        name + to_string(t.dtype()) + to_string(t.shape()) + std::string(reinterpret_cast<const char*>(t.bytes()), t.num_bytes()) + "\n";
  for (const auto& [key, value] : graph.metadata) text += key + "=" + value + "\n";
  return text;
}

TEST(Onnx, round_trips_every_zoo_model) {
  for (const char* spec : {"mobile:4", "mobile:2,expand=1,depth=1,stem=3,stem_stride=1", "resnet:4,2", "resnet:3,1,stem_stride=2"}) {
    SCOPED_TRACE(spec);
    Graph graph = build_zoo(spec, {3, 32, 32}, 10, 1).value();
    graph.metadata[kLabelsKey] = R"(["a", "b"])";
    const auto bytes = serialize_onnx(graph);
    ASSERT_TRUE(bytes.ok()) << bytes.error().message();
    const auto back = parse_onnx(*bytes, "test");
    ASSERT_TRUE(back.ok()) << back.error().message();
    EXPECT_EQ(fingerprint(*back), fingerprint(graph));
  }
}

TEST(Onnx, round_trips_left_out_inputs_and_several_outputs) {
  Builder b("router");
  const auto x = b.input("x", DType::kF32, {-1, 10});
  const auto clipped = b.op("Clip", {x, "", b.scalar("six", 6)});
  const auto [values, indices] = b.ops<2>("TopK", {clipped, b.integers("k", {2})}, {{"axis", std::int64_t{-1}}});
  b.output(values, "values");
  b.output(indices, "indices");
  const Graph graph = std::move(b).build().value();
  const auto back = parse_onnx(serialize_onnx(graph).value(), "test");
  ASSERT_TRUE(back.ok()) << back.error().message();
  EXPECT_EQ(fingerprint(*back), fingerprint(graph));
}

TEST(Onnx, writes_a_file_that_reads_back) {
  const auto path = std::filesystem::path(::testing::TempDir()) / "hedge_graph_round_trip.onnx";
  const Graph graph = build_zoo("mobile:2", {1, 28, 28}, 10, 1).value();
  ASSERT_TRUE(write_onnx(path, graph).ok());
  const auto back = read_onnx(path);
  std::filesystem::remove(path);
  ASSERT_TRUE(back.ok()) << back.error().message();
  EXPECT_EQ(fingerprint(*back), fingerprint(graph));
  expect_error(read_onnx(path), ErrorCode::kNotFound, "hedge_graph_round_trip");
}

TEST(Onnx, refuses_to_write_weights_that_are_not_finite) {
  Graph graph = build_zoo("mobile:2", {1, 28, 28}, 10, 1).value();
  graph.initializers.at("stem.conv.weight").data<float>()[0] = std::numeric_limits<float>::quiet_NaN();
  expect_error(serialize_onnx(graph), ErrorCode::kBadData, "stem.conv.weight");
}

TEST(Onnx, refuses_what_is_no_model) {
  expect_error(parse_onnx("", "empty.onnx"), ErrorCode::kBadFormat, "empty.onnx");
  expect_error(parse_onnx("\x89PNG\r\n", "image.onnx"), ErrorCode::kBadFormat, "image.onnx");
}

TEST(Onnx, survives_truncation_anywhere) {
  const std::string bytes = serialize_onnx(build_zoo("mobile:1,depth=1", {1, 28, 28}, 2, 1).value()).value();
  std::size_t errors = 0;
  std::size_t cuts = 0;
  for (std::size_t end = 0; end < bytes.size(); end += 97, ++cuts) {
    const auto graph = parse_onnx(std::string_view(bytes).substr(0, end), "cut.onnx");
    if (graph.ok()) continue;
    ++errors;
    EXPECT_NE(graph.error().message().find("cut.onnx"), std::string::npos);
  }
  EXPECT_EQ(errors, cuts) << "the opset stands behind the graph, so no prefix is a model";
}

TEST(Onnx, survives_a_changed_byte_anywhere) {
  const std::string bytes = serialize_onnx(build_zoo("mobile:1,depth=1", {1, 28, 28}, 2, 1).value()).value();
  for (std::size_t at = 0; at < bytes.size(); at += 53) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(~changed[at]);
    const auto graph = parse_onnx(changed, "changed.onnx");
    EXPECT_TRUE(!graph.ok() || validate(*graph).ok());
  }
}

TEST(Onnx, reads_mcunet) {
  const auto path = std::filesystem::path(HEDGE_SOURCE_DIR).parent_path() / "shared" / "models" / "mcunet-in3.onnx";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "needs " << path << ", which is for development only";
  const auto graph = read_onnx(path);
  ASSERT_TRUE(graph.ok()) << graph.error().message();
  EXPECT_NEAR(static_cast<double>(count_macs(*graph).value()), 81.8e6, 0.05e6);
  const auto features = find_features(*graph);
  ASSERT_TRUE(features.ok()) << features.error().message();
  EXPECT_EQ(infer_shapes(*graph)->at(*features).shape.size(), 2U);
  EXPECT_EQ(graph->producer(*features)->op, "ReduceMean");
  const auto back = parse_onnx(serialize_onnx(*graph).value(), "mcunet");
  ASSERT_TRUE(back.ok()) << back.error().message();
  EXPECT_EQ(fingerprint(*back), fingerprint(*graph));
}

}  // namespace
}  // namespace hedge::graph

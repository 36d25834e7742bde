#include "hedge/model.h"
#include "model/metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include "core/sha256.h"
#include "core/testing.h"
#include "graph/builder.h"
#include "graph/onnx/onnx_io.h"

namespace hedge::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* kRecipe =
    R"({"version": 1, "channels": 1, "height": 8, "width": 8, "resize_shorter": 0, "mean": [0.5], "std": [0.25]})";

/// Global average of an 8x8 gray image -> three numbers; `last`: the operator that makes the output, or empty.
graph::Graph small_graph(const std::string& last = "") {
  graph::Builder b("small");
  const auto image = b.input("image", DType::kF32, {-1, 1, 8, 8});
  const auto flat = b.op("Flatten", {b.op("GlobalAveragePool", {image})});
  const auto weights = b.constant("w", Tensor::of<float>({1, 3}, std::vector<float>{1, 2, 3}));
  const auto product = b.op("MatMul", {flat, weights});
  b.output(last.empty() ? product : b.op(last, {product}), "scores");
  return std::move(b).build().value();
}

class Card : public ::testing::Test {
 protected:
  std::filesystem::path write(const std::string& name, const std::string& bytes) {
    EXPECT_TRUE(write_file_atomic(folder_ / name, bytes).ok());
    return folder_ / name;
  }
  std::filesystem::path write(const std::string& name, const graph::Graph& graph) {
    return write(name, graph::serialize_onnx(graph).value());
  }
  static ModelCard read(const std::filesystem::path& path, const CardOptions& options = {}) {
    auto card = read_card(path, options);
    EXPECT_TRUE(card.ok()) << card.error().message();
    return std::move(card).value();
  }

  hedge::testing::TemporaryFolder folder_{"card"};
};

/// A model with a weight tensor in another file.
std::string with_weights_in(const std::string& location) {
  onnx::ModelProto model;
  EXPECT_TRUE(model.ParseFromString(graph::serialize_onnx(small_graph()).value()));
  auto& tensor = *model.mutable_graph()->mutable_initializer(0);
  tensor.clear_raw_data();
  tensor.set_data_location(onnx::TensorProto::EXTERNAL);
  auto* entry = tensor.add_external_data();
  entry->set_key("location");
  entry->set_value(location);
  return model.SerializeAsString();
}

TEST_F(Card, tells_what_an_onnx_file_is) {
  auto graph = small_graph();
  graph.metadata[graph::kPreprocessKey] = kRecipe;
  graph.metadata[graph::kLabelsKey] = R"(["a", "b", "c"])";
  graph.metadata[graph::kTrainedOnKey] = "folder:x?split=train";
  const auto bytes = graph::serialize_onnx(graph).value();
  const auto card = read(write("m.onnx", bytes));
  EXPECT_EQ(card.format, Format::kOnnx);
  EXPECT_EQ(card.sha256, sha256_hex(bytes)) << "the plain hash of the file, as tables and policies have it";
  EXPECT_EQ(card.input.name, "image");
  EXPECT_EQ(card.input.layout, Layout::kNchw);
  EXPECT_EQ(card.input.dtype, DType::kF32);
  EXPECT_EQ(card.input.channels, 1);
  EXPECT_EQ(card.input.height, 8);
  EXPECT_EQ(card.input.recipe->normalization.mean, std::vector<float>{0.5F});
  EXPECT_EQ(card.output.name, "scores");
  EXPECT_EQ(card.output.classes, 3);
  EXPECT_EQ(card.output.kind, OutputKind::kLogits);
  EXPECT_THAT(card.labels, ElementsAre("a", "b", "c"));
  EXPECT_EQ(card.macs, 3);
  EXPECT_EQ(card.parameters, 3);
  EXPECT_EQ(card.trained_on, "folder:x?split=train");
  EXPECT_THAT(card.notes, IsEmpty());
}

TEST_F(Card, knows_probabilities_by_their_softmax) {
  EXPECT_EQ(read(write("m.onnx", small_graph("Softmax"))).output.kind, OutputKind::kProbabilities);
}

TEST_F(Card, knows_what_a_logarithm_and_a_single_sigmoid_are) {
  EXPECT_EQ(read(write("m.onnx", small_graph("LogSoftmax"))).output.kind, OutputKind::kLogProbabilities);
  graph::Builder b("one");
  const auto flat = b.op("Flatten", {b.op("GlobalAveragePool", {b.input("image", DType::kF32, {-1, 1, 8, 8})})});
  const auto product = b.op("MatMul", {flat, b.constant("w", Tensor::of<float>({1, 1}, std::vector<float>{1}))});
  b.output(b.op("Sigmoid", {product}), "odds");
  const auto card = read(write("m.onnx", std::move(b).build().value()));
  EXPECT_EQ(card.output.kind, OutputKind::kSigmoid);
  EXPECT_EQ(card.output.classes, 2) << "the negative and the positive";
}

TEST_F(Card, takes_the_form_from_the_user_then_from_the_sidecar) {
  const auto path = write("m.onnx", small_graph("Relu"));
  write("m.onnx.hedge.json", R"({"schema": 1, "input_layout": "nhwc", "output_kind": "probabilities", "output": "scores"})");
  auto card = read(path);
  EXPECT_EQ(card.input.layout, Layout::kNhwc);
  EXPECT_EQ(card.output.kind, OutputKind::kProbabilities);
  EXPECT_EQ(card.output.name, "scores");
  card = read(path, {.input_layout = "NCHW", .output_kind = "logits"});
  EXPECT_EQ(card.input.layout, Layout::kNchw);
  EXPECT_EQ(card.output.kind, OutputKind::kLogits);
  EXPECT_EQ(read_card(path, {.input_layout = "chwn"}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(read_card(path, {.output_kind = "odds"}).error().code, ErrorCode::kInvalidArgument);
  write("m.onnx.hedge.json", R"({"schema": 1, "output_kind": "odds"})");
  EXPECT_EQ(read_card(path, {}).error().code, ErrorCode::kBadFormat);
}

TEST_F(Card, takes_the_user_before_the_sidecar_and_that_before_the_metadata) {
  auto graph = small_graph();
  graph.metadata[graph::kPreprocessKey] = kRecipe;
  graph.metadata[graph::kLabelsKey] = R"(["a", "b", "c"])";
  const auto path = write("m.onnx", graph);
  write("m.onnx.hedge.json", R"({"schema": 1, "recipe": "channels=1,crop=8", "labels": ["x", "y", "z"], "features": "flat", "macs": 99})");
  auto card = read(path, {.features = "auto"});
  EXPECT_EQ(card.input.recipe->normalization.mean, std::vector<float>{0.0F});
  EXPECT_THAT(card.labels, ElementsAre("x", "y", "z"));
  EXPECT_EQ(card.features, "flat");
  EXPECT_EQ(card.macs, 99);
  EXPECT_THAT(card.notes, SizeIs(2)) << "that the metadata says otherwise";
  const auto names = write("names.txt", "k\nl\nm\n");
  card = read(path, {.recipe = "channels=1,crop=4", .labels = names, .features = "pool"});
  EXPECT_EQ(card.input.recipe->height, 4);
  EXPECT_THAT(card.labels, ElementsAre("k", "l", "m"));
  EXPECT_EQ(card.features, "pool");
}

TEST_F(Card, reads_the_metadata_of_a_file_whose_operators_are_not_known) {
  onnx::ModelProto model;
  auto graph = small_graph();
  graph.metadata[graph::kLabelsKey] = R"(["a", "b", "c"])";
  graph.metadata[graph::kPreprocessKey] = kRecipe;
  ASSERT_TRUE(model.ParseFromString(graph::serialize_onnx(graph).value()));
  model.mutable_graph()->mutable_node(0)->set_op_type("SomebodysOwn");
  std::vector<std::string> said;
  const auto path = write("m.onnx", model.SerializeAsString());
  const auto card = read(path, {.log = [&](LogLevel level, const std::string& text) {
                           EXPECT_EQ(level, LogLevel::kWarning);
                           said.push_back(text);
                         }});
  EXPECT_THAT(card.labels, ElementsAre("a", "b", "c"));
  EXPECT_TRUE(card.input.recipe.has_value());
  EXPECT_EQ(card.output.classes, 3);
  EXPECT_EQ(card.macs, 0);
  EXPECT_THAT(said, SizeIs(1));
  EXPECT_THAT(card.notes, SizeIs(1));
}

TEST_F(Card, identity_covers_weights_in_other_files) {
  const auto path = write("m.onnx", with_weights_in("m.data"));
  EXPECT_EQ(read_card(path, {}).error().code, ErrorCode::kNotFound) << "the weights are not there";
  write("m.data", "twelve bytes");
  const auto one = read(path);
  EXPECT_THAT(one.weight_files, ElementsAre("m.data"));
  EXPECT_NE(one.sha256, sha256_file(path).value());
  EXPECT_EQ(one.sha256, sha256_hex(sha256_file(path).value() + "\n" + sha256_hex("twelve bytes") + "\n"))
      << "as docs/formats/model.md says";
  write("m.data", "other bytes!");
  EXPECT_NE(read(path).sha256, one.sha256);
}

TEST_F(Card, refuses_weights_outside_the_models_folder) {
  for (const char* location : {"../m.data", "/etc/passwd", "sub/../../m.data", ""}) {
    const auto error = read_card(write("m.onnx", with_weights_in(location)), {}).error();
    EXPECT_EQ(error.code, ErrorCode::kBadFormat) << location;
    EXPECT_EQ(error.got, location);
  }
}

TEST_F(Card, identity_of_openvino_ir_covers_its_bin) {
  const auto path = write("m.xml", "<net/>");
  const auto alone = read(path);
  EXPECT_EQ(alone.format, Format::kOpenVinoIr);
  EXPECT_EQ(alone.sha256, sha256_hex("<net/>"));
  write("m.bin", "weights");
  const auto one = read(path).sha256;
  EXPECT_NE(one, alone.sha256);
  write("m.bin", "WEIGHTS");
  EXPECT_NE(read(path).sha256, one);
}

TEST_F(Card, a_model_that_needs_a_recipe_says_the_three_places) {
  const auto error = required_recipe(read(write("m.onnx", small_graph()))).error();
  EXPECT_EQ(error.code, ErrorCode::kNotFound);
  EXPECT_THAT(error.message(), HasSubstr("hedge.preprocess"));
  EXPECT_THAT(error.message(), HasSubstr("m.onnx.hedge.json"));
  EXPECT_THAT(error.message(), HasSubstr("--recipe"));
}

TEST_F(Card, refuses_what_is_no_model) {
  EXPECT_EQ(read_card(folder_ / "nowhere.onnx", {}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(read_card(write("m.onnx", std::string("garbage")), {}).error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(read_card(write("m.pt", std::string("weights")), {}).error().code, ErrorCode::kUnsupported);
}

TEST_F(Card, writes_what_it_knows_into_a_graph) {
  auto graph = small_graph();
  const auto path = write("m.onnx", graph);
  write("m.onnx.hedge.json", R"({"schema": 1, "recipe": "channels=1,crop=8", "labels": ["x", "y", "z"]})");
  write_metadata(read(path), graph);
  const auto again = read(write("copy.onnx", graph));
  EXPECT_EQ(again.input.recipe, read(path).input.recipe);
  EXPECT_THAT(again.labels, ElementsAre("x", "y", "z"));
}

}  // namespace
}  // namespace hedge::model

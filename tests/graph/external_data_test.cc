// Weights in files beside the model.
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <filesystem>

#include "core/file.h"
#include "core/testing.h"
#include "graph/builder.h"
#include "graph/onnx/onnx_io.h"
#include "graph/support.h"

namespace hedge::graph {
namespace {

using testing::expect_error;

/// x [N, 2] times w [2, 2], w's bytes at `location`, from `offset` on, `length` of them (empty: not said).
std::string model_with(const std::string& location, const std::string& offset = "", const std::string& length = "") {
  Builder b("outside");
  const auto x = b.input("x", DType::kF32, {-1, 2});
  b.output(b.op("MatMul", {x, b.constant("w", Tensor::of<float>({2, 2}, std::vector<float>{1, 2, 3, 4}))}), "y");
  onnx::ModelProto model;
  EXPECT_TRUE(model.ParseFromString(serialize_onnx(std::move(b).build().value()).value()));
  auto& tensor = *model.mutable_graph()->mutable_initializer(0);
  tensor.clear_raw_data();
  tensor.set_data_location(onnx::TensorProto::EXTERNAL);
  for (const auto& [key, value] : {std::pair<std::string, std::string>{"location", location}, {"offset", offset}, {"length", length}}) {
    if (value.empty() && key != "location") continue;
    auto* entry = tensor.add_external_data();
    entry->set_key(key);
    entry->set_value(value);
  }
  return model.SerializeAsString();
}

class ExternalData : public ::testing::Test {
 protected:
  Result<Graph> read(const std::string& bytes) {
    EXPECT_TRUE(write_file_atomic(folder_ / "models" / "m.onnx", bytes).ok());
    return read_onnx(folder_ / "models" / "m.onnx");
  }
  void write(const std::string& name, const std::vector<float>& values) {
    const std::string bytes(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    EXPECT_TRUE(write_file_atomic(folder_.path() / name, bytes).ok());
  }
  static std::vector<float> weights(const Result<Graph>& graph) {
    EXPECT_TRUE(graph.ok()) << (graph.ok() ? "" : graph.error().message());
    if (!graph) return {};
    const auto values = graph->initializers.at("w").data<float>();
    return {values.begin(), values.end()};
  }

  hedge::testing::TemporaryFolder folder_{"external_data"};
};

TEST_F(ExternalData, is_read_from_the_models_folder) {
  write("models/w.data", {9, 5, 6, 7, 8});
  EXPECT_EQ(weights(read(model_with("w.data", "4", "16"))), (std::vector<float>{5, 6, 7, 8}));
  EXPECT_EQ(weights(read(model_with("w.data", "4"))), (std::vector<float>{5, 6, 7, 8})) << "to the end";
  write("models/deeper/w.data", {1, 1, 2, 2});
  EXPECT_EQ(weights(read(model_with("deeper/w.data"))), (std::vector<float>{1, 1, 2, 2}));
}

TEST_F(ExternalData, is_refused_where_it_leads_out_of_the_folder) {
  write("secret.data", {1, 2, 3, 4});
  for (const char* location : {"../secret.data", "/etc/passwd", "deeper/../../secret.data", ""})
    expect_error(read(model_with(location)), ErrorCode::kBadFormat, "outside");
  std::filesystem::create_symlink("../secret.data", folder_ / "models" / "link.data");
  expect_error(read(model_with("link.data")), ErrorCode::kBadFormat, "link");
}

TEST_F(ExternalData, is_refused_where_it_does_not_fit) {
  expect_error(read(model_with("w.data")), ErrorCode::kNotFound, "w.data");
  write("models/w.data", {1, 2, 3, 4});
  expect_error(read(model_with("w.data", "8", "16")), ErrorCode::kBadFormat, "beyond the end");
  expect_error(read(model_with("w.data", "0", "8")), ErrorCode::kBadFormat, "do not fit its shape");
  expect_error(read(model_with("w.data", "zero")), ErrorCode::kBadFormat, "offset");
  expect_error(read(model_with("w.data", "18446744073709551615", "16")), ErrorCode::kBadFormat, "beyond the end");
}

TEST_F(ExternalData, is_not_looked_for_where_there_is_no_file) {
  expect_error(parse_onnx(model_with("w.data"), "bytes"), ErrorCode::kUnsupported, "another file");
}

}  // namespace
}  // namespace hedge::graph

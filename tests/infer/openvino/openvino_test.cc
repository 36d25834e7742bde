#include <gtest/gtest.h>

#include <fstream>

#include "core/rng.h"
#include "graph/builder.h"
#include "graph/onnx/onnx_io.h"
#include "graph/passes.h"
#include "infer/openvino/openvino_executor.h"
#include "infer/reference.h"

namespace hedge::infer {
namespace {

using graph::Builder;

/// A folder of its own for each test, removed at its end.
class OpenVino : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              (std::string("hedge_openvino_") + testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path write(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return folder_ / name;
  }

  std::filesystem::path folder_;
};

Tensor random_tensor(Rng& rng, Shape shape) {
  Tensor tensor(DType::kF32, std::move(shape));
  for (float& value : tensor.data<float>()) value = static_cast<float>(rng.normal());
  return tensor;
}

/// Images [-1, 2, 5, 4] -> convolution -> pooled (tensor "pooled" [N, 6]) -> classifier -> `last` on top where given.
graph::Graph classifier(const std::string& output, const std::string& last = "") {
  Rng rng(1);
  Builder b("classifier");
  const auto x = b.input("image", DType::kF32, {-1, 2, 5, 4});
  const auto conv = b.op("Relu", {b.op("Conv", {x, b.constant("w", random_tensor(rng, {6, 2, 3, 3}))})});
  const auto pooled = b.op("Flatten", {b.op("GlobalAveragePool", {conv})}, {}, "pooled");
  auto logits =
      b.op("Gemm", {pooled, b.constant("v", random_tensor(rng, {6, 3})), b.constant("c", random_tensor(rng, {3}))}, {}, "classify");
  if (!last.empty()) logits = b.op(last, {logits}, {}, "last");
  b.output(logits, output);
  auto graph = std::move(b).build();
  EXPECT_TRUE(graph.ok()) << (graph.ok() ? "" : graph.error().message());
  return graph.ok() ? std::move(graph).value() : graph::Graph{};
}

std::vector<Tensor> run(const Executor& executor, const std::string& name, const TensorView& view) {
  auto outputs = executor.run(std::vector<NamedView>{{name, view}});
  EXPECT_TRUE(outputs.ok()) << (outputs.ok() ? "" : outputs.error().message());
  return outputs.ok() ? std::move(outputs).value() : std::vector<Tensor>{};
}

void expect_near(const Tensor& got, const Tensor& expected) {
  constexpr double kNear = 1e-4;  // a few dozen f32 products of size 1
  ASSERT_EQ(got.shape(), expected.shape());
  for (std::size_t i = 0; i < got.data<float>().size(); ++i) EXPECT_NEAR(got.data<float>()[i], expected.data<float>()[i], kNear) << i;
}

TEST_F(OpenVino, says_that_a_file_is_missing) {
  const auto opened = open_openvino(folder_ / "absent.onnx");
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::kNotFound);
  EXPECT_NE(opened.error().message().find("absent.onnx"), std::string::npos);
}

TEST_F(OpenVino, says_that_a_folder_is_no_model) {
  std::filesystem::create_directories(folder_ / "model.onnx");
  EXPECT_EQ(open_openvino(folder_ / "model.onnx").error().code, ErrorCode::kNotFound);
}

TEST_F(OpenVino, refuses_garbage_in_every_format) {
  std::string noise(4096, '\0');
  Rng rng(9);
  for (char& c : noise) c = static_cast<char>(rng.below(256));
  for (const char* name : {"noise.onnx", "noise.tflite", "noise.xml"}) {
    for (const std::string& bytes : {noise, std::string(), std::string("<net")}) {
      const auto opened = open_openvino(write(name, bytes));
      ASSERT_FALSE(opened.ok()) << name;
      EXPECT_EQ(opened.error().code, ErrorCode::kBadFormat) << name << ": " << opened.error().message();
      EXPECT_NE(opened.error().message().find(name), std::string::npos) << opened.error().message();
    }
  }
}

TEST_F(OpenVino, refuses_a_truncated_onnx) {
  const auto bytes = graph::serialize_onnx(classifier("logits"));
  ASSERT_TRUE(bytes.ok());
  const auto opened = open_openvino(write("half.onnx", bytes->substr(0, bytes->size() / 2)));
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::kBadFormat) << opened.error().message();
}

TEST_F(OpenVino, refuses_a_format_it_does_not_know) {
  EXPECT_EQ(open_openvino(write("model.pt", "x")).error().code, ErrorCode::kUnsupported);
}

TEST_F(OpenVino, refuses_a_negative_number_of_threads) {
  EXPECT_EQ(make_openvino_executor(classifier("logits"), {.threads = -1}).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(OpenVino, computes_a_file_as_the_reference_does) {
  const auto graph = classifier("logits");
  ASSERT_TRUE(graph::write_onnx(folder_ / "m.onnx", graph).ok());
  auto executor = open_openvino(folder_ / "m.onnx");
  ASSERT_TRUE(executor.ok()) << executor.error().message();
  auto reference = make_reference_executor(graph);
  ASSERT_TRUE(reference.ok());
  Rng rng(2);
  const Tensor x = random_tensor(rng, {3, 2, 5, 4});
  expect_near(run(**executor, "image", x)[0], run(**reference, "image", x)[0]);
  EXPECT_NE((*executor)->description().find("f32"), std::string::npos) << (*executor)->description();
}

TEST_F(OpenVino, names_the_classifying_output_of_a_file_logits) {
  const auto name_of = [&](const graph::Graph& graph) {
    EXPECT_TRUE(graph::write_onnx(folder_ / "m.onnx", graph).ok());
    auto executor = open_openvino(folder_ / "m.onnx");
    EXPECT_TRUE(executor.ok()) << (executor.ok() ? "" : executor.error().message());
    return executor.ok() ? (*executor)->outputs()[0].name : std::string();
  };
  EXPECT_EQ(name_of(classifier("dense_7")), "logits");
  EXPECT_EQ(name_of(classifier("dense_7", "Relu")), "logits");
  EXPECT_EQ(name_of(classifier("probabilities", "Softmax")), "logits");
}

TEST_F(OpenVino, keeps_a_graphs_own_names) {
  auto executor = make_openvino_executor(classifier("dense_7"));
  ASSERT_TRUE(executor.ok()) << executor.error().message();
  EXPECT_EQ((*executor)->outputs()[0].name, "dense_7");
}

TEST_F(OpenVino, finds_the_features_by_itself_or_by_name_in_files_and_graphs) {
  const auto graph = classifier("logits");
  ASSERT_TRUE(graph::write_onnx(folder_ / "m.onnx", graph).ok());
  auto exposed = graph::expose_output(graph, "pooled");
  ASSERT_TRUE(exposed.ok()) << exposed.error().message();
  auto reference = make_reference_executor(*exposed);
  ASSERT_TRUE(reference.ok());
  Rng rng(4);
  const Tensor x = random_tensor(rng, {2, 2, 5, 4});
  const auto expected = run(**reference, "image", x);
  for (const char* features : {"auto", "pooled"}) {
    for (const bool file : {false, true}) {
      const OpenVinoOptions options = {.features = features};
      auto executor = file ? open_openvino(folder_ / "m.onnx", options) : make_openvino_executor(graph, options);
      ASSERT_TRUE(executor.ok()) << executor.error().message();
      ASSERT_EQ((*executor)->outputs().size(), 2U);
      EXPECT_EQ((*executor)->outputs()[1].name, "features");
      EXPECT_EQ((*executor)->outputs()[1].shape, (Shape{-1, 6}));
      const auto got = run(**executor, "image", x);
      expect_near(got[0], expected[0]);
      expect_near(got[1], expected[1]);
    }
  }
}

TEST_F(OpenVino, names_candidates_where_the_features_are_not_there) {
  const auto executor = make_openvino_executor(classifier("logits"), {.features = "penultimate"});
  ASSERT_FALSE(executor.ok());
  EXPECT_EQ(executor.error().code, ErrorCode::kNotFound);
  EXPECT_NE(executor.error().message().find("pooled"), std::string::npos) << executor.error().message();
}

TEST_F(OpenVino, refuses_features_that_are_no_vector) {
  const auto executor = make_openvino_executor(classifier("logits"), {.features = "relu"});
  ASSERT_FALSE(executor.ok());
  EXPECT_EQ(executor.error().code, ErrorCode::kNotFound) << executor.error().message();
}

TEST_F(OpenVino, folds_the_normalization_into_the_model) {
  const auto graph = classifier("logits");
  const Normalization normalization = {.mean = {0.4F, 0.6F}, .std = {0.2F, 0.3F}};
  auto executor = make_openvino_executor(graph, {.normalization = normalization});
  ASSERT_TRUE(executor.ok()) << executor.error().message();
  EXPECT_EQ((*executor)->inputs()[0].name, "image");
  EXPECT_EQ((*executor)->inputs()[0].dtype, DType::kU8);
  EXPECT_EQ((*executor)->inputs()[0].shape, (Shape{-1, 5, 4, 2}));
  Rng rng(6);
  Tensor images(DType::kU8, {3, 5, 4, 2});
  Tensor planes(DType::kF32, {3, 2, 5, 4});
  for (auto& value : images.data<std::uint8_t>()) value = static_cast<std::uint8_t>(rng.below(256));
  for (std::size_t n = 0; n < 3; ++n)
    for (std::size_t c = 0; c < 2; ++c)
      for (std::size_t p = 0; p < 20; ++p)
        planes.data<float>()[(n * 2 + c) * 20 + p] =
            (static_cast<float>(images.data<std::uint8_t>()[(n * 20 + p) * 2 + c]) / 255.0F - normalization.mean[c]) / normalization.std[c];
  auto reference = make_reference_executor(graph);
  ASSERT_TRUE(reference.ok());
  expect_near(run(**executor, "image", images)[0], run(**reference, "image", planes)[0]);
}

TEST_F(OpenVino, refuses_a_normalization_of_other_channels_or_of_no_width) {
  for (const Normalization& wrong :
       {Normalization{.mean = {0.5F, 0.5F, 0.5F}, .std = {1, 1, 1}}, Normalization{.mean = {0, 0}, .std = {1, 0}},
        Normalization{.mean = {0, 0}, .std = {1}}, Normalization{}}) {
    const auto executor = make_openvino_executor(classifier("logits"), {.normalization = wrong});
    ASSERT_FALSE(executor.ok());
    EXPECT_EQ(executor.error().code, ErrorCode::kInvalidArgument) << executor.error().message();
  }
}

TEST_F(OpenVino, gives_the_same_in_throughput_mode) {
  const auto graph = classifier("logits");
  auto latency = make_openvino_executor(graph);
  auto throughput = make_openvino_executor(graph, {.throughput = true, .threads = 2});
  ASSERT_TRUE(latency.ok() && throughput.ok());
  Rng rng(8);
  for (const std::int64_t batch : {1, 5}) {
    const Tensor x = random_tensor(rng, {batch, 2, 5, 4});
    expect_near(run(**throughput, "image", x)[0], run(**latency, "image", x)[0]);
  }
  EXPECT_NE((*throughput)->description().find("throughput"), std::string::npos);
}

TEST_F(OpenVino, reduces_only_the_named_axes_of_a_file_by_log_sum_exp) {
  Builder b("energy");
  b.output(b.op("ReduceLogSumExp", {b.input("x", DType::kF32, {-1, 4})}, {{"axes", std::vector<std::int64_t>{1}}}), "y");
  auto graph = std::move(b).build();
  ASSERT_TRUE(graph.ok()) << graph.error().message();
  ASSERT_TRUE(graph::write_onnx(folder_ / "energy.onnx", *graph).ok());
  auto executor = open_openvino(folder_ / "energy.onnx");
  ASSERT_TRUE(executor.ok()) << executor.error().message();
  auto reference = make_reference_executor(*graph);
  ASSERT_TRUE(reference.ok());
  Rng rng(10);
  const Tensor x = random_tensor(rng, {3, 4});
  expect_near(run(**executor, "x", x)[0], run(**reference, "x", x)[0]);
}

TEST_F(OpenVino, refuses_an_empty_batch) {
  auto executor = make_openvino_executor(classifier("logits"));
  ASSERT_TRUE(executor.ok());
  const auto got = (*executor)->run(std::vector<NamedView>{{"image", Tensor(DType::kF32, {0, 2, 5, 4})}});
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code, ErrorCode::kMismatch);
}

}  // namespace
}  // namespace hedge::infer

#include "infer/reference.h"

#include <gtest/gtest.h>

#include "graph/builder.h"
#include "graph/operators.h"
#include "infer/internal/kernel.h"

namespace hedge::infer {
namespace {

using graph::Builder;

std::vector<float> floats(const Tensor& tensor) {
  const auto values = tensor.data<float>();
  return {values.begin(), values.end()};
}

/// Runs a one-input, one-output graph on `x`.
std::vector<float> run_one(Result<graph::Graph> graph, const Tensor& x) {
  EXPECT_TRUE(graph.ok()) << (graph.ok() ? "" : graph.error().message());
  if (!graph.ok()) return {};
  auto executor = make_reference_executor(std::move(graph).value());
  EXPECT_TRUE(executor.ok()) << (executor.ok() ? "" : executor.error().message());
  if (!executor.ok()) return {};
  auto outputs = (*executor)->run(std::vector<NamedView>{{"x", x}});
  EXPECT_TRUE(outputs.ok()) << (outputs.ok() ? "" : outputs.error().message());
  return outputs.ok() ? floats(outputs->front()) : std::vector<float>{};
}

TEST(Reference, has_a_kernel_for_every_row_of_the_operator_table) {
  ASSERT_FALSE(graph::operator_table().empty());
  for (const auto& row : graph::operator_table()) EXPECT_NE(internal::find_kernel(row.name), nullptr) << row.name;
}

TEST(Reference, has_no_kernel_for_an_unknown_operator) { EXPECT_EQ(internal::find_kernel("Einsum"), nullptr); }

// The figures below are worked out by hand: the oracle itself needs one.

TEST(Reference, convolves_with_padding_and_stride) {
  Builder b("conv");
  const auto x = b.input("x", DType::kF32, {-1, 1, 3, 3});
  const auto w = b.constant("w", Tensor::of<float>({1, 1, 2, 2}, std::vector<float>{1, 2, 3, 4}));
  const auto bias = b.constant("b", Tensor::of<float>({1}, std::vector<float>{0.5F}));
  b.output(b.op("Conv", {x, w, bias}, {{"pads", std::vector<std::int64_t>{1, 1, 0, 0}}, {"strides", std::vector<std::int64_t>{2, 2}}}),
           "y");
  const auto y = run_one(std::move(b).build(), Tensor::of<float>({1, 1, 3, 3}, std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8, 9}));
  // Windows at (-1,-1), (-1,1), (1,-1), (1,1): 4*1; 3*2+4*3; 2*4+4*7; 5+12+24+36.
  EXPECT_EQ(y, (std::vector<float>{4.5F, 18.5F, 36.5F, 77.5F + 0.0F}));
}

TEST(Reference, keeps_the_groups_of_a_convolution_apart) {
  Builder b("conv");
  const auto x = b.input("x", DType::kF32, {-1, 2, 1, 1});
  const auto w = b.constant("w", Tensor::of<float>({2, 1, 1, 1}, std::vector<float>{10, 100}));
  b.output(b.op("Conv", {x, w}, {{"group", std::int64_t{2}}}), "y");
  EXPECT_EQ(run_one(std::move(b).build(), Tensor::of<float>({1, 2, 1, 1}, std::vector<float>{1, 2})), (std::vector<float>{10, 200}));
}

TEST(Reference, normalises_with_the_stored_statistics) {
  Builder b("norm");
  const auto x = b.input("x", DType::kF32, {-1, 2});
  const auto one = [&](const char* name, float first, float second) {
    return b.constant(name, Tensor::of<float>({2}, std::vector<float>{first, second}));
  };
  const auto gamma = one("gamma", 2, 1), beta = one("beta", 1, 0), mean = one("mean", 3, 0), var = one("var", 4, 1);
  b.output(b.op("BatchNormalization", {x, gamma, beta, mean, var}, {{"epsilon", 0.0F}}), "y");
  EXPECT_EQ(run_one(std::move(b).build(), Tensor::of<float>({1, 2}, std::vector<float>{7, -2})), (std::vector<float>{5, -2}));
}

TEST(Reference, averages_with_and_without_the_padding) {
  for (const bool count : {false, true}) {
    Builder b("pool");
    const auto x = b.input("x", DType::kF32, {-1, 1, 2, 2});
    b.output(b.op("AveragePool", {x},
                  {{"kernel_shape", std::vector<std::int64_t>{2, 2}},
                   {"pads", std::vector<std::int64_t>{1, 1, 0, 0}},
                   {"strides", std::vector<std::int64_t>{2, 2}},
                   {"count_include_pad", std::int64_t{count}}}),
             "y");
    const auto y = run_one(std::move(b).build(), Tensor::of<float>({1, 1, 2, 2}, std::vector<float>{4, 8, 12, 16}));
    EXPECT_EQ(y, count ? std::vector<float>{1} : std::vector<float>{4});
  }
}

TEST(Reference, multiplies_and_adds_as_gemm_says) {
  Builder b("gemm");
  const auto x = b.input("x", DType::kF32, {-1, 2});
  const auto w = b.constant("w", Tensor::of<float>({3, 2}, std::vector<float>{1, 2, 3, 4, 5, 6}));
  const auto c = b.constant("c", Tensor::of<float>({3}, std::vector<float>{1, 1, 2}));
  b.output(b.op("Gemm", {x, w, c}, {{"transB", std::int64_t{1}}, {"alpha", 2.0F}, {"beta", 3.0F}}), "y");
  EXPECT_EQ(run_one(std::move(b).build(), Tensor::of<float>({1, 2}, std::vector<float>{1, 10})), (std::vector<float>{45, 89, 136}));
}

TEST(Reference, sums_in_double) {
  // In float, 2^24 + 1 + … + 1 stays 2^24: each 1 is lost.
  std::vector<float> values(17, 1.0F);
  values[0] = 16777216.0F;
  Builder b("sum");
  b.output(b.op("ReduceSum", {b.input("x", DType::kF32, {-1, 17}), b.integers("axes", {1})}, {{"keepdims", std::int64_t{0}}}), "y");
  EXPECT_EQ(run_one(std::move(b).build(), Tensor::of<float>({1, 17}, values)), (std::vector<float>{16777232.0F}));
}

TEST(Reference, takes_the_lower_index_of_equal_values) {
  Builder b("top");
  const auto [values, indices] = b.ops<2>("TopK", {b.input("x", DType::kF32, {-1, 4}), b.integers("k", {2})}, {});
  b.output(b.op("Cast", {indices}, {{"to", std::int64_t{1}}}), "y");
  b.output(values, "values");
  EXPECT_EQ(run_one(std::move(b).build(), Tensor::of<float>({1, 4}, std::vector<float>{1, 5, 3, 5})), (std::vector<float>{1, 3}));
}

TEST(Reference, keeps_softmax_finite_for_large_logits) {
  Builder b("softmax");
  b.output(b.op("Softmax", {b.input("x", DType::kF32, {-1, 2})}), "y");
  EXPECT_EQ(run_one(std::move(b).build(), Tensor::of<float>({1, 2}, std::vector<float>{1000, 0})), (std::vector<float>{1, 0}));
}

TEST(Reference, broadcasts_as_numpy_does) {
  Builder b("sub");
  const auto x = b.input("x", DType::kF32, {-1, 2, 1});
  const auto w = b.constant("w", Tensor::of<float>({3}, std::vector<float>{1, 2, 3}));
  b.output(b.op("Sub", {x, w}), "y");
  EXPECT_EQ(run_one(std::move(b).build(), Tensor::of<float>({1, 2, 1}, std::vector<float>{10, 20})),
            (std::vector<float>{9, 8, 7, 19, 18, 17}));
}

TEST(Reference, gives_an_input_that_is_an_output_too) {
  graph::Graph graph;
  graph.name = "pass";
  graph.inputs = {{"x", DType::kF32, {-1, 2}}};
  graph.outputs = {{"y", DType::kF32, {-1, 2}}};
  graph.nodes = {{"keep", "Identity", {"x"}, {"y"}, {}}};
  EXPECT_EQ(run_one(graph, Tensor::of<float>({1, 2}, std::vector<float>{1, 2})), (std::vector<float>{1, 2}));
}

TEST(Reference, refuses_a_graph_with_an_unknown_operator) {
  graph::Graph graph;
  graph.name = "unknown";
  graph.inputs = {{"x", DType::kF32, {-1, 2}}};
  graph.outputs = {{"y", DType::kF32, {-1, 2}}};
  graph.nodes = {{"strange", "Einsum", {"x"}, {"y"}, {}}};
  const auto executor = make_reference_executor(graph);
  ASSERT_FALSE(executor.ok());
  EXPECT_EQ(executor.error().code, ErrorCode::kUnsupported) << executor.error().message();
  EXPECT_NE(executor.error().message().find("strange"), std::string::npos) << executor.error().message();
}

TEST(Reference, refuses_an_empty_batch) {
  Builder b("relu");
  b.output(b.op("Relu", {b.input("x", DType::kF32, {-1, 2})}), "y");
  auto graph = std::move(b).build();
  ASSERT_TRUE(graph.ok());
  auto executor = make_reference_executor(std::move(graph).value());
  ASSERT_TRUE(executor.ok());
  const auto got = (*executor)->run(std::vector<NamedView>{{"x", Tensor(DType::kF32, {0, 2})}});
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code, ErrorCode::kMismatch);
}

}  // namespace
}  // namespace hedge::infer

// Cases of the conformance suite: matrix products, reductions, softmax and top k.
#include "conformance/cases.h"
#include "conformance/testing.h"
#include "graph/builder.h"

namespace hedge::conformance {
namespace {

using graph::Builder;
using Ints = std::vector<std::int64_t>;

OperatorCase gemm(const std::string& name, const Shape& b_shape, const Shape& c_shape, graph::Attributes attributes, bool bias = true) {
  return {"Gemm", name, [=](Rng& rng) {
            Builder b("gemm");
            std::vector<std::string> inputs = {b.input("x", DType::kF32, {-1, 16}), b.constant("b", random_tensor(rng, b_shape))};
            if (bias) inputs.push_back(b.constant("c", random_tensor(rng, c_shape)));
            b.output(b.op("Gemm", inputs, attributes), "y");
            return std::move(b).build();
          }};
}

OperatorCase gemm_of_transposed() {
  return {"Gemm", "trans_a", [](Rng& rng) {
            Builder b("gemm");
            const auto x = b.op("Transpose", {b.input("x", DType::kF32, {-1, 16})}, {{"perm", Ints{1, 0}}});
            b.output(b.op("Gemm", {x, b.constant("b", random_tensor(rng, {16, 5}))}, {{"transA", std::int64_t{1}}}), "y");
            return std::move(b).build();
          }};
}

OperatorCase matmul(const std::string& name, const Shape& a_shape, const Shape& b_shape, bool weight) {
  return {"MatMul", name, [=](Rng& rng) {
            Builder b("matmul");
            const auto x = b.input("a", DType::kF32, a_shape);
            const auto w = weight ? b.constant("b", random_tensor(rng, b_shape)) : b.input("b", DType::kF32, b_shape);
            b.output(b.op("MatMul", {x, w}), "y");
            return std::move(b).build();
          }};
}

/// ReduceSum takes its axes as an input at opset 17, its siblings as an attribute.
OperatorCase reduce(const std::string& op, const std::string& name, const Ints& axes, bool keep) {
  return {op, name, [=](Rng&) {
            Builder b(op);
            std::vector<std::string> inputs = {b.input("x", DType::kF32, {-1, 3, 5, 7})};
            graph::Attributes attributes = {{"keepdims", std::int64_t{keep}}};
            if (op == "ReduceSum" && !axes.empty()) {
              inputs.push_back(b.integers("axes", axes));
            } else if (!axes.empty()) {
              attributes["axes"] = axes;
            }
            b.output(b.op(op, inputs, attributes), "y");
            return std::move(b).build();
          }};
}

OperatorCase along_axis(const std::string& op, const std::string& name, const Shape& shape, std::int64_t axis) {
  return {op, name, [=](Rng&) {
            Builder b(op);
            b.output(b.op(op, {b.input("x", DType::kF32, shape)}, {{"axis", axis}}), "y");
            return std::move(b).build();
          }};
}

OperatorCase large_values(const std::string& op) {
  return {op, "large_values", [=](Rng&) {
            Builder b(op);
            b.output(b.op(op, {b.op("Mul", {b.input("x", DType::kF32, {-1, 10}), b.scalar("scale", 200.0F)})}), "y");
            return std::move(b).build();
          }};
}

OperatorCase top_k(const std::string& name, const Shape& shape, std::int64_t k, std::int64_t axis) {
  return {"TopK", name, [=](Rng&) {
            Builder b("top_k");
            const auto [values, indices] = b.ops<2>("TopK", {b.input("x", DType::kF32, shape), b.integers("k", {k})}, {{"axis", axis}});
            b.output(values, "values");
            b.output(indices, "indices");
            return std::move(b).build();
          }};
}

}  // namespace

void add_matrix_and_reduce_cases(std::vector<OperatorCase>& cases) {
  cases.push_back(gemm("plain", {16, 5}, {5}, {}));
  cases.push_back(gemm("trans_b", {5, 16}, {5}, {{"transB", std::int64_t{1}}}));
  cases.push_back(gemm("scaled", {16, 5}, {1, 5}, {{"alpha", 0.5F}, {"beta", 2.0F}}));
  cases.push_back(gemm("scalar_bias", {16, 5}, {1}, {}));
  cases.push_back(gemm("no_bias", {16, 5}, {}, {}, false));
  cases.push_back(gemm_of_transposed());
  cases.push_back(matmul("weight", {-1, 16}, {16, 5}, true));
  cases.push_back(matmul("batched", {-1, 2, 3, 4}, {-1, 2, 4, 5}, false));
  cases.push_back(matmul("broadcast", {-1, 2, 3, 4}, {4, 5}, true));
  for (const char* op : {"ReduceMean", "ReduceSum", "ReduceMax", "ReduceLogSumExp"}) {
    cases.push_back(reduce(op, "pictures", {2, 3}, false));
    cases.push_back(reduce(op, "keep", {2, 3}, true));
    cases.push_back(reduce(op, "negative_axis", {-1}, false));
    cases.push_back(reduce(op, "middle", {1}, true));
    cases.push_back(reduce(op, "all_but_batch", {1, 2, 3}, false));
  }
  for (const char* op : {"Softmax", "LogSoftmax"}) {
    cases.push_back(along_axis(op, "last", {-1, 10}, -1));
    cases.push_back(along_axis(op, "channels", {-1, 3, 4, 5}, 1));
    cases.push_back(large_values(op));
  }
  cases.push_back(top_k("last", {-1, 10}, 3, -1));
  cases.push_back(top_k("all", {-1, 6}, 6, 1));
  cases.push_back(top_k("channels", {-1, 5, 2, 3}, 2, 1));
}

}  // namespace hedge::conformance

// Cases of the conformance suite: operators that work element by element.
#include "conformance/cases.h"
#include "conformance/testing.h"
#include "graph/builder.h"

namespace hedge::conformance {
namespace {

using graph::Builder;

/// y = op(x) over [-1, 3, 5, 7].
OperatorCase unary(const std::string& op, graph::Attributes attributes = {}, const std::string& name = "plain") {
  return {op, name, [=](Rng&) {
            Builder b(op);
            b.output(b.op(op, {b.input("x", DType::kF32, {-1, 3, 5, 7})}, attributes), "y");
            return std::move(b).build();
          }};
}

/// x * x + 0.5: away from the poles of log, sqrt and division.
std::string positive(Builder& b, const std::string& x) { return b.op("Add", {b.op("Mul", {x, x}), b.scalar("half", 0.5F)}); }

OperatorCase unary_of_positive(const std::string& op) {
  return {op, "positive", [=](Rng&) {
            Builder b(op);
            b.output(b.op(op, {positive(b, b.input("x", DType::kF32, {-1, 3, 5, 7}))}), "y");
            return std::move(b).build();
          }};
}

/// y = op(a, b) with b of the given shape, an input or a weight.
OperatorCase binary(const std::string& op, const std::string& name, const Shape& a_shape, const Shape& b_shape, bool weight) {
  return {op, name, [=](Rng& rng) {
            Builder b(op);
            const auto left = b.input("a", DType::kF32, a_shape);
            auto right = weight ? b.constant("b", random_tensor(rng, b_shape)) : b.input("b", DType::kF32, b_shape);
            if (op == "Div") right = positive(b, right);
            b.output(b.op(op, {left, right}), "y");
            return std::move(b).build();
          }};
}

OperatorCase clip(const std::string& name, bool low, bool high) {
  return {"Clip", name, [=](Rng&) {
            Builder b("clip");
            std::vector<std::string> inputs = {b.input("x", DType::kF32, {-1, 3, 5, 7})};
            if (low || high) inputs.push_back(low ? b.scalar("low", -0.25F) : "");
            if (high) inputs.push_back(b.scalar("high", 0.75F));
            b.output(b.op("Clip", inputs), "y");
            return std::move(b).build();
          }};
}

OperatorCase batch_norm(const std::string& name, const Shape& shape) {
  return {"BatchNormalization", name, [=](Rng& rng) {
            Builder b("batch_norm");
            const auto x = b.input("x", DType::kF32, shape);
            const Shape channels = {shape[1]};
            Tensor variance = random_tensor(rng, channels);
            for (float& v : variance.data<float>()) v = v * v + 0.1F;
            const auto gamma = b.constant("gamma", random_tensor(rng, channels));
            const auto beta = b.constant("beta", random_tensor(rng, channels));
            const auto mean = b.constant("mean", random_tensor(rng, channels));
            const auto var = b.constant("var", std::move(variance));
            b.output(b.op("BatchNormalization", {x, gamma, beta, mean, var}, {{"epsilon", 1e-3F}}), "y");
            return std::move(b).build();
          }};
}

/// Scaled to a range in which every element type agrees on the result, then cast there and, for narrow types, back.
OperatorCase cast_to(const std::string& name, std::int64_t onnx_type, bool and_back) {
  return {"Cast", name, [=](Rng&) {
            Builder b("cast");
            const auto x = b.input("x", DType::kF32, {-1, 3, 5});
            const auto scaled = b.op("Clip", {b.op("Mul", {x, b.scalar("scale", 40.0F)}), b.scalar("low", 0.0F), b.scalar("high", 100.0F)});
            const auto cast = b.op("Cast", {scaled}, {{"to", onnx_type}});
            b.output(and_back ? b.op("Cast", {cast}, {{"to", std::int64_t{1}}}) : cast, "y");
            return std::move(b).build();
          }};
}

OperatorCase cast_from(const std::string& name, DType from) {
  return {"Cast", name, [=](Rng&) {
            Builder b("cast");
            b.output(b.op("Cast", {b.input("x", from, {-1, 3, 5})}, {{"to", std::int64_t{1}}}), "y");
            return std::move(b).build();
          }};
}

}  // namespace

void add_elementwise_cases(std::vector<OperatorCase>& cases) {
  for (const char* op : {"Relu", "Sigmoid", "HardSwish", "LeakyRelu", "Neg", "Exp", "Tanh", "Identity", "Dropout"})
    cases.push_back(unary(op));
  cases.push_back(unary("HardSigmoid"));
  cases.push_back(unary("LeakyRelu", {{"alpha", 0.3F}}, "steeper"));
  cases.push_back(unary("HardSigmoid", {{"alpha", 1.0F / 6.0F}, {"beta", 0.5F}}, "of_mobilenet"));
  for (const char* op : {"Log", "Sqrt"}) cases.push_back(unary_of_positive(op));
  for (const char* op : {"Add", "Sub", "Mul", "Div", "Min", "Max"}) {
    cases.push_back(binary(op, "same_shape", {-1, 3, 4, 5}, {-1, 3, 4, 5}, false));
    cases.push_back(binary(op, "by_channel", {-1, 3, 4, 5}, {3, 1, 1}, true));
    cases.push_back(binary(op, "scalar", {-1, 6}, {}, true));
    cases.push_back(binary(op, "gate", {-1, 3, 4, 5}, {-1, 3, 1, 1}, false));
    cases.push_back(binary(op, "both_broadcast", {-1, 1, 4, 1}, {3, 1, 5}, true));
  }
  cases.push_back(clip("both", true, true));
  cases.push_back(clip("low", true, false));
  cases.push_back(clip("high", false, true));
  cases.push_back(clip("neither", false, false));
  cases.push_back(batch_norm("pictures", {-1, 5, 4, 3}));
  cases.push_back(batch_norm("vectors", {-1, 5}));
  cases.push_back(cast_to("to_i32", 6, false));
  cases.push_back(cast_to("to_i64", 7, false));
  cases.push_back(cast_to("to_u8_and_back", 2, true));
  cases.push_back(cast_to("to_bool_and_back", 9, true));
  cases.push_back(cast_from("from_u8", DType::kU8));
  cases.push_back(cast_from("from_i64", DType::kI64));
  cases.push_back(cast_from("from_i32", DType::kI32));
}

}  // namespace hedge::conformance

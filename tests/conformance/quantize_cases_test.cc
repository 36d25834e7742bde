// Cases of the conformance suite: between floats and 8-bit integers. Scales are powers of two and inputs random, so that every runner
// divides exactly and a tie is as good as never drawn.
#include "conformance/cases.h"
#include "conformance/testing.h"
#include "graph/builder.h"

namespace hedge::conformance {
namespace {

using graph::Builder;

template <typename T>
std::string zero_point(Builder& b, T value) {
  return b.constant("zero", Tensor::of<T>({}, std::vector<T>{value}));
}

std::string there_and_back(Builder& b, const std::string& x, const std::string& scale, const std::string& zero) {
  std::vector<std::string> parameters = {scale};
  if (!zero.empty()) parameters.push_back(zero);
  std::vector<std::string> in = {x};
  in.insert(in.end(), parameters.begin(), parameters.end());
  std::vector<std::string> back = {b.op("QuantizeLinear", in)};
  back.insert(back.end(), parameters.begin(), parameters.end());
  return b.op("DequantizeLinear", back);
}

OperatorCase round_trip(const std::string& op, const std::string& name, float scale, const std::function<std::string(Builder&)>& zero) {
  return {op, name, [=](Rng&) {
            Builder b(op);
            const auto x = b.input("x", DType::kF32, {-1, 3, 5, 7});
            b.output(there_and_back(b, x, b.scalar("scale", scale), zero(b)), "y");
            return std::move(b).build();
          }};
}

OperatorCase integers_out() {
  return {"QuantizeLinear", "integers_out", [](Rng&) {
            Builder b("quantise");
            const auto x = b.input("x", DType::kF32, {-1, 3, 5, 7});
            b.output(b.op("QuantizeLinear", {x, b.scalar("scale", 0.0625F), zero_point<std::int8_t>(b, -7)}), "y");
            return std::move(b).build();
          }};
}

OperatorCase integers_in(DType type) {
  return {"DequantizeLinear", std::string("of_") + to_string(type), [=](Rng&) {
            Builder b("dequantise");
            b.output(b.op("DequantizeLinear", {b.input("x", type, {-1, 6}), b.scalar("scale", 0.375F)}), "y");
            return std::move(b).build();
          }};
}

Tensor drawn_i8(Rng& rng, Shape shape) {
  Tensor tensor(DType::kI8, std::move(shape));
  for (auto& value : tensor.data<std::int8_t>()) value = static_cast<std::int8_t>(static_cast<int>(rng.below(255)) - 127);
  return tensor;
}

Tensor drawn_scales(Rng& rng, std::int64_t count) {
  Tensor tensor(DType::kF32, {count});
  for (auto& value : tensor.data<float>()) value = static_cast<float>(0.001 + 0.01 * rng.uniform());
  return tensor;
}

/// A convolution with quantised weights (a scale a channel, axis 0) and an int32 bias, its activations in floats.
OperatorCase quantised_weights() {
  return {"DequantizeLinear", "weights_and_bias_by_channel", [](Rng& rng) {
            Builder b("weights");
            const graph::Attributes first = {{"axis", std::int64_t{0}}};
            const auto scale = b.constant("scale", drawn_scales(rng, 4));
            const auto w = b.op("DequantizeLinear", {b.constant("w", drawn_i8(rng, {4, 3, 3, 3})), scale}, first);
            const auto raw = b.constant("raw", Tensor::of<std::int32_t>({4}, std::vector<std::int32_t>{-900, 0, 17, 1000}));
            const auto bias = b.op("DequantizeLinear", {raw, b.constant("bias_scale", drawn_scales(rng, 4))}, first);
            b.output(b.op("Conv", {b.input("x", DType::kF32, {-1, 3, 6, 6}), w, bias}), "y");
            return std::move(b).build();
          }};
}

/// Weights and activations at the ends of their 8 bits: a sum of two such products does not fit into 16 bits, where some runners'
/// instructions on some CPUs add them.
OperatorCase large_bytes(bool dense) {
  return {"DequantizeLinear", dense ? "large_bytes_dense" : "large_bytes_in_a_convolution", [=](Rng& rng) {
            Builder b("bytes");
            constexpr std::int64_t kSide = 8, kChannels = 3, kOutputs = 5;
            const auto inputs = dense ? kSide * kSide * kChannels : kChannels;
            Tensor large(DType::kI8, dense ? Shape{kOutputs, inputs} : Shape{kOutputs, inputs, 3, 3});
            for (auto& value : large.data<std::int8_t>()) value = static_cast<std::int8_t>(127 - static_cast<int>(rng.below(8)));
            const auto w = b.op("DequantizeLinear", {b.constant("w", std::move(large)), b.constant("scale", drawn_scales(rng, kOutputs))},
                                {{"axis", std::int64_t{0}}});
            auto x = b.input("x", DType::kF32, {-1, kChannels, kSide, kSide});
            x = there_and_back(b, x, b.scalar("step", 0.00390625F), zero_point<std::uint8_t>(b, 0));
            if (dense)
              b.output(b.op("Gemm", {b.op("Flatten", {x}, {{"axis", std::int64_t{1}}}), w}, {{"transB", std::int64_t{1}}}), "y");
            else
              b.output(b.op("Conv", {x, w}), "y");
            return std::move(b).build();
          }};
}

}  // namespace

void add_quantize_cases(std::vector<OperatorCase>& cases) {
  const auto none = [](Builder&) { return std::string(); };
  const auto u8 = [](Builder& b) { return zero_point<std::uint8_t>(b, 128); };
  const auto i8 = [](Builder& b) { return zero_point<std::int8_t>(b, -20); };
  cases.push_back(round_trip("QuantizeLinear", "u8_without_a_zero_point", 0.0078125F, none));
  cases.push_back(round_trip("QuantizeLinear", "u8", 0.03125F, u8));
  cases.push_back(round_trip("QuantizeLinear", "i8", 0.03125F, i8));
  cases.push_back(round_trip("QuantizeLinear", "saturating", 0.00390625F, i8));
  cases.push_back(integers_out());
  for (const DType type : {DType::kI8, DType::kU8, DType::kI32}) cases.push_back(integers_in(type));
  cases.push_back(quantised_weights());
  for (const bool dense : {true, false}) cases.push_back(large_bytes(dense));
}

}  // namespace hedge::conformance

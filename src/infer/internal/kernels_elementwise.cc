#include <algorithm>
#include <cmath>
#include <limits>

#include "infer/internal/index.h"
#include "infer/internal/kernel.h"

namespace hedge::infer::internal {
namespace {

/// y = f(x), in double.
template <typename Function>
void map(const KernelCall& call, Function&& function) {
  const auto x = call.floats(0);
  const auto y = call.outputs[0].data<float>();
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = static_cast<float>(function(static_cast<double>(x[i])));
}

/// y = f(f(a, b), c)… with numpy's broadcasting, in double.
template <typename Function>
void zip(const KernelCall& call, Function&& function) {
  const Shape& shape = call.outputs[0].shape();
  const auto y = call.outputs[0].data<float>();
  std::vector<Shape> strides;
  for (const Tensor* input : call.inputs) strides.push_back(broadcast_strides(input->shape(), shape));
  for_each_index(shape, [&](const Shape& index, std::size_t flat) {
    double value = static_cast<double>(call.floats(0)[static_cast<std::size_t>(dot(index, strides[0]))]);
    for (std::size_t i = 1; i < call.inputs.size(); ++i)
      value = function(value, static_cast<double>(call.floats(i)[static_cast<std::size_t>(dot(index, strides[i]))]));
    y[flat] = static_cast<float>(value);
  });
}

/// To an integer: towards zero, and held to its range, where C++ leaves the result open.
template <typename To, typename From>
To converted(From value) {
  if constexpr (std::is_floating_point_v<From> && !std::is_floating_point_v<To>) {
    if (std::isnan(value)) return To{0};
    if (static_cast<double>(value) <= static_cast<double>(std::numeric_limits<To>::min())) return std::numeric_limits<To>::min();
    if (static_cast<double>(value) >= static_cast<double>(std::numeric_limits<To>::max())) return std::numeric_limits<To>::max();
  }
  return static_cast<To>(value);
}

template <typename From>
void cast_from(std::span<const From> x, Tensor& y) {
  const auto fill = [&](auto out) {
    using To = typename decltype(out)::value_type;
    for (std::size_t i = 0; i < x.size(); ++i) out[i] = converted<To>(x[i]);
  };
  switch (y.dtype()) {
    case DType::kF32: return fill(y.data<float>());
    case DType::kU8: return fill(y.data<std::uint8_t>());
    case DType::kI8: return fill(y.data<std::int8_t>());
    case DType::kI32: return fill(y.data<std::int32_t>());
    case DType::kI64: return fill(y.data<std::int64_t>());
    case DType::kBool:
      for (std::size_t i = 0; i < x.size(); ++i) y.bytes()[i] = std::byte{x[i] != From{0}};
      return;
  }
}

}  // namespace

void run_relu(const KernelCall& call) {
  map(call, [](double x) { return std::max(x, 0.0); });
}

void run_clip(const KernelCall& call) {
  const Tensor* low = call.optional(1);
  const Tensor* high = call.optional(2);
  const double least = low ? static_cast<double>(low->data<float>()[0]) : -std::numeric_limits<double>::infinity();
  const double most = high ? static_cast<double>(high->data<float>()[0]) : std::numeric_limits<double>::infinity();
  map(call, [&](double x) { return std::min(std::max(x, least), most); });
}

void run_sigmoid(const KernelCall& call) {
  map(call, [](double x) { return 1.0 / (1.0 + std::exp(-x)); });
}

void run_hard_sigmoid(const KernelCall& call) {
  const double alpha = static_cast<double>(call.node.number("alpha", 0.2F));
  const double beta = static_cast<double>(call.node.number("beta", 0.5F));
  map(call, [&](double x) { return std::clamp(alpha * x + beta, 0.0, 1.0); });
}

void run_hard_swish(const KernelCall& call) {
  map(call, [](double x) { return x * std::clamp(x / 6.0 + 0.5, 0.0, 1.0); });
}

void run_leaky_relu(const KernelCall& call) {
  const double alpha = static_cast<double>(call.node.number("alpha", 0.01F));
  map(call, [&](double x) { return x < 0 ? alpha * x : x; });
}

void run_tanh(const KernelCall& call) {
  map(call, [](double x) { return std::tanh(x); });
}

void run_neg(const KernelCall& call) {
  map(call, [](double x) { return -x; });
}

void run_exp(const KernelCall& call) {
  map(call, [](double x) { return std::exp(x); });
}

void run_log(const KernelCall& call) {
  map(call, [](double x) { return std::log(x); });
}

void run_sqrt(const KernelCall& call) {
  map(call, [](double x) { return std::sqrt(x); });
}

void run_add(const KernelCall& call) {
  zip(call, [](double a, double b) { return a + b; });
}

void run_sub(const KernelCall& call) {
  zip(call, [](double a, double b) { return a - b; });
}

void run_mul(const KernelCall& call) {
  zip(call, [](double a, double b) { return a * b; });
}

void run_div(const KernelCall& call) {
  zip(call, [](double a, double b) { return a / b; });
}

void run_min(const KernelCall& call) {
  zip(call, [](double a, double b) { return std::min(a, b); });
}

void run_max(const KernelCall& call) {
  zip(call, [](double a, double b) { return std::max(a, b); });
}

void run_batch_norm(const KernelCall& call) {
  const auto x = call.floats(0);
  const auto y = call.outputs[0].data<float>();
  const Shape& shape = call.outputs[0].shape();
  const auto channels = static_cast<std::size_t>(shape[1]);
  std::size_t plane = 1;
  for (std::size_t i = 2; i < shape.size(); ++i) plane *= static_cast<std::size_t>(shape[i]);
  const double epsilon = static_cast<double>(call.node.number("epsilon", 1e-5F));
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t c = i / plane % channels;
    const double scale = static_cast<double>(call.floats(1)[c]) / std::sqrt(static_cast<double>(call.floats(4)[c]) + epsilon);
    y[i] = static_cast<float>((static_cast<double>(x[i]) - static_cast<double>(call.floats(3)[c])) * scale +
                              static_cast<double>(call.floats(2)[c]));
  }
}

void run_cast(const KernelCall& call) {
  const Tensor& x = *call.inputs[0];
  Tensor& y = call.outputs[0];
  switch (x.dtype()) {
    case DType::kF32: return cast_from(x.data<float>(), y);
    case DType::kU8: return cast_from(x.data<std::uint8_t>(), y);
    case DType::kI8: return cast_from(x.data<std::int8_t>(), y);
    case DType::kI32: return cast_from(x.data<std::int32_t>(), y);
    case DType::kI64: return cast_from(x.data<std::int64_t>(), y);
    case DType::kBool: {
      // Any byte but 0 is true.
      std::vector<std::uint8_t> truth(x.num_bytes());
      for (std::size_t i = 0; i < truth.size(); ++i) truth[i] = x.bytes()[i] != std::byte{0} ? 1 : 0;
      return cast_from(std::span<const std::uint8_t>(truth), y);
    }
  }
}

}  // namespace hedge::infer::internal

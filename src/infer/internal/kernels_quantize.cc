#include <algorithm>
#include <cmath>
#include <limits>

#include "infer/internal/index.h"
#include "infer/internal/kernel.h"

namespace hedge::infer::internal {
namespace {

/// Element `i` of a tensor of u8, i8 or i32.
double element(const Tensor& tensor, std::size_t i) {
  switch (tensor.dtype()) {
    case DType::kU8: return tensor.data<std::uint8_t>()[i];
    case DType::kI8: return tensor.data<std::int8_t>()[i];
    default: return tensor.data<std::int32_t>()[i];
  }
}

/// Calls visit(flat, scale, zero point) for each element of output 0: one pair for all, or one an index of the axis.
template <typename Visit>
void for_each_scaled(const KernelCall& call, Visit&& visit) {
  const Shape& shape = call.outputs[0].shape();
  const auto scales = call.floats(1);
  const Tensor* zeros = call.optional(2);
  std::size_t inner = 1;
  if (scales.size() > 1)
    for (std::size_t i = from_front(call.node.integer("axis", 1), shape.size()) + 1; i < shape.size(); ++i)
      inner *= static_cast<std::size_t>(shape[i]);
  const auto count = static_cast<std::size_t>(call.outputs[0].num_elements());
  for (std::size_t flat = 0; flat < count; ++flat) {
    const std::size_t at = scales.size() > 1 ? flat / inner % scales.size() : 0;
    visit(flat, static_cast<double>(scales[at]), zeros == nullptr ? 0.0 : element(*zeros, at));
  }
}

template <typename To>
void quantize_to(const KernelCall& call) {
  const auto x = call.floats(0);
  const auto y = call.outputs[0].data<To>();
  for_each_scaled(call, [&](std::size_t i, double scale, double zero) {
    const double q = std::nearbyint(static_cast<double>(x[i]) / scale) + zero;  // ties to even, as ONNX says
    y[i] = static_cast<To>(std::clamp<double>(std::isnan(q) ? zero : q, std::numeric_limits<To>::min(), std::numeric_limits<To>::max()));
  });
}

}  // namespace

void run_quantize(const KernelCall& call) {
  if (call.outputs[0].dtype() == DType::kI8) return quantize_to<std::int8_t>(call);
  quantize_to<std::uint8_t>(call);
}

void run_dequantize(const KernelCall& call) {
  const auto y = call.outputs[0].data<float>();
  for_each_scaled(
      call, [&](std::size_t i, double scale, double zero) { y[i] = static_cast<float>((element(*call.inputs[0], i) - zero) * scale); });
}

}  // namespace hedge::infer::internal

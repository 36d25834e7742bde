#include <algorithm>
#include <limits>

#include "graph/window.h"
#include "infer/internal/kernel.h"

namespace hedge::infer::internal {
namespace {

/// A [N, C, H, W] tensor read by its four indices.
struct Images {
  explicit Images(const Tensor& tensor) : shape(tensor.shape()), values(tensor.data<float>()) {}

  [[nodiscard]] bool inside(std::int64_t y, std::int64_t x) const { return y >= 0 && x >= 0 && y < shape[2] && x < shape[3]; }
  [[nodiscard]] double at(std::int64_t n, std::int64_t c, std::int64_t y, std::int64_t x) const {
    return static_cast<double>(values[static_cast<std::size_t>(((n * shape[1] + c) * shape[2] + y) * shape[3] + x)]);
  }

  const Shape& shape;
  std::span<const float> values;
};

/// One window over one plane: calls visit(ky, kx, y, x) for each of its places, inside the image or not.
template <typename Visit>
void for_each_place(const graph::Window& window, std::int64_t row, std::int64_t column, Visit&& visit) {
  for (std::int64_t ky = 0; ky < window.kernel[0]; ++ky)
    for (std::int64_t kx = 0; kx < window.kernel[1]; ++kx)
      visit(ky, kx, row * window.strides[0] - window.pads_begin[0] + ky * window.dilations[0],
            column * window.strides[1] - window.pads_begin[1] + kx * window.dilations[1]);
}

/// Fills an output [N, C, H, W] by value(n, c, row, column).
template <typename Value>
void fill(Tensor& output, Value&& value) {
  const Shape& shape = output.shape();
  const auto y = output.data<float>();
  std::size_t flat = 0;
  for (std::int64_t n = 0; n < shape[0]; ++n)
    for (std::int64_t c = 0; c < shape[1]; ++c)
      for (std::int64_t row = 0; row < shape[2]; ++row)
        for (std::int64_t column = 0; column < shape[3]; ++column) y[flat++] = static_cast<float>(value(n, c, row, column));
}

}  // namespace

void run_conv(const KernelCall& call) {
  const Images x(*call.inputs[0]);
  const Images w(*call.inputs[1]);
  const Tensor* bias = call.optional(2);
  // The shape rule has resolved the same window, so this cannot fail.
  const auto window = graph::resolve_window(call.node, {w.shape[2], w.shape[3]}, x.shape[2], x.shape[3]).value();
  const std::int64_t channels = w.shape[1];
  const std::int64_t group_outputs = w.shape[0] / call.node.integer("group", 1);
  fill(call.outputs[0], [&](std::int64_t n, std::int64_t o, std::int64_t row, std::int64_t column) {
    const std::int64_t first = o / group_outputs * channels;
    double sum = bias ? static_cast<double>(bias->data<float>()[static_cast<std::size_t>(o)]) : 0.0;
    for_each_place(window, row, column, [&](std::int64_t ky, std::int64_t kx, std::int64_t py, std::int64_t px) {
      if (!x.inside(py, px)) return;
      for (std::int64_t c = 0; c < channels; ++c) sum += x.at(n, first + c, py, px) * w.at(o, c, ky, kx);
    });
    return sum;
  });
}

void run_max_pool(const KernelCall& call) {
  const Images x(*call.inputs[0]);
  const auto window = graph::resolve_window(call.node, x.shape[2], x.shape[3]).value();
  fill(call.outputs[0], [&](std::int64_t n, std::int64_t c, std::int64_t row, std::int64_t column) {
    double most = -std::numeric_limits<double>::infinity();
    for_each_place(window, row, column, [&](std::int64_t, std::int64_t, std::int64_t py, std::int64_t px) {
      if (x.inside(py, px)) most = std::max(most, x.at(n, c, py, px));
    });
    return most;
  });
}

void run_average_pool(const KernelCall& call) {
  const Images x(*call.inputs[0]);
  const auto window = graph::resolve_window(call.node, x.shape[2], x.shape[3]).value();
  const bool count_pads = call.node.integer("count_include_pad", 0) != 0;
  // Padding counts as zeros; what ceil_mode adds beyond it never counts.
  const std::int64_t bottom = x.shape[2] + window.pads_end[0];
  const std::int64_t right = x.shape[3] + window.pads_end[1];
  fill(call.outputs[0], [&](std::int64_t n, std::int64_t c, std::int64_t row, std::int64_t column) {
    double sum = 0;
    std::int64_t count = 0;
    for_each_place(window, row, column, [&](std::int64_t, std::int64_t, std::int64_t py, std::int64_t px) {
      const bool inside = x.inside(py, px);
      if (inside) sum += x.at(n, c, py, px);
      if (inside || (count_pads && py < bottom && px < right)) ++count;
    });
    return count > 0 ? sum / static_cast<double>(count) : 0.0;
  });
}

void run_global_average_pool(const KernelCall& call) {
  const Images x(*call.inputs[0]);
  fill(call.outputs[0], [&](std::int64_t n, std::int64_t c, std::int64_t, std::int64_t) {
    double sum = 0;
    for (std::int64_t row = 0; row < x.shape[2]; ++row)
      for (std::int64_t column = 0; column < x.shape[3]; ++column) sum += x.at(n, c, row, column);
    return sum / static_cast<double>(x.shape[2] * x.shape[3]);
  });
}

}  // namespace hedge::infer::internal

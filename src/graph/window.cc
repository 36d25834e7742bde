#include "graph/window.h"

#include <algorithm>

namespace hedge::graph {
namespace {

constexpr std::int64_t kMostExtent = std::int64_t{1} << 24;  // keeps every sum and product of a window within 64 bits

Status check_list(const char* key, const std::vector<std::int64_t>& values, std::size_t length, std::int64_t least) {
  const bool in_range = std::all_of(values.begin(), values.end(), [&](auto v) { return v >= least && v <= kMostExtent; });
  if (values.size() == length && in_range) return {};
  return Error{.code = ErrorCode::kMismatch,
               .what = std::string("the attribute ") + key + " does not fit a 2-D window",
               .got = to_string(values),
               .expected = std::to_string(length) + " values from " + std::to_string(least) + " to " + std::to_string(kMostExtent)};
}

/// Rows that the window's first element spans: dilated kernel.
std::int64_t extent(const Window& window, std::size_t axis) { return window.dilations[axis] * (window.kernel[axis] - 1) + 1; }

Status pad_to_same(Window& window, std::size_t axis, std::int64_t size, bool upper) {
  if (size < 0)
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "auto_pad SAME on an image of unknown size",
                 .hint = "export the model with a fixed height and width"};
  const std::int64_t output = (size + window.strides[axis] - 1) / window.strides[axis];
  const std::int64_t total = std::max<std::int64_t>(0, (output - 1) * window.strides[axis] + extent(window, axis) - size);
  window.pads_begin[axis] = upper ? total / 2 : total - total / 2;
  window.pads_end[axis] = total - window.pads_begin[axis];
  return {};
}

Status pad(Window& window, const Node& node, std::array<std::int64_t, 2> sizes) {
  const std::string mode = node.text("auto_pad", "NOTSET");
  const auto pads = node.integers("pads", {0, 0, 0, 0});
  HEDGE_CHECK(check_list("pads", pads, 4, 0));
  for (std::size_t axis = 0; axis < 2; ++axis) {
    if (mode == "NOTSET") {
      window.pads_begin[axis] = pads[axis];
      window.pads_end[axis] = pads[axis + 2];
    } else if (mode == "SAME_UPPER" || mode == "SAME_LOWER") {
      HEDGE_CHECK(pad_to_same(window, axis, sizes[axis], mode == "SAME_UPPER"));
    } else if (mode != "VALID") {
      return Error{
          .code = ErrorCode::kMismatch, .what = "an unknown auto_pad", .got = mode, .expected = "NOTSET, SAME_UPPER, SAME_LOWER or VALID"};
    }
  }
  return {};
}

Status size_output(Window& window, std::size_t axis, std::int64_t size, bool ceil_mode) {
  window.output[axis] = -1;
  if (size < 0) return {};
  const std::int64_t padded = size + window.pads_begin[axis] + window.pads_end[axis];
  const std::int64_t room = padded - extent(window, axis);
  if (room < 0 || size == 0)
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the window is larger than the padded image",
                 .got = std::to_string(extent(window, axis)) + " over " + std::to_string(padded)};
  const std::int64_t stride = window.strides[axis];
  std::int64_t output = room / stride + 1;
  // A last, partial window counts only where it starts inside the image or its leading padding.
  if (ceil_mode && room % stride != 0 && output * stride < size + window.pads_begin[axis]) ++output;
  window.output[axis] = output;
  return {};
}

}  // namespace

Result<Window> resolve_window(const Node& node, std::array<std::int64_t, 2> kernel, std::int64_t height, std::int64_t width) {
  const auto strides = node.integers("strides", {1, 1});
  const auto dilations = node.integers("dilations", {1, 1});
  HEDGE_CHECK(check_list("kernel_shape", {kernel[0], kernel[1]}, 2, 1));
  HEDGE_CHECK(check_list("strides", strides, 2, 1));
  HEDGE_CHECK(check_list("dilations", dilations, 2, 1));
  Window window{.kernel = kernel, .strides = {strides[0], strides[1]}, .dilations = {dilations[0], dilations[1]}};
  HEDGE_CHECK(pad(window, node, {height, width}));
  const bool ceil_mode = node.integer("ceil_mode", 0) != 0;
  HEDGE_CHECK(size_output(window, 0, height, ceil_mode));
  HEDGE_CHECK(size_output(window, 1, width, ceil_mode));
  return window;
}

Result<Window> resolve_window(const Node& node, std::int64_t height, std::int64_t width) {
  const auto kernel = node.integers("kernel_shape", {});
  HEDGE_CHECK(check_list("kernel_shape", kernel, 2, 1));
  return resolve_window(node, {kernel[0], kernel[1]}, height, width);
}

}  // namespace hedge::graph

#pragma once

#include <array>
#include <cstdint>

#include "graph/graph.h"

namespace hedge::graph {

/// The resolved geometry of a Conv, MaxPool or AveragePool over images: what pads, auto_pad, strides, dilations and
/// ceil_mode come to, so that every executor agrees. Index 0 is the height, 1 the width.
struct Window {
  std::array<std::int64_t, 2> kernel{};
  std::array<std::int64_t, 2> strides{};
  std::array<std::int64_t, 2> dilations{};
  std::array<std::int64_t, 2> pads_begin{};  ///< top, left
  std::array<std::int64_t, 2> pads_end{};    ///< bottom, right
  std::array<std::int64_t, 2> output{};      ///< height and width of the result; -1 where the image's is -1
};

/// The window of `node` over images of `height` x `width` (-1 where dynamic), with `kernel` rows and columns.
/// Errors: kMismatch attributes of a wrong length or range, a window that does not fit; kUnsupported auto_pad SAME on a
/// dynamic size.
Result<Window> resolve_window(const Node& node, std::array<std::int64_t, 2> kernel, std::int64_t height, std::int64_t width);

/// The same for a pooling node, whose kernel is its attribute.
Result<Window> resolve_window(const Node& node, std::int64_t height, std::int64_t width);

}  // namespace hedge::graph

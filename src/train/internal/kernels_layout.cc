#include "train/internal/kernel_parts.h"

#include <algorithm>

namespace hedge::train::internal {
namespace {

struct Range {
  std::int64_t start, end, step;
};

/// torch's slice only goes forwards. ONNX: from `start` (at most the last) down to, without, `end` (before the first: -1).
torch::Tensor slice_backwards(const torch::Tensor& x, std::int64_t axis, Range range) {
  const auto size = x.size(axis);
  const auto start = std::clamp<std::int64_t>(range.start < 0 ? range.start + size : range.start, -1, size - 1);
  const auto end = std::clamp<std::int64_t>(range.end < 0 ? range.end + size : range.end, -1, size - 1);
  Integers indices;
  for (auto i = start; i > end; i += range.step) indices.push_back(i);
  return x.index_select(axis, torch::tensor(indices, torch::kLong).to(x.device()));
}

}  // namespace

Result<Kernel> bind_flatten(const Node& node, const Graph&) {
  const auto axis = node.integer("axis", 1);
  return over(1, [axis](const Tensors& x, bool) {
    const auto cut = axis < 0 ? axis + x[0].dim() : axis;
    std::int64_t rows = 1;
    for (std::int64_t i = 0; i < cut; ++i) rows *= x[0].size(i);
    return Tensors{x[0].reshape({rows, rows == 0 ? 0 : x[0].numel() / rows})};
  });
}

Result<Kernel> bind_reshape(const Node& node, const Graph& graph) {
  HEDGE_TRY(const auto target, constant_integers(node, graph, 1));
  const bool allow_zero = node.integer("allowzero", 0) != 0;
  return over(1, [=](const Tensors& x, bool) {
    Integers shape = target;
    for (std::size_t i = 0; i < shape.size(); ++i)
      if (shape[i] == 0 && !allow_zero) shape[i] = x[0].size(static_cast<std::int64_t>(i));
    return Tensors{x[0].reshape(shape)};
  });
}

Result<Kernel> bind_squeeze(const Node& node, const Graph& graph) {
  HEDGE_TRY(auto axes, axes_of(node, graph));
  return over(1, [axes](const Tensors& x, bool) {
    if (axes.empty()) return Tensors{x[0].squeeze()};
    Integers sorted;
    for (auto axis : axes) sorted.push_back(axis < 0 ? axis + x[0].dim() : axis);
    std::sort(sorted.rbegin(), sorted.rend());
    auto y = x[0];
    for (auto axis : sorted) y = y.squeeze(axis);
    return Tensors{y};
  });
}

Result<Kernel> bind_unsqueeze(const Node& node, const Graph& graph) {
  HEDGE_TRY(auto axes, axes_of(node, graph));
  return over(1, [axes](const Tensors& x, bool) {
    const auto rank = x[0].dim() + static_cast<std::int64_t>(axes.size());
    Integers sorted;
    for (auto axis : axes) sorted.push_back(axis < 0 ? axis + rank : axis);
    std::sort(sorted.begin(), sorted.end());
    auto y = x[0];
    for (auto axis : sorted) y = y.unsqueeze(axis);
    return Tensors{y};
  });
}

Result<Kernel> bind_transpose(const Node& node, const Graph&) {
  const auto permutation = node.integers("perm", {});
  return over(1, [permutation](const Tensors& x, bool) {
    Integers order = permutation;
    if (order.empty())
      for (auto i = x[0].dim(); i > 0; --i) order.push_back(i - 1);
    return Tensors{x[0].permute(order)};
  });
}

Result<Kernel> bind_pad(const Node& node, const Graph& graph) {
  if (node.text("mode", "constant") != "constant") return unsupported(node, "only constant padding is trainable");
  HEDGE_TRY(const auto pads, constant_integers(node, graph, 1));
  double value = 0.0;
  if (has_input(node, 2)) {
    HEDGE_TRY(value, constant_number(node, graph, 2));
  }
  Integers reversed;  // torch lists the last axis first, begin and end side by side
  const auto rank = pads.size() / 2;
  for (std::size_t i = rank; i > 0; --i) {
    reversed.push_back(pads[i - 1]);
    reversed.push_back(pads[rank + i - 1]);
  }
  return over(1, [=](const Tensors& x, bool) { return Tensors{at::constant_pad_nd(x[0], reversed, value)}; });
}

Result<Kernel> bind_concat(const Node& node, const Graph&) {
  const auto axis = node.integer("axis", 0);
  return over(node.inputs.size(), [axis](const Tensors& x, bool) { return Tensors{at::cat(x, axis)}; });
}

Result<Kernel> bind_slice(const Node& node, const Graph& graph) {
  HEDGE_TRY(const auto starts, constant_integers(node, graph, 1));
  HEDGE_TRY(const auto ends, constant_integers(node, graph, 2));
  Integers axes;
  Integers steps(starts.size(), 1);
  for (std::size_t i = 0; i < starts.size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  if (has_input(node, 3)) {
    HEDGE_TRY(axes, constant_integers(node, graph, 3));
  }
  if (has_input(node, 4)) {
    HEDGE_TRY(steps, constant_integers(node, graph, 4));
  }
  return over(1, [=](const Tensors& x, bool) {
    auto y = x[0];
    for (std::size_t i = 0; i < starts.size(); ++i)
      y = steps[i] > 0 ? at::slice(y, axes[i], starts[i], ends[i], steps[i]) : slice_backwards(y, axes[i], {starts[i], ends[i], steps[i]});
    return Tensors{y};
  });
}

Result<Kernel> bind_gather(const Node& node, const Graph& graph) {
  HEDGE_TRY(const auto indices, constant_integers(node, graph, 1));
  const auto axis = node.integer("axis", 0);
  const auto shape = graph.initializers.at(node.inputs[1]).shape();
  return over(1, [=](const Tensors& x, bool) {
    const auto at_axis = axis < 0 ? axis + x[0].dim() : axis;
    auto index = torch::tensor(indices, torch::kLong).to(x[0].device());
    index = torch::where(index < 0, index + x[0].size(at_axis), index);
    Integers out(x[0].sizes().begin(), x[0].sizes().begin() + at_axis);
    out.insert(out.end(), shape.begin(), shape.end());
    out.insert(out.end(), x[0].sizes().begin() + at_axis + 1, x[0].sizes().end());
    return Tensors{x[0].index_select(at_axis, index).reshape(out)};
  });
}

Result<Kernel> bind_top_k(const Node& node, const Graph& graph) {
  HEDGE_TRY(const auto k, constant_integers(node, graph, 1));
  const auto axis = node.integer("axis", -1);
  const bool largest = node.integer("largest", 1) != 0;
  return over(1, [=](const Tensors& x, bool) {
    auto [values, indices] = at::topk(x[0], k.at(0), axis, largest, true);
    return Tensors{values, indices};
  });
}

}  // namespace hedge::train::internal

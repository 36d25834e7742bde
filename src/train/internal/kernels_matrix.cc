#include "train/internal/kernel_parts.h"

namespace hedge::train::internal {

Result<Kernel> bind_gemm(const Node& node, const Graph&) {
  const double alpha = static_cast<double>(node.number("alpha", 1.0F));
  const double beta = static_cast<double>(node.number("beta", 1.0F));
  const bool trans_a = node.integer("transA", 0) != 0;
  const bool trans_b = node.integer("transB", 0) != 0;
  const bool plain = alpha == 1.0 && beta == 1.0 && !trans_a;
  return over(has_input(node, 2) ? 3 : 2, [=](const Tensors& x, bool) {
    const auto a = trans_a ? x[0].t() : x[0];
    if (plain && trans_b && (x.size() < 3 || x[2].dim() == 1))
      return Tensors{at::linear(a, x[1], x.size() > 2 ? c10::optional<torch::Tensor>(x[2]) : c10::nullopt)};
    auto y = at::matmul(a, trans_b ? x[1].t() : x[1]);
    if (alpha != 1.0) y = y * alpha;
    return Tensors{x.size() > 2 ? y + x[2] * beta : y};
  });
}

Result<Kernel> bind_reduce(const Node& node, const Graph& graph, Reduction reduce) {
  HEDGE_TRY(const auto axes, axes_of(node, graph));
  const bool keep = node.integer("keepdims", 1) != 0;
  const bool nothing = axes.empty() && node.integer("noop_with_empty_axes", 0) != 0;
  return over(1, [=](const Tensors& x, bool) {
    if (nothing) return Tensors{x[0]};
    Integers over_axes = axes;
    if (over_axes.empty())
      for (std::int64_t i = 0; i < x[0].dim(); ++i) over_axes.push_back(i);
    return Tensors{reduce(x[0], over_axes, keep)};
  });
}

}  // namespace hedge::train::internal

#include "infer/openvino/internal/cost.h"

#include <openvino/opsets/opset8.hpp>
#include <optional>

#include "infer/openvino/internal/walk.h"

namespace hedge::infer::internal {
namespace op = ov::opset8;

namespace {

/// The elements of one image; nothing where they are not known.
std::optional<std::int64_t> elements_an_image(const ov::PartialShape& shape) {
  if (shape.rank().is_dynamic()) return std::nullopt;
  std::int64_t count = 1;
  for (std::size_t i = 1; i < shape.size(); ++i) {
    if (shape[i].is_dynamic()) return std::nullopt;
    count *= shape[i].get_length();
  }
  return count;
}

/// Products that one element of the output, or of the input where the convolution is a transposed one, takes part in.
std::optional<std::int64_t> depth_of(const ov::Node& node) {
  const auto& w = node.get_input_partial_shape(1);
  if (const auto* product = ov::as_type<const op::MatMul>(&node)) {
    const auto& a = node.get_input_partial_shape(0);
    if (a.rank().is_dynamic() || a.size() < 1) return std::nullopt;
    const auto& depth = a[a.size() - (product->get_transpose_a() && a.size() > 1 ? 2 : 1)];
    return depth.is_static() ? std::optional(depth.get_length()) : std::nullopt;
  }
  if (w.is_dynamic()) return std::nullopt;
  const bool grouped = ov::is_type<op::GroupConvolution>(&node) || ov::is_type<op::GroupConvolutionBackpropData>(&node);
  std::int64_t depth = 1;
  for (std::size_t i = grouped ? 2 : 1; i < w.size(); ++i) depth *= w[i].get_length();
  return depth;
}

}  // namespace

std::int64_t count_macs(const std::shared_ptr<ov::Model>& model) {
  std::int64_t total = 0;
  const auto varying = varying_nodes(model);
  for (const auto& node : model->get_ordered_ops()) {
    if (varying.count(node.get()) == 0) continue;
    const bool backward = ov::is_type<op::ConvolutionBackpropData>(node) || ov::is_type<op::GroupConvolutionBackpropData>(node);
    if (!backward && !ov::is_type<op::Convolution>(node) && !ov::is_type<op::GroupConvolution>(node) && !ov::is_type<op::MatMul>(node))
      continue;
    const auto elements = elements_an_image(backward ? node->get_input_partial_shape(0) : node->get_output_partial_shape(0));
    const auto depth = depth_of(*node);
    if (!elements || !depth) return 0;
    total += *elements * *depth;
  }
  return total;
}

std::int64_t count_parameters(const std::shared_ptr<ov::Model>& model) {
  std::int64_t total = 0;
  const auto varying = varying_nodes(model);
  for (const auto& node : model->get_ordered_ops()) {
    if (!ov::is_type<op::Constant>(node)) continue;
    const auto& type = node->get_output_element_type(0);
    const auto size = static_cast<std::int64_t>(ov::shape_size(node->get_output_shape(0)));
    bool range = size <= 1 || !(type.is_real() || type.bitwidth() <= 8) || type == ov::element::boolean;
    for (const auto& target : node->output(0).get_target_inputs()) {
      const auto* user = target.get_node();
      // The scales of quantised weights stand beside their converted integers.
      const bool scales = ov::is_type<op::Multiply>(user) && target.get_index() == 1 && varying.count(user) == 0;
      range = range || scales || ov::is_type<op::FakeQuantize>(user);
    }
    if (!range) total += size;
  }
  return total;
}

}  // namespace hedge::infer::internal

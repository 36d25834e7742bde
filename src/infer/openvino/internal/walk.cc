#include "infer/openvino/internal/walk.h"

#include <openvino/opsets/opset8.hpp>

namespace hedge::infer::internal {
namespace op = ov::opset8;

std::unordered_set<const ov::Node*> varying_nodes(const std::shared_ptr<ov::Model>& model) {
  std::unordered_set<const ov::Node*> varying;
  for (const auto& node : model->get_ordered_ops()) {
    bool depends = ov::is_type<op::Parameter>(node);
    for (const auto& input : node->inputs()) depends = depends || varying.count(input.get_source_output().get_node()) > 0;
    if (depends) varying.insert(node.get());
  }
  return varying;
}

std::optional<double> constant_number(const ov::Output<ov::Node>& port) {
  auto node = port.get_node_shared_ptr();
  while (ov::is_type<op::Convert>(node)) node = node->get_input_node_shared_ptr(0);
  const auto constant = ov::as_type_ptr<op::Constant>(node);
  if (!constant || ov::shape_size(constant->get_shape()) != 1) return std::nullopt;
  return constant->cast_vector<double>().at(0);
}

}  // namespace hedge::infer::internal

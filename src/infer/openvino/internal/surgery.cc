#include "infer/openvino/internal/surgery.h"

#include <algorithm>
#include <map>
#include <openvino/opsets/opset8.hpp>

namespace hedge::infer::internal {
namespace op = ov::opset8;

namespace {

std::shared_ptr<ov::Node> result_source(const std::shared_ptr<ov::Model>& model, std::size_t output) {
  return model->get_results().at(output)->input_value(0).get_node_shared_ptr();
}

/// Replaces a pattern [1, …] by [-1, …] where the data's batch is dynamic and -1 is not yet taken.
bool free_batch_of(const std::shared_ptr<ov::Node>& node) {
  if (!ov::is_type<op::Reshape>(node)) return false;
  const auto& data = node->get_input_partial_shape(0);
  const auto pattern = ov::as_type_ptr<op::Constant>(node->get_input_node_shared_ptr(1));
  if (!pattern || data.rank().is_dynamic() || data.size() == 0 || data[0].is_static()) return false;
  auto dims = pattern->cast_vector<std::int64_t>();
  if (dims.empty() || dims[0] != 1 || std::count(dims.begin(), dims.end(), -1) > 0) return false;
  dims[0] = -1;
  node->input(1).replace_source_output(op::Constant::create(ov::element::i64, ov::Shape{dims.size()}, dims));
  node->validate_and_infer_types();
  return true;
}

bool is_constant(const ov::Output<ov::Node>& value) { return ov::is_type<op::Constant>(value.get_node()); }

/// What a node on constants computes: integers as reals, or weights that are quantised only when the model runs. Nothing of other nodes.
std::shared_ptr<ov::Node> as_floats(const std::shared_ptr<ov::Node>& node) {
  if (ov::is_type<op::Convert>(node) && is_constant(node->input_value(0)) && node->get_element_type().is_real() &&
      node->get_input_element_type(0).is_integral())
    return op::Constant::create(node->get_element_type(), node->get_shape(),
                                ov::as_type_ptr<op::Constant>(node->get_input_node_shared_ptr(0))->cast_vector<float>());
  const auto inputs = node->input_values();
  ov::OutputVector folded(1);
  if (!ov::is_type<op::FakeQuantize>(node) || !std::all_of(inputs.begin(), inputs.end(), is_constant) ||
      !node->constant_fold(folded, inputs))
    return nullptr;
  return folded[0].get_node_shared_ptr();
}

bool batch_is_dynamic(const ov::Output<ov::Node>& port) {
  const auto& shape = port.get_partial_shape();
  return shape.rank().is_static() && shape.size() > 0 && shape[0].is_dynamic();
}

}  // namespace

std::shared_ptr<ov::Model> with_dynamic_batch(const std::shared_ptr<ov::Model>& model) {
  auto copy = model->clone();
  std::map<ov::Output<ov::Node>, ov::PartialShape> shapes;
  bool fixed = false;
  for (const auto& input : copy->inputs()) {
    ov::PartialShape shape = input.get_partial_shape();
    if (shape.rank().is_dynamic() || shape.size() == 0) return model;
    if (shape[0].is_static() && shape[0].get_length() != 1) return model;
    fixed = fixed || shape[0].is_static();
    shape[0] = ov::Dimension::dynamic();
    shapes.emplace(input, shape);
  }
  if (!fixed) return model;
  try {
    copy->reshape(shapes);
    bool changed = false;
    for (const auto& node : copy->get_ordered_ops()) {
      node->validate_and_infer_types();  // its inputs may have become dynamic just now
      changed = free_batch_of(node) || changed;
    }
    if (changed) copy->validate_nodes_and_infer_types();
  } catch (const ov::Exception&) {
    return model;  // it holds to its batch: images go in one by one
  }
  for (const auto& output : copy->outputs())
    if (!batch_is_dynamic(output)) return model;
  return copy;
}

std::shared_ptr<ov::Model> with_real_outputs(const std::shared_ptr<ov::Model>& model) {
  for (std::size_t i = 0; i < model->get_results().size(); ++i) {
    const auto convert = ov::as_type_ptr<op::Convert>(result_source(model, i));
    if (!convert || convert->get_output_element_type(0).is_real()) continue;
    const auto quantize = ov::as_type_ptr<op::FakeQuantize>(convert->get_input_node_shared_ptr(0));
    if (!quantize) continue;
    const auto names = model->output(i).get_names();
    model->output(i).set_names({});
    auto real = quantize->input_value(0);
    model->get_results()[i]->input(0).replace_source_output(real);
    real.add_names(names);
  }
  model->validate_nodes_and_infer_types();
  ov::preprocess::PrePostProcessor processor(model);
  bool needed = false;
  for (std::size_t i = 0; i < model->outputs().size(); ++i) {
    const auto type = model->output(i).get_element_type();
    const bool convert = (type.is_real() && type != ov::element::f32) || type == ov::element::u8 || type == ov::element::i8;
    if (convert) processor.output(i).tensor().set_element_type(ov::element::f32);
    needed = needed || convert;
  }
  return needed ? processor.build() : model;
}

std::shared_ptr<ov::Model> with_f32_inputs(const std::shared_ptr<ov::Model>& model) {
  ov::preprocess::PrePostProcessor processor(model);
  bool needed = false;
  for (std::size_t i = 0; i < model->inputs().size(); ++i) {
    const auto type = model->input(i).get_element_type();
    if (!type.is_real() || type == ov::element::f32) continue;
    processor.input(i).tensor().set_element_type(ov::element::f32);
    needed = true;
  }
  return needed ? processor.build() : model;
}

bool is_quantised(const ov::Model& model) {
  const auto ops = model.get_ops();
  return std::any_of(ops.begin(), ops.end(), [](const auto& node) { return ov::is_type<op::FakeQuantize>(node); });
}

void weights_to_floats(const std::shared_ptr<ov::Model>& model) {
  for (const auto& node : model->get_ordered_ops())
    if (const auto floats = as_floats(node)) ov::replace_node(node, floats);
}

}  // namespace hedge::infer::internal

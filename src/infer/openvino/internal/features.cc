#include <openvino/opsets/opset8.hpp>

#include "infer/openvino/internal/convert.h"
#include "infer/openvino/internal/surgery.h"
#include "infer/openvino/internal/walk.h"

namespace hedge::infer::internal {
namespace op = ov::opset8;

namespace {

/// One value an image and feature: [N, F] or [N, F, 1, 1] (or [N, 1, 1, F]).
bool is_vector(const ov::PartialShape& shape) {
  if (shape.rank().is_dynamic() || shape.size() < 2) return false;
  int wide = 0;
  for (std::size_t i = 1; i < shape.size(); ++i) {
    if (shape[i].is_dynamic()) return false;
    wide += shape[i].get_length() > 1 ? 1 : 0;
  }
  return wide <= 1;
}

std::string candidates(const std::shared_ptr<ov::Model>& model) {
  constexpr std::size_t kMost = 8;
  std::vector<std::string> names;
  for (const auto& node : model->get_ordered_ops())
    for (const auto& port : node->outputs())
      if (!port.get_names().empty() && !ov::is_type<op::Constant>(node) && is_vector(port.get_partial_shape()))
        names.push_back(port.get_any_name());
  std::string text;
  for (std::size_t i = names.size() > kMost ? names.size() - kMost : 0; i < names.size(); ++i)
    text += (text.empty() ? "" : ", ") + names[i];
  return text.empty() ? "a tensor [N, F]" : "a tensor [N, F], such as " + text;
}

/// Walks up from the logits to the data of the last product with weights; an empty Output where the way forks or ends.
ov::Output<ov::Node> penultimate(const std::shared_ptr<ov::Model>& model, ov::Output<ov::Node> port) {
  auto varying = varying_nodes(model);
  // What was made for the logits is no part of the model yet.
  for (auto node = port.get_node(); varying.count(node) == 0 && node->get_input_size() > 0; node = node->get_input_node_ptr(0))
    varying.insert(node);
  while (true) {
    auto* node = port.get_node();
    const bool product = ov::is_type<op::MatMul>(node) || ov::is_type<op::Convolution>(node);
    std::vector<ov::Output<ov::Node>> data;
    for (const auto& input : node->inputs())
      if (varying.count(input.get_source_output().get_node()) > 0) data.push_back(input.get_source_output());
    if (data.size() != 1) return {};
    if (product) return is_vector(data[0].get_partial_shape()) ? data[0] : ov::Output<ov::Node>{};
    port = data[0];
  }
}

ov::Output<ov::Node> find_tensor(const std::shared_ptr<ov::Model>& model, const std::string& name) {
  for (const auto& node : model->get_ops())
    for (const auto& port : node->outputs())
      if (!ov::is_type<op::Result>(node) && port.get_names().count(name) > 0) return port;
  return {};
}

}  // namespace

bool has_tensor(const std::shared_ptr<ov::Model>& model, const std::string& name) { return find_tensor(model, name).get_node() != nullptr; }

Status add_features(const std::shared_ptr<ov::Model>& model, const std::string& name, const ov::Output<ov::Node>& logits) {
  for (const auto& output : model->outputs())
    if (output.get_names().count("features") > 0 && (name.empty() || name == "features")) return {};
  auto tensor = name.empty() ? penultimate(model, logits) : find_tensor(model, name);
  if (tensor.get_node() == nullptr)
    return Error{.code = ErrorCode::kNotFound,
                 .what = name.empty() ? "no penultimate tensor was found" : "no tensor of the features' name",
                 .got = name,
                 .expected = candidates(model),
                 .hint = "name the feature tensor"};
  if (!is_vector(tensor.get_partial_shape()))
    return Error{.code = ErrorCode::kNotFound,
                 .what = "the feature tensor is not one vector per image",
                 .where = name,
                 .got = tensor.get_partial_shape().to_string(),
                 .expected = candidates(model)};
  if (auto taken = find_tensor(model, "features"); taken.get_node() != nullptr) {
    auto names = taken.get_names();
    names.erase("features");
    taken.set_names(names);
  }
  // [0, -1]: the batch as it comes, the rest flat; a copy of its own, so that the tensor may be an output already.
  auto pattern = op::Constant::create(ov::element::i64, ov::Shape{2}, {0, -1});
  auto flat = std::make_shared<op::Reshape>(tensor, pattern, true);
  flat->set_friendly_name("features");
  flat->output(0).set_names({"features"});
  model->add_results({std::make_shared<op::Result>(flat)});
  model->validate_nodes_and_infer_types();
  return {};
}

}  // namespace hedge::infer::internal

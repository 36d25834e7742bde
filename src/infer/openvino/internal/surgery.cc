#include "infer/openvino/internal/surgery.h"

#include <map>
#include <openvino/opsets/opset8.hpp>
#include <optional>

#include "hedge/tensor.h"
#include "infer/openvino/internal/convert.h"

namespace hedge::infer::internal {
namespace op = ov::opset8;

namespace {

/// The axes of an image input: where the channels are.
enum class ImageLayout { kNchw, kNhwc };

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

std::shared_ptr<ov::Model> with_named_logits(const std::shared_ptr<ov::Model>& model, bool drop_softmax) {
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < model->outputs().size(); ++i) {
    const auto& port = model->output(i);
    if (port.get_names().count("logits") > 0) return model;
    if (port.get_partial_shape().rank() != 2 || port.get_element_type() != ov::element::f32) continue;
    if (found || port.get_partial_shape()[1] == 1) return model;  // one column is a score
    found = i;
  }
  if (!found) return model;
  auto source = result_source(model, *found);
  while (source->get_input_size() == 1 && std::string_view(source->get_type_name()) == "Identity")
    source = source->get_input_node_shared_ptr(0);
  const bool softmax = ov::is_type<op::Softmax>(source) || ov::is_type<ov::op::v1::Softmax>(source);
  if (softmax && !drop_softmax) return model;
  if (softmax) {
    model->output(*found).set_names({});
    model->get_results()[*found]->input(0).replace_source_output(source->input_value(0));
  }
  if (has_tensor(model, "logits")) return model;
  model->output(*found).set_names({"logits"});
  model->validate_nodes_and_infer_types();
  return model;
}

namespace {

/// The model of integer images [N, H, W, C] for u8 ones. Its quantisation holds its normalisation: u8 go in as they are, i8 are the
/// same values less 128, as TensorFlow's converter makes them.
std::shared_ptr<ov::Model> with_u8_images(const std::shared_ptr<ov::Model>& model) {
  if (model->input(0).get_element_type() == ov::element::u8) return model;
  ov::preprocess::PrePostProcessor processor(model);
  processor.input().tensor().set_element_type(ov::element::u8);
  processor.input().preprocess().convert_element_type(ov::element::f32).mean(128.0F).convert_element_type(ov::element::i8);
  return processor.build();
}

bool takes_integer_images(const ov::Output<ov::Node>& input, std::int64_t channels) {
  const auto& shape = input.get_partial_shape();
  const auto type = input.get_element_type();
  return (type == ov::element::u8 || type == ov::element::i8) && shape.rank() == 4 && shape[3] == channels;
}

}  // namespace

Result<std::shared_ptr<ov::Model>> with_normalization(const std::shared_ptr<ov::Model>& model, const Normalization& normalization) {
  const auto unsupported = [&](const std::string& got) {
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "preprocessing cannot be folded into this model",
                 .got = got,
                 .expected = "one f32 input [N, C, H, W] or [N, H, W, C], or a u8 or i8 one [N, H, W, C]"};
  };
  if (model->inputs().size() != 1) return unsupported(std::to_string(model->inputs().size()) + " inputs");
  const auto input = model->input(0);
  if (takes_integer_images(input, static_cast<std::int64_t>(normalization.mean.size()))) return with_u8_images(model);
  const auto& shape = input.get_partial_shape();
  if (shape.rank() != 4 || input.get_element_type() != ov::element::f32)
    return unsupported(input.get_element_type().get_type_name() + " " + shape.to_string());
  const auto channels = static_cast<std::int64_t>(normalization.mean.size());
  if (channels == 0 || normalization.std.size() != normalization.mean.size() ||
      std::any_of(normalization.std.begin(), normalization.std.end(), [](float s) { return !(s > 0); }))
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "the normalization is not usable",
                 .got = std::to_string(normalization.mean.size()) + " means, " + std::to_string(normalization.std.size()) + " deviations",
                 .expected = "as many of both as channels, deviations > 0"};
  // NCHW is this project's; NHWC only where the shape leaves no doubt (a .tflite).
  const auto layout = shape[1] == channels || shape[1].is_dynamic() ? ImageLayout::kNchw : ImageLayout::kNhwc;
  if (layout == ImageLayout::kNhwc && shape[3] != channels)
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "the normalization has other channels than the model's input",
                 .got = std::to_string(channels),
                 .expected = shape.to_string()};
  ov::preprocess::PrePostProcessor processor(model);
  processor.input().tensor().set_element_type(ov::element::u8).set_layout("NHWC");
  processor.input().model().set_layout(layout == ImageLayout::kNchw ? "NCHW" : "NHWC");
  std::vector<float> mean;
  std::vector<float> scale;
  for (std::size_t c = 0; c < normalization.mean.size(); ++c) {  // (x/255 - m)/s = (x - 255 m)/(255 s)
    mean.push_back(255.0F * normalization.mean[c]);
    scale.push_back(255.0F * normalization.std[c]);
  }
  processor.input().preprocess().convert_element_type(ov::element::f32).mean(mean).scale(scale);
  return processor.build();
}

}  // namespace hedge::infer::internal

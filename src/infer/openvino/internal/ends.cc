#include "infer/openvino/internal/ends.h"

#include <algorithm>
#include <initializer_list>
#include <openvino/opsets/opset8.hpp>
#include <optional>

#include "infer/openvino/internal/walk.h"

namespace hedge::infer::internal {
namespace op = ov::opset8;

namespace {

using graph::End;
using Port = ov::Output<ov::Node>;

constexpr float kLeastProbability = 1e-30F;  // a normal f32; its logarithm is -69
constexpr double kNearlyNone = 0.01;         // bounds that keep probabilities off 0 and 1 are nearer to them than this

/// An operator that makes logits something else.
struct Found {
  End end = End::kUnknown;
  std::string op;
  Port logits;
  std::optional<std::int64_t> axis = {};  ///< nothing: it is written out, along the classes
};

/// Reshapes, or picks and orders: the numbers stay what they are.
bool reshapes(const ov::Node& node) {
  if (ov::is_type<op::Convert>(&node)) return node.get_output_element_type(0).is_real() && node.get_input_element_type(0).is_real();
  const std::string type = node.get_type_name();
  constexpr const char* kTypes[] = {"Reshape", "Squeeze", "Unsqueeze", "Transpose", "Identity", "StridedSlice", "Slice", "Gather"};
  return std::any_of(std::begin(kTypes), std::end(kTypes), [&](const char* one) { return type == one; });
}

/// Changes the numbers but neither their order nor what they mean: rounding, a positive factor, a shift, bounds close to 0 and 1.
bool rounds(const ov::Node& node) {
  if (ov::is_type<op::Convert>(&node) || ov::is_type<op::FakeQuantize>(&node)) return true;
  if (ov::is_type<op::Multiply>(&node) || ov::is_type<op::Divide>(&node)) return constant_number(node.input_value(1)).value_or(0) > 0;
  if (ov::is_type<op::Subtract>(&node)) return constant_number(node.input_value(1)).has_value();
  const auto* clamp = ov::as_type<const op::Clamp>(&node);
  return clamp != nullptr && clamp->get_min() < kNearlyNone && clamp->get_max() > 1 - kNearlyNone;
}

/// x of x - max x: a softmax is the same of both.
Port unshifted(const Port& port) {
  const auto* shifted = ov::as_type<op::Subtract>(port.get_node());
  if (shifted == nullptr) return port;
  const auto most = shifted->input_value(1);
  const bool by_max = ov::is_type<op::ReduceMax>(most.get_node()) && most.get_node()->input_value(0) == shifted->input_value(0);
  return by_max ? shifted->input_value(0) : port;
}

/// A sum over all that an image has in `port`.
bool sums_all(const ov::Node* sum, const Port& port) {
  if (!ov::is_type<op::ReduceSum>(sum) || sum->input_value(0) != port) return false;
  const auto& shape = sum->get_output_partial_shape(0);
  if (shape.rank().is_dynamic() || shape.rank() != port.get_partial_shape().rank()) return false;
  return std::all_of(shape.begin() + 1, shape.end(), [](const auto& size) { return size == 1; });
}

std::optional<Found> written_out_softmax(ov::Node* node) {
  const auto first = node->input_value(0);
  const auto* second = node->get_input_node_ptr(1);
  if (ov::is_type<op::Divide>(node) && ov::is_type<op::Exp>(first.get_node()) && sums_all(second, first))
    return Found{.end = End::kProbabilities, .op = "Softmax", .logits = unshifted(first.get_node()->input_value(0))};
  if (!ov::is_type<op::Subtract>(node) || !ov::is_type<op::Log>(second)) return std::nullopt;
  const auto* sum = second->get_input_node_ptr(0);
  if (sum->get_input_size() == 0) return std::nullopt;
  const auto exp = sum->input_value(0);
  if (!ov::is_type<op::Exp>(exp.get_node()) || exp.get_node()->input_value(0) != first || !sums_all(sum, exp)) return std::nullopt;
  return Found{.end = End::kLogProbabilities, .op = "LogSoftmax", .logits = unshifted(first)};
}

/// 1 / (1 + Exp(-x))
std::optional<Found> written_out_sigmoid(ov::Node* node) {
  if (!ov::is_type<op::Divide>(node) || constant_number(node->input_value(0)) != 1.0) return std::nullopt;
  const auto* sum = node->get_input_node_ptr(1);
  if (!ov::is_type<op::Add>(sum)) return std::nullopt;
  for (const std::size_t i : {0, 1}) {
    const auto* exp = sum->get_input_node_ptr(i);
    if (constant_number(sum->input_value(1 - i)) != 1.0 || !ov::is_type<op::Exp>(exp)) continue;
    if (auto* negative = exp->get_input_node_ptr(0); ov::is_type<op::Negative>(negative))
      return Found{.end = End::kSigmoid, .op = "Sigmoid", .logits = negative->input_value(0)};
  }
  return std::nullopt;
}

std::optional<Found> end_at(ov::Node* node) {
  if (const auto* softmax = ov::as_type<op::Softmax>(node))
    return Found{.end = End::kProbabilities, .op = "Softmax", .logits = node->input_value(0), .axis = softmax->get_axis()};
  if (const auto* old = ov::as_type<ov::op::v1::Softmax>(node))
    return Found{
        .end = End::kProbabilities, .op = "Softmax", .logits = node->input_value(0), .axis = static_cast<std::int64_t>(old->get_axis())};
  if (const auto* log = ov::as_type<op::LogSoftmax>(node))
    return Found{.end = End::kLogProbabilities, .op = "LogSoftmax", .logits = node->input_value(0), .axis = log->get_axis()};
  if (ov::is_type<op::Sigmoid>(node)) return Found{.end = End::kSigmoid, .op = "Sigmoid", .logits = node->input_value(0)};
  if (node->get_input_size() != 2) return std::nullopt;
  if (auto found = written_out_softmax(node)) return found;
  return written_out_sigmoid(node);
}

/// What ends the classifier, and the nodes between it and the output that reshape, from the output on.
struct Walk {
  std::optional<Found> found;
  std::vector<ov::Node*> reshaping;
};

Walk walk_up(Port port) {
  Walk walk;
  bool logarithm = false;
  while (true) {
    auto* node = port.get_node();
    walk.found = end_at(node);
    if (walk.found && logarithm && walk.found->end != End::kProbabilities) return {};
    if (walk.found && logarithm) walk.found->end = End::kLogProbabilities;
    if (walk.found) return walk;
    if (reshapes(*node)) {
      walk.reshaping.push_back(node);
    } else if (ov::is_type<op::Log>(node) && !logarithm) {
      logarithm = true;
    } else if (!rounds(*node)) {
      return {};
    }
    port = node->input_value(0);
  }
}

/// Whether the numbers are a product with weights, up to a bias, reshaping and rounding.
bool is_product(Port port, const std::unordered_set<const ov::Node*>& varying) {
  while (true) {
    auto* node = port.get_node();
    if (ov::is_type<op::MatMul>(node) || ov::is_type<op::Convolution>(node) || ov::is_type<op::GroupConvolution>(node)) return true;
    if (node->get_input_size() == 0) return false;
    std::size_t data = 0;
    if (ov::is_type<op::Add>(node) || ov::is_type<op::Subtract>(node)) {
      const bool first = varying.count(node->get_input_node_ptr(0)) > 0;
      if (first == (varying.count(node->get_input_node_ptr(1)) > 0)) return false;
      data = first ? 0 : 1;
    } else if (!reshapes(*node) && !rounds(*node)) {
      return false;
    }
    port = node->input_value(data);
  }
}

/// C of [N, C], also with sizes of 1 around it, 1 of [N]; 0: dynamic; nothing: another form.
std::optional<std::int64_t> class_width(const Port& port) {
  const auto& shape = port.get_partial_shape();
  if (port.get_element_type() != ov::element::f32 || shape.rank().is_dynamic() || shape.size() == 0) return std::nullopt;
  std::int64_t width = 1;
  for (std::size_t i = 1; i < shape.size(); ++i) {
    if (shape[i].is_static() && shape[i].get_length() == 1) continue;
    if (width != 1) return std::nullopt;
    width = shape[i].is_static() ? shape[i].get_length() : 0;
  }
  return width;
}

std::string list(const std::shared_ptr<ov::Model>& model) {
  std::string text;
  for (const auto& port : model->outputs())
    text +=
        (text.empty() ? "" : ", ") + name_of(port) + " " + port.get_element_type().get_type_name() + port.get_partial_shape().to_string();
  return text;
}

Error no_output(const std::shared_ptr<ov::Model>& model, const std::string& wanted, bool several) {
  return {.code = several ? ErrorCode::kUnsupported : ErrorCode::kNotFound,
          .what = several ? "several outputs may be the classes" : "no output gives the classes",
          .got = list(model),
          .expected = wanted.empty() ? "one f32 output [N, classes]" : "an f32 output [N, classes] called " + wanted,
          .hint = "name the output (--output, --base-output, --global-output, or \"output\" in MODEL.hedge.json)"};
}

Result<std::size_t> choose_output(const std::shared_ptr<ov::Model>& model, const std::string& wanted) {
  const auto& outputs = model->outputs();
  std::vector<std::size_t> wide, narrow;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const auto width = class_width(outputs[i]);
    if (outputs[i].get_names().count(wanted.empty() ? "logits" : wanted) > 0 || (!wanted.empty() && name_of(outputs[i]) == wanted)) {
      if (!width) return no_output(model, wanted.empty() ? "logits" : wanted, false);
      return i;
    }
    if (width) (*width == 1 ? narrow : wide).push_back(i);
  }
  if (!wanted.empty()) return no_output(model, wanted, false);
  const auto& fitting = wide.empty() ? narrow : wide;
  if (fitting.size() == 1) return fitting[0];
  return no_output(model, wanted, fitting.size() > 1);
}

/// A softmax must work along the classes: a softmax over images, or over groups of outputs, has no logits of a class.
Status check_axis(const Found& found, const std::string& name) {
  const auto& shape = found.logits.get_partial_shape();
  if (found.end == End::kSigmoid || shape.rank().is_dynamic()) return {};
  const auto rank = static_cast<std::int64_t>(shape.size());
  std::int64_t classes = -1;
  std::int64_t wide = 0;
  for (std::int64_t i = 1; i < rank; ++i)
    if (shape[static_cast<std::size_t>(i)] != 1) {
      classes = i;
      ++wide;
    }
  const auto axis = found.axis ? (*found.axis < 0 ? *found.axis + rank : *found.axis) : classes;
  if (wide == 1 && axis == classes) return {};
  return Error{.code = ErrorCode::kUnsupported,
               .what = "the model's " + found.op + " does not work along the classes",
               .where = name,
               .got = "axis " + std::to_string(axis) + " of " + shape.to_string(),
               .expected = "the axis of the classes",
               .hint = "export the model without it, or with the right axis"};
}

/// [N, C] of whatever has C values an image.
Port flat(const Port& port) {
  if (port.get_partial_shape().rank() == 2) return port;
  const auto pattern = op::Constant::create(ov::element::i64, ov::Shape{2}, {0, -1});
  if (port.get_partial_shape().size() > 2) return std::make_shared<op::Reshape>(port, pattern, true);
  return std::make_shared<op::Unsqueeze>(port, op::Constant::create(ov::element::i64, ov::Shape{1}, {1}));
}

}  // namespace

std::string name_of(const ov::Output<ov::Node>& port) {
  const auto& names = port.get_names();
  if (names.empty()) return port.get_node()->get_friendly_name();
  return names.count("logits") > 0 ? "logits" : *std::min_element(names.begin(), names.end());
}

Result<ClassEnd> find_class_end(const std::shared_ptr<ov::Model>& model, const std::string& wanted) {
  ClassEnd end;
  HEDGE_TRY(end.output, choose_output(model, wanted));
  const auto port = model->output(end.output);
  end.name = name_of(port);
  const auto source = model->get_results().at(end.output)->input_value(0);
  Walk walk = walk_up(source);
  Port values = source;
  if (walk.found) {
    HEDGE_CHECK(check_axis(*walk.found, end.name));
    end.end = walk.found->end;
    end.made_by = walk.found->op;
    values = walk.found->logits;
    for (auto node = walk.reshaping.rbegin(); node != walk.reshaping.rend(); ++node) {
      auto inputs = (*node)->input_values();
      inputs[0] = values;
      values = (*node)->clone_with_new_inputs(inputs)->output(0);
    }
  } else if (is_product(source, varying_nodes(model))) {
    end.end = End::kLogits;
  }
  end.values = flat(values);
  end.width = class_width(end.values).value_or(0);
  return end;
}

ov::Output<ov::Node> back_to_logits(const ov::Output<ov::Node>& values, graph::End end) {
  const auto number = [](float value) { return op::Constant::create(ov::element::f32, ov::Shape{}, {value}); };
  const auto log = [&](const Port& p) -> Port {
    return std::make_shared<op::Log>(std::make_shared<op::Maximum>(p, number(kLeastProbability)));
  };
  if (end == End::kProbabilities) return log(values);
  if (end != End::kSigmoid) return values;
  return std::make_shared<op::Subtract>(log(values), log(std::make_shared<op::Subtract>(number(1), values)));
}

ov::Output<ov::Node> two_classes(const ov::Output<ov::Node>& logit) {
  const auto weights = op::Constant::create(ov::element::f32, ov::Shape{1, 2}, std::vector<float>{0, 1});
  return std::make_shared<op::MatMul>(logit, weights);
}

void set_output(const std::shared_ptr<ov::Model>& model, const ClassEnd& end, const ov::Output<ov::Node>& logits) {
  model->get_results().at(end.output)->input(0).replace_source_output(logits);
  model->validate_nodes_and_infer_types();
}

}  // namespace hedge::infer::internal

#include <algorithm>

#include "graph/onnx/internal/reader.h"

namespace hedge::graph::internal {
namespace {

constexpr std::int64_t kSoftmaxByAxis = 13;  // the opset from which Softmax works along one axis

bool one_of(const std::string& op, std::initializer_list<const char*> ops) {
  return std::any_of(ops.begin(), ops.end(), [&](const char* o) { return op == o; });
}

}  // namespace

void Reader::append_constant(Node& node, const std::string& key, std::size_t at, Tensor value) {
  std::string name = node.name + "." + key;
  while (!tensors_.insert(name).second) name += "_";
  if (node.inputs.size() <= at) node.inputs.resize(at + 1);
  node.inputs[at] = name;
  graph_.initializers.emplace(std::move(name), std::move(value));
  node.attributes.erase(key);
}

void Reader::list_to_input(Node& node, const std::string& key, std::size_t at) {
  const auto found = node.attributes.find(key);
  if (found == node.attributes.end() || !std::holds_alternative<std::vector<std::int64_t>>(found->second)) return;
  const auto values = std::get<std::vector<std::int64_t>>(found->second);
  append_constant(node, key, at, Tensor::of<std::int64_t>({static_cast<std::int64_t>(values.size())}, values));
}

void Reader::integer_to_input(Node& node, const std::string& key, std::size_t at) {
  const auto found = node.attributes.find(key);
  if (found == node.attributes.end() || !std::holds_alternative<std::int64_t>(found->second)) return;
  const std::vector<std::int64_t> value = {std::get<std::int64_t>(found->second)};
  append_constant(node, key, at, Tensor::of<std::int64_t>({1}, value));
}

void Reader::number_to_input(Node& node, const std::string& key, std::size_t at) {
  const auto found = node.attributes.find(key);
  if (found == node.attributes.end() || !std::holds_alternative<float>(found->second)) return;
  const float value = std::get<float>(found->second);
  append_constant(node, key, at, Tensor::of<float>({}, std::vector<float>{value}));
}

Status Reader::axes_to_attribute(Node& node) {
  const bool no_op = node.integer("noop_with_empty_axes", 0) != 0;
  node.attributes.erase("noop_with_empty_axes");
  if (node.inputs.size() == 2 && !node.inputs[1].empty()) {
    const auto found = graph_.initializers.find(node.inputs[1]);
    auto axes = found != graph_.initializers.end() ? integers_of(found->second)
                                                   : Error{.code = ErrorCode::kUnsupported, .what = "axes that are computed, not constant"};
    if (!axes) {
      Error error = std::move(axes).error();
      error.where = "node " + node.name + " (" + node.op + "), tensor " + node.inputs[1];
      return error;
    }
    node.attributes["axes"] = *axes;
    node.inputs.resize(1);
  }
  if (no_op && node.integers("axes", {}).empty()) {
    node.op = "Identity";
    node.attributes.clear();
  }
  return {};
}

/// Lists and numbers that were attributes: Slice and TopK before opset 10, Pad and Clip before 11, Dropout before 12, axes before 13.
void Reader::normalize_old(Node& node) {
  if (one_of(node.op, {"Squeeze", "Unsqueeze", "ReduceSum"})) list_to_input(node, "axes", 1);
  if (node.op == "Slice") {
    list_to_input(node, "starts", 1);
    list_to_input(node, "ends", 2);
    list_to_input(node, "axes", 3);
  }
  if (node.op == "TopK") integer_to_input(node, "k", 1);
  if (node.op == "Pad") {
    list_to_input(node, "pads", 1);
    if (node.inputs.size() == 2) number_to_input(node, "value", 2);
  }
  if (node.op == "Clip") {
    number_to_input(node, "min", 1);
    number_to_input(node, "max", 2);
  }
  if (node.op == "Dropout") number_to_input(node, "ratio", 1);
  if (node.op == "BatchNormalization" && node.integer("spatial", 0) == 1) node.attributes.erase("spatial");
}

/// Attributes of opset 18 and later, where they say what opset 17 does anyway.
void Reader::normalize_new(Node& node) {
  if (node.op == "Cast") {  // of 8-bit floats only
    node.attributes.erase("saturate");
    node.attributes.erase("round_mode");
  }
  if (one_of(node.op, {"QuantizeLinear", "DequantizeLinear"})) {
    node.attributes.erase("saturate");  // of 8-bit floats only
    for (const char* key : {"block_size", "output_dtype", "precision"})
      if (node.integer(key, -1) == 0) node.attributes.erase(key);
  }
  if (node.op == "AveragePool") {
    const auto dilations = node.integers("dilations", {1, 1});
    if (std::all_of(dilations.begin(), dilations.end(), [](auto d) { return d == 1; })) node.attributes.erase("dilations");
  }
}

Status Reader::normalize(Node& node) {
  if (one_of(node.op, {"Softmax", "LogSoftmax"}) && opset_ < kSoftmaxByAxis) {
    node.attributes.try_emplace("axis", std::int64_t{1});
    if (!node.outputs.empty()) old_softmax_.push_back(node.outputs.front());
  }
  if (one_of(node.op, {"ReduceMean", "ReduceMax", "ReduceLogSumExp"})) HEDGE_CHECK(axes_to_attribute(node));
  normalize_old(node);
  normalize_new(node);
  if (node.op == "Pad" && node.inputs.size() > 3)
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "Pad with a list of axes",
                 .where = "node " + node.name + " (Pad)",
                 .hint = "export with opset 17 or earlier"};
  return {};
}

}  // namespace hedge::graph::internal

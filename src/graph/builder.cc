#include "graph/builder.h"

#include <cctype>

#include "graph/operators.h"

namespace hedge::graph {
namespace {

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace

Builder::Builder(std::string name) { graph_.name = std::move(name); }

std::string Builder::unique(const std::string& wanted) {
  std::string name = wanted;
  for (int n = 1; !taken_.insert(name).second; ++n) name = wanted + "_" + std::to_string(n);
  return name;
}

std::string Builder::input(const std::string& name, DType dtype, Shape shape) {
  graph_.inputs.push_back({unique(name), dtype, std::move(shape)});
  return graph_.inputs.back().name;
}

std::string Builder::constant(const std::string& name, Tensor value) {
  std::string made = unique(name);
  graph_.initializers.emplace(made, std::move(value));
  return made;
}

std::string Builder::scalar(const std::string& name, float value) {
  return constant(name, Tensor::of<float>({}, std::vector<float>{value}));
}

std::string Builder::integers(const std::string& name, const std::vector<std::int64_t>& values) {
  return constant(name, Tensor::of<std::int64_t>({static_cast<std::int64_t>(values.size())}, values));
}

std::vector<std::string> Builder::add_node(const std::string& op, std::vector<std::string> inputs, Attributes attributes,
                                           std::size_t outputs, const std::string& name) {
  Node node;
  node.name = unique(name.empty() ? lower(op) : name);
  node.op = op;
  node.inputs = std::move(inputs);
  node.attributes = std::move(attributes);
  node.outputs.push_back(node.name);
  for (std::size_t i = 1; i < outputs; ++i) node.outputs.push_back(unique(node.name + ":" + std::to_string(i)));
  graph_.nodes.push_back(std::move(node));
  return graph_.nodes.back().outputs;
}

std::string Builder::op(const std::string& op, std::vector<std::string> inputs, Attributes attributes, const std::string& name) {
  return add_node(op, std::move(inputs), std::move(attributes), 1, name).front();
}

void Builder::output(const std::string& tensor, const std::string& name) {
  const std::string made = name.empty() || name == tensor ? tensor : op("Identity", {tensor}, {}, name);
  graph_.outputs.push_back({made, DType::kF32, {}});
}

void Builder::metadata(const std::string& key, std::string value) { graph_.metadata[key] = std::move(value); }

Result<Graph> Builder::build() && {
  HEDGE_TRY(const auto tensors, infer_shapes(graph_));
  for (Value& output : graph_.outputs) {
    const auto found = tensors.find(output.name);
    if (found == tensors.end())
      return Error{.code = ErrorCode::kNotFound,
                   .what = "an output that nothing makes",
                   .where = "graph " + graph_.name + ", tensor " + output.name};
    output.dtype = found->second.dtype;
    output.shape = found->second.shape;
  }
  HEDGE_CHECK(validate(graph_));
  return std::move(graph_);
}

}  // namespace hedge::graph

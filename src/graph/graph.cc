#include "graph/graph.h"

#include <algorithm>

namespace hedge::graph {
namespace {

template <typename T>
const T* attribute(const Node& node, const std::string& key) {
  const auto found = node.attributes.find(key);
  return found == node.attributes.end() ? nullptr : std::get_if<T>(&found->second);
}

}  // namespace

std::int64_t Node::integer(const std::string& key, std::int64_t otherwise) const {
  const auto* value = attribute<std::int64_t>(*this, key);
  return value != nullptr ? *value : otherwise;
}

float Node::number(const std::string& key, float otherwise) const {
  const auto* value = attribute<float>(*this, key);
  return value != nullptr ? *value : otherwise;
}

std::string Node::text(const std::string& key, const std::string& otherwise) const {
  const auto* value = attribute<std::string>(*this, key);
  return value != nullptr ? *value : otherwise;
}

std::vector<std::int64_t> Node::integers(const std::string& key, std::vector<std::int64_t> otherwise) const {
  const auto* value = attribute<std::vector<std::int64_t>>(*this, key);
  return value != nullptr ? *value : std::move(otherwise);
}

const Node* Graph::producer(std::string_view tensor) const {
  if (tensor.empty()) return nullptr;
  for (const Node& node : nodes)
    if (std::find(node.outputs.begin(), node.outputs.end(), tensor) != node.outputs.end()) return &node;
  return nullptr;
}

std::int64_t Graph::num_parameters() const {
  std::int64_t count = 0;
  for (const auto& [name, tensor] : initializers)
    if (tensor.dtype() == DType::kF32) count += tensor.num_elements();
  return count;
}

Result<std::vector<std::int64_t>> integers_of(const Tensor& tensor) {
  if (tensor.dtype() == DType::kI64) {
    const auto values = tensor.data<std::int64_t>();
    return std::vector<std::int64_t>(values.begin(), values.end());
  }
  if (tensor.dtype() == DType::kI32) {
    const auto values = tensor.data<std::int32_t>();
    return std::vector<std::int64_t>(values.begin(), values.end());
  }
  return Error{
      .code = ErrorCode::kMismatch, .what = "a list of integers is needed", .got = to_string(tensor.dtype()), .expected = "i64 or i32"};
}

}  // namespace hedge::graph

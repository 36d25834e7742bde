#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "hedge/result.h"
#include "hedge/tensor.h"

namespace hedge::graph {

/// An ONNX attribute, of the kinds the operator table uses.
using Attribute = std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>, std::vector<float>, Tensor>;

/// One operation. An optional input that is left out is the empty string, as in ONNX.
struct Node {
  std::string name;
  std::string op;  ///< the ONNX operator's name, e.g. "Conv"; the operator table says which exist
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::map<std::string, Attribute> attributes;

  [[nodiscard]] std::int64_t integer(const std::string& key, std::int64_t otherwise) const;
  [[nodiscard]] float number(const std::string& key, float otherwise) const;
  [[nodiscard]] std::string text(const std::string& key, const std::string& otherwise) const;
  [[nodiscard]] std::vector<std::int64_t> integers(const std::string& key, std::vector<std::int64_t> otherwise) const;
};

/// A graph input or output; -1 is a dynamic dimension.
struct Value {
  std::string name;
  DType dtype = DType::kF32;
  Shape shape;
};

/// An ONNX model as a value: nodes in topological order, tensors named as in ONNX, weights as initializers.
///
/// Metadata is the model's metadata_props. Keys of this project (docs/formats/model.md): "hedge.preprocess" (the recipe,
/// JSON), "hedge.features" (name of the penultimate tensor [N, F]), "hedge.labels" (JSON array of class names).
struct Graph {
  std::string name;
  std::int64_t opset = 17;
  std::vector<Value> inputs;  ///< without the initializers
  std::vector<Value> outputs;
  std::vector<Node> nodes;  ///< topological order
  std::map<std::string, Tensor> initializers;
  std::map<std::string, std::string> metadata;

  /// The node that makes `tensor`, or nullptr (an input, an initializer, or unknown).
  [[nodiscard]] const Node* producer(std::string_view tensor) const;
  /// Sum of the initializers' elements of float type.
  [[nodiscard]] std::int64_t num_parameters() const;
};

/// The elements of an i64 or i32 tensor in row-major order (axes, shapes, indices). Errors: kMismatch another type.
Result<std::vector<std::int64_t>> integers_of(const Tensor& tensor);

inline constexpr const char* kPreprocessKey = "hedge.preprocess";
inline constexpr const char* kFeaturesKey = "hedge.features";
inline constexpr const char* kLabelsKey = "hedge.labels";
inline constexpr const char* kTrainedOnKey = "hedge.trained_on";           ///< canonical data-set specification
inline constexpr const char* kTrainedOnHashKey = "hedge.trained_on_hash";  ///< that data set's content hash
inline constexpr const char* kTrainingKey = "hedge.training";              ///< JSON: the recipe and the options of the training
inline constexpr const char* kSupernetKey = "hedge.supernet";              ///< the largest network whose weights these are (once_for_all.h)
inline constexpr const char* kSupernetWidthsKey = "hedge.supernet_widths";  ///< widths that were trained, the largest first, with commas
inline constexpr const char* kSubNetworkKey = "hedge.sub_network";          ///< which network of a supernet this is

}  // namespace hedge::graph

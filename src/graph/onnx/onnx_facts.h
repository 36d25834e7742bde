#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hedge/result.h"
#include "hedge/tensor.h"

namespace hedge::graph {

/// An input or output as an ONNX file declares it.
struct OnnxPort {
  std::string name;
  std::optional<DType> dtype;  ///< nothing: not said, or a type outside DType
  Shape shape;                 ///< -1: dynamic; empty: not said
};

/// What an ONNX file says of itself, whatever its operators, opset and weights: so much is known even of a file that parse_onnx refuses.
struct OnnxFacts {
  std::map<std::string, std::string> metadata;
  std::vector<OnnxPort> inputs;  ///< without the initializers
  std::vector<OnnxPort> outputs;
  std::map<std::string, std::string> made_by;  ///< an output's name -> the operator that makes it, Identity aside
  std::vector<std::string> weight_files;       ///< files that hold weights ("external data"), as the model names them: sorted, each once
};

/// Errors: kBadFormat (not ONNX, or truncated); kUnsupported (larger than 2 GiB).
Result<OnnxFacts> read_onnx_facts(std::string_view bytes, std::string_view where);

}  // namespace hedge::graph

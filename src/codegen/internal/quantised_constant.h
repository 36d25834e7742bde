#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "hedge/result.h"

namespace hedge::codegen::internal {

/// A constant behind a DequantizeLinear: integers and their scales (one, or one an index of `axis`).
struct QuantisedConstant {
  const Tensor* values = nullptr;  ///< borrowed from the graph
  std::vector<float> scales;
  std::vector<std::int32_t> zero_points;  ///< as many as scales
  std::int64_t axis = 0;

  [[nodiscard]] float scale(std::size_t channel) const { return scales[scales.size() == 1 ? 0 : channel]; }
  [[nodiscard]] bool symmetric() const;
};

/// The scale and zero point of a QuantizeLinear or DequantizeLinear, one each. Errors: kUnsupported where there are several.
struct Scaling {
  float scale = 1;
  std::int32_t zero_point = 0;
  bool operator==(const Scaling&) const = default;
};
Result<Scaling> scaling_of(const graph::Graph& graph, const graph::Node& node);

/// The constant that `node`, a DequantizeLinear of an initializer, makes.
QuantisedConstant constant_of(const graph::Graph& graph, const graph::Node& node);

/// "node NAME (OP)", for Error::where.
std::string where_of(const graph::Node& node);

}  // namespace hedge::codegen::internal

#pragma once

#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "codegen/internal/quantised_constant.h"
#include "codegen/network.h"
#include "graph/operators.h"

namespace hedge::codegen::internal {

/// A float tensor between a layer and its QuantizeLinear: the layer in the making and the bounds that Relu and Clip have set.
struct Pending {
  Layer layer;
  std::function<double(double)> function = {};                                 ///< of kTable, in floats; or
  std::function<std::int32_t(std::int32_t, const Activation&)> integers = {};  ///< an input's integer to that of the given output
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
};

/// One walk over the nodes. Every tensor is one of: quantised (an activation's integers), dequantised (the same as floats), pending, or a
/// constant.
class Lowering {
 public:
  Lowering(const graph::Graph& graph, std::map<std::string, graph::TensorInfo> tensors, std::vector<std::int64_t> macs)
      : graph_(graph), tensors_(std::move(tensors)), macs_(std::move(macs)) {}
  Result<Network> run();

 private:
  Status node(const graph::Node& node, std::int64_t macs);
  Status quantize(const graph::Node& node);
  /// Appends a layer whose output is of `scaling`; pools, means and Concat come in the form that goes with it.
  Status settle(const graph::Node& node, Layer layer, const Scaling& scaling);
  Status dequantize(const graph::Node& node);
  Status conv(const graph::Node& node, std::int64_t macs);
  Status gemm(const graph::Node& node, std::int64_t macs);
  Status add(const graph::Node& node);
  Status mul(const graph::Node& node);
  Status function(const graph::Node& node);
  Status concat(const graph::Node& node);
  /// The activation in another scale, by a table.
  std::size_t rescaled(std::size_t activation, const Scaling& scaling, const std::string& name);
  Status pool(const graph::Node& node);
  Status mean(const graph::Node& node);
  Status activation(const graph::Node& node);
  Status pass(const graph::Node& node);
  Status outputs();

  /// The table that adds a quantised constant of one element to `tensor`, or multiplies it. Errors: kUnsupported another constant.
  Status with_constant(const graph::Node& node, const std::string& tensor, const std::string& constant);
  /// The activation behind a dequantised input. Errors: kUnsupported another kind of tensor.
  Result<std::size_t> operand(const graph::Node& node, std::size_t input) const;
  Result<QuantisedConstant> weights(const graph::Node& node) const;
  /// Weight scales, bias and name of a product, once its weights stand. Errors: kMismatch the bias' length or scale.
  Status finish_product(const graph::Node& node, Layer& layer, const QuantisedConstant& weights) const;
  Result<std::size_t> add_activation(const std::string& name, const Shape& shape, const Scaling& scaling);
  void put_pending(const graph::Node& node, Layer layer) { pending_[node.outputs[0]] = {.layer = std::move(layer)}; }
  [[nodiscard]] const Shape& shape_of(const std::string& tensor) const { return tensors_.at(tensor).shape; }

  const graph::Graph& graph_;
  std::map<std::string, graph::TensorInfo> tensors_;
  std::vector<std::int64_t> macs_;
  Network network_;
  std::map<std::string, std::size_t> quantised_;
  std::map<std::string, std::size_t> dequantised_;
  std::map<std::string, Pending> pending_;
  std::map<std::string, QuantisedConstant> constants_;
};

Error unsupported(const graph::Node& node, std::string what, std::string hint = {});

}  // namespace hedge::codegen::internal

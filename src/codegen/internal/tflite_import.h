#pragma once

#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "codegen/internal/tflite_file.h"
#include "graph/builder.h"

namespace hedge::codegen::internal {

/// One walk over the operators, building the graph.
class TfliteImport {
 public:
  TfliteImport(const TfliteFile& file, const std::string& where) : file_(file), where_(where), builder_("tflite") {}
  Result<graph::Graph> run();

 private:
  /// A tensor of the file in the graph.
  struct Value {
    std::string name;                     ///< f32, dequantised; [N, C, H, W] or [N, F]
    std::int32_t tensor = -1;             ///< whose scale and integers it has
    Shape shape;                          ///< as the file has it, [1, H, W, C] or another
    std::vector<std::int64_t> axes;       ///< of H = 1, W = 2 and C = 3, those that `shape` has behind the batch; empty: all
    std::array<std::int64_t, 3> image{};  ///< of a flattened image: C, H, W before; else zeros
    std::array<std::int64_t, 4> pads{};   ///< top, left, bottom, right that a PAD has asked for
  };
  struct Weights {
    std::string name;  ///< f32, dequantised
    std::vector<float> scales;
  };

  Status input();
  Status one(const TfliteOperator& op, std::size_t index);
  /// Whether the operator computes on 8-bit tensors. Errors: kUnsupported, saying what the file is instead and the way out.
  Status require_quantised() const;
  /// A stand-in for what an operator that is in the way would make, so that those behind it can be looked at too.
  void stand_in(const TfliteOperator& op);
  [[nodiscard]] Error all_in_the_way(const std::vector<Error>& found) const;
  Status conv(const TfliteOperator& op, const std::string& name, bool depthwise);
  Status fully_connected(const TfliteOperator& op, const std::string& name);
  /// The operator's input `i`, computed or one 8-bit constant.
  Result<Value> operand_or_number(const TfliteOperator& op, std::size_t i, const std::string& name);
  /// Whether the operator's input `constant` is a value a channel of the other one (or any constant of SUB).
  [[nodiscard]] bool is_by_channel(const TfliteOperator& op, std::size_t constant) const;
  Status by_channel(const TfliteOperator& op, const std::string& name, std::size_t constant);
  Status of_two(const TfliteOperator& op, const std::string& name, const char* graph_op);
  Status function(const TfliteOperator& op, const std::string& name);
  Status shape_arithmetic(const TfliteOperator& op);
  Status concat(const TfliteOperator& op, const std::string& name);
  /// The image with the rows and columns of zero points that a PAD has asked for, by a depthwise layer of factor 1.
  Result<Value> filled(const TfliteOperator& op, const Value& x);
  Status pool(const TfliteOperator& op, const std::string& name, bool average);
  Status mean(const TfliteOperator& op, const std::string& name);
  Status reshape(const TfliteOperator& op, const std::string& name);
  Status pad(const TfliteOperator& op);
  Status requantise(const TfliteOperator& op);
  Status last(const TfliteOperator& op, const std::string& name);
  /// Whether only operators follow that say nothing more about the class.
  [[nodiscard]] bool at_the_end(std::size_t index) const;
  /// A probability's only logit z as the logits [0, z] of two classes.
  Result<Value> two_classes(const TfliteOperator& op, const Value& z, const std::string& name);

  [[nodiscard]] Error error(ErrorCode code, const TfliteOperator& op, std::string what, std::string got = {},
                            std::string expected = {}) const;
  /// The operator's input `i`; with a PAD's rows and columns in it, unless `padded`. Errors: kUnsupported it is no computed tensor;
  /// kBadFormat it is not there.
  Result<Value> operand(const TfliteOperator& op, std::size_t i, bool padded = false);
  Result<const TfliteTensor*> constant(const TfliteOperator& op, std::size_t i) const;
  Result<std::int32_t> output(const TfliteOperator& op) const;
  /// An image, [1, H, W, C]. Errors: kUnsupported.
  Status require_image(const TfliteOperator& op, const Value& value) const;
  /// Weights as [O, I, KH, KW] (or [O, I]) floats behind integers, symmetric, one scale an output.
  Result<Weights> weights(const TfliteOperator& op, const std::string& name, const Shape& shape, const std::vector<std::size_t>& from,
                          std::size_t channel_axis);
  Result<std::string> bias(const TfliteOperator& op, const std::string& name, std::int32_t input, const std::vector<float>& weight_scales);
  /// Relu or Clip for the schema's fused activation.
  Result<std::string> activated(const TfliteOperator& op, std::size_t field, const std::string& x, const std::string& name);
  /// Weights of exactly 0 and 1 from integers of 0 and 127, with a scale of 1 / 127: 127 (q - zero point) / 127 gives q back exactly.
  std::string exact_weights(const std::string& name, const Shape& shape, const std::vector<std::int8_t>& integers);
  /// Quantises `x` as the operator's output tensor, dequantises it, and makes it known.
  Status finish(const TfliteOperator& op, const std::string& x);
  /// Pads for the schema's SAME or VALID. Errors: kBadFormat a window that does not fit.
  Result<std::vector<std::int64_t>> pads(const TfliteOperator& op, const Value& x, std::array<std::int64_t, 2> kernel,
                                         std::array<std::int64_t, 2> strides) const;
  Result<std::string> there_and_back(const std::string& x, std::int32_t tensor, const std::string& name);
  [[nodiscard]] const Shape& shape_of(std::int32_t tensor) const { return file_.tensors[static_cast<std::size_t>(tensor)].shape; }
  /// A stand-in may have no scale; its graph is thrown away.
  [[nodiscard]] float scale_of(std::int32_t tensor) const {
    const auto& scales = file_.tensors[static_cast<std::size_t>(tensor)].scales;
    return scales.empty() ? 1.0F : scales[0];
  }

  const TfliteFile& file_;
  std::string where_;
  graph::Builder builder_;
  std::map<std::int32_t, Value> values_;
  std::set<std::int32_t> shapes_;  ///< tensors that hold shapes: what RESHAPE makes is in the file anyway
};

}  // namespace hedge::codegen::internal

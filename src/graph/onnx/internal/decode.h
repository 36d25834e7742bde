#pragma once

#include <onnx/onnx_pb.h>

#include <limits>
#include <string>
#include <string_view>

#include "graph/graph.h"

/// Between ONNX's protobuf messages and this project's values, one message at a time.
namespace hedge::graph::internal {

inline constexpr std::size_t kMostBytes = std::numeric_limits<std::int32_t>::max();  // protobuf's own limit

/// A model file's message, which has a graph. Errors: kBadFormat (not ONNX, or truncated); kUnsupported (larger than kMostBytes).
Result<onnx::ModelProto> parse_model(std::string_view bytes);

/// The DType of an ONNX element type. Errors: kUnsupported.
Result<DType> dtype_from_onnx(int type, const std::string& where);
int dtype_to_onnx(DType dtype);

/// A tensor; f64, f16 and bf16 become f32. Nothing is allocated before the bytes are known to be there.
/// Errors: kUnsupported external data or the element type; kBadFormat a size that does not fit the shape.
Result<Tensor> decode_tensor(const onnx::TensorProto& proto, const std::string& where);
void encode_tensor(const std::string& name, const Tensor& tensor, onnx::TensorProto& proto);

/// Errors: kUnsupported a kind outside Attribute (graphs, strings); kBadFormat.
Result<Attribute> decode_attribute(const onnx::AttributeProto& proto, const std::string& where);
void encode_attribute(const std::string& key, const Attribute& value, onnx::AttributeProto& proto);

/// A graph input or output. Symbolic and unknown dimensions become -1.
Result<Value> decode_value(const onnx::ValueInfoProto& proto);
void encode_value(const Value& value, onnx::ValueInfoProto& proto);

}  // namespace hedge::graph::internal

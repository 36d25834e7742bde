#include "graph/onnx/internal/decode.h"

namespace hedge::graph::internal {
namespace {

using onnx::AttributeProto;

/// The dimension of the batch, so that other tools show what is dynamic.
constexpr const char* kBatch = "N";

/// Models written before attributes had a type leave it out: it is the field that is there.
AttributeProto::AttributeType type_of(const AttributeProto& proto) {
  if (proto.type() != AttributeProto::UNDEFINED) return proto.type();
  if (proto.has_i()) return AttributeProto::INT;
  if (proto.has_f()) return AttributeProto::FLOAT;
  if (proto.has_s()) return AttributeProto::STRING;
  if (proto.has_t()) return AttributeProto::TENSOR;
  if (proto.floats_size() > 0) return AttributeProto::FLOATS;
  return AttributeProto::INTS;
}

}  // namespace

Result<onnx::ModelProto> parse_model(std::string_view bytes) {
  if (bytes.size() > kMostBytes) return Error{.code = ErrorCode::kUnsupported, .what = "the model is larger than 2 GiB", .where = "model"};
  onnx::ModelProto model;
  if (model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) && model.has_graph()) return model;
  return Error{.code = ErrorCode::kBadFormat,
               .what = "this is not an ONNX model, or it is truncated",
               .where = "model",
               .got = std::to_string(bytes.size()) + " bytes"};
}

Result<Attribute> decode_attribute(const AttributeProto& proto, const std::string& where) {
  switch (type_of(proto)) {
    case AttributeProto::INT: return Attribute(std::int64_t{proto.i()});
    case AttributeProto::FLOAT: return Attribute(proto.f());
    case AttributeProto::STRING: return Attribute(proto.s());
    case AttributeProto::INTS: return Attribute(std::vector<std::int64_t>(proto.ints().begin(), proto.ints().end()));
    case AttributeProto::FLOATS: return Attribute(std::vector<float>(proto.floats().begin(), proto.floats().end()));
    case AttributeProto::TENSOR: {
      HEDGE_TRY(Tensor tensor, decode_tensor(proto.t(), where + ", attribute " + proto.name()));
      return Attribute(std::move(tensor));
    }
    default: break;
  }
  return Error{.code = ErrorCode::kUnsupported,
               .what = "the attribute " + proto.name() + " is of a kind that is not implemented",
               .where = where,
               .got = "ONNX attribute type " + std::to_string(proto.type())};
}

void encode_attribute(const std::string& key, const Attribute& value, AttributeProto& proto) {
  proto.set_name(key);
  if (const auto* i = std::get_if<std::int64_t>(&value)) {
    proto.set_type(AttributeProto::INT);
    proto.set_i(*i);
  } else if (const auto* f = std::get_if<float>(&value)) {
    proto.set_type(AttributeProto::FLOAT);
    proto.set_f(*f);
  } else if (const auto* s = std::get_if<std::string>(&value)) {
    proto.set_type(AttributeProto::STRING);
    proto.set_s(*s);
  } else if (const auto* ints = std::get_if<std::vector<std::int64_t>>(&value)) {
    proto.set_type(AttributeProto::INTS);
    for (const auto v : *ints) proto.add_ints(v);
  } else if (const auto* floats = std::get_if<std::vector<float>>(&value)) {
    proto.set_type(AttributeProto::FLOATS);
    for (const auto v : *floats) proto.add_floats(v);
  } else {
    proto.set_type(AttributeProto::TENSOR);
    encode_tensor("", std::get<Tensor>(value), *proto.mutable_t());
  }
}

Result<Value> decode_value(const onnx::ValueInfoProto& proto) {
  const std::string where = "graph input or output " + proto.name();
  if (!proto.type().has_tensor_type()) return Error{.code = ErrorCode::kUnsupported, .what = "it is not a tensor", .where = where};
  const auto& type = proto.type().tensor_type();
  Value value{.name = proto.name()};
  HEDGE_TRY(value.dtype, dtype_from_onnx(type.elem_type(), where));
  for (const auto& d : type.shape().dim()) {
    // Some exporters write 0 or a negative size where they mean "unknown".
    value.shape.push_back(d.has_dim_value() && d.dim_value() > 0 ? d.dim_value() : -1);
  }
  return value;
}

void encode_value(const Value& value, onnx::ValueInfoProto& proto) {
  proto.set_name(value.name);
  auto* type = proto.mutable_type()->mutable_tensor_type();
  type->set_elem_type(dtype_to_onnx(value.dtype));
  auto* shape = type->mutable_shape();
  for (std::size_t i = 0; i < value.shape.size(); ++i) {
    auto* d = shape->add_dim();
    if (value.shape[i] >= 0) {
      d->set_dim_value(value.shape[i]);
    } else {
      d->set_dim_param(i == 0 ? kBatch : "dynamic_" + std::to_string(i));
    }
  }
}

}  // namespace hedge::graph::internal

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "graph/onnx/internal/decode.h"

namespace hedge::graph::internal {
namespace {

static_assert(std::endian::native == std::endian::little, "ONNX's raw data is little endian and copied as it is");

using onnx::TensorProto;

float from_half(std::uint16_t bits) {
  const float sign = (bits & 0x8000U) != 0 ? -1.0F : 1.0F;
  const int exponent = (bits >> 10) & 0x1F;
  const int mantissa = bits & 0x3FF;
  if (exponent == 31) return mantissa != 0 ? std::numeric_limits<float>::quiet_NaN() : sign * std::numeric_limits<float>::infinity();
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(mantissa), -24);
  return sign * std::ldexp(static_cast<float>(mantissa + 1024), exponent - 25);
}

float from_bfloat(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }
float from_double(double value) { return static_cast<float>(value); }

/// Source elements, from raw_data or from one of the typed fields.
struct Source {
  std::int64_t count = 0;
  const std::string* raw = nullptr;  ///< nullptr: the typed field
};

Error size_error(const TensorProto& proto, std::int64_t count, std::size_t got, const char* unit, const std::string& where) {
  return {.code = ErrorCode::kBadFormat,
          .what = "the tensor's data do not fit its shape",
          .where = where,
          .got = std::to_string(got) + unit,
          .expected = std::to_string(count) + " elements of ONNX type " + std::to_string(proto.data_type())};
}

/// Reads elements stored as Raw in raw_data or as `field`'s type, makes them To by `convert`.
template <typename To, typename Raw, typename Field, typename Convert>
Result<Tensor> decode_as(DType dtype, const TensorProto& proto, const Shape& shape, const Source& source, const Field& field,
                         Convert convert, const std::string& where) {
  const auto count = static_cast<std::size_t>(source.count);
  if (source.raw != nullptr && source.raw->size() != count * sizeof(Raw))
    return size_error(proto, source.count, source.raw->size(), " bytes", where);
  if (source.raw == nullptr && static_cast<std::size_t>(field.size()) != count)
    return size_error(proto, source.count, static_cast<std::size_t>(field.size()), " values", where);
  Tensor tensor(dtype, shape);
  auto* out = reinterpret_cast<To*>(tensor.bytes());
  for (std::size_t i = 0; i < count; ++i) {
    Raw value{};
    if (source.raw != nullptr) {
      std::memcpy(&value, source.raw->data() + i * sizeof(Raw), sizeof(Raw));
    } else {
      value = static_cast<Raw>(field.Get(static_cast<int>(i)));
    }
    out[i] = convert(value);
  }
  return tensor;
}

}  // namespace

Result<DType> dtype_from_onnx(int type, const std::string& where) {
  switch (type) {
    case TensorProto::FLOAT: return DType::kF32;
    case TensorProto::UINT8: return DType::kU8;
    case TensorProto::INT8: return DType::kI8;
    case TensorProto::INT32: return DType::kI32;
    case TensorProto::INT64: return DType::kI64;
    case TensorProto::BOOL: return DType::kBool;
    default: break;
  }
  return Error{.code = ErrorCode::kUnsupported,
               .what = "an element type that is not implemented",
               .where = where,
               .got = "ONNX type " + std::to_string(type),
               .expected = "f32, u8, i8, i32, i64 or bool"};
}

int dtype_to_onnx(DType dtype) {
  switch (dtype) {
    case DType::kF32: return TensorProto::FLOAT;
    case DType::kU8: return TensorProto::UINT8;
    case DType::kI8: return TensorProto::INT8;
    case DType::kI32: return TensorProto::INT32;
    case DType::kI64: return TensorProto::INT64;
    case DType::kBool: return TensorProto::BOOL;
  }
  return TensorProto::UNDEFINED;
}

Result<Tensor> decode_tensor(const TensorProto& proto, const std::string& where) {
  if (proto.data_location() == TensorProto::EXTERNAL || proto.external_data_size() > 0)
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "the weights are in another file (ONNX external data)",
                 .where = where,
                 .hint = "save the model with its weights inside"};
  if (proto.has_segment()) return Error{.code = ErrorCode::kUnsupported, .what = "a tensor in segments", .where = where};
  const Shape shape(proto.dims().begin(), proto.dims().end());
  auto count = checked_num_elements(shape);
  if (!count) {
    Error error = std::move(count).error();
    error.where = where;
    return error;
  }
  const Source source{*count, proto.has_raw_data() ? &proto.raw_data() : nullptr};
  const auto keep = [](auto value) { return value; };
  const auto truth = [](std::uint8_t value) -> std::uint8_t { return value != 0 ? 1 : 0; };
  switch (proto.data_type()) {
    case TensorProto::FLOAT: return decode_as<float, float>(DType::kF32, proto, shape, source, proto.float_data(), keep, where);
    case TensorProto::DOUBLE: return decode_as<float, double>(DType::kF32, proto, shape, source, proto.double_data(), from_double, where);
    case TensorProto::FLOAT16:
      return decode_as<float, std::uint16_t>(DType::kF32, proto, shape, source, proto.int32_data(), from_half, where);
    case TensorProto::BFLOAT16:
      return decode_as<float, std::uint16_t>(DType::kF32, proto, shape, source, proto.int32_data(), from_bfloat, where);
    case TensorProto::UINT8:
      return decode_as<std::uint8_t, std::uint8_t>(DType::kU8, proto, shape, source, proto.int32_data(), keep, where);
    case TensorProto::INT8: return decode_as<std::int8_t, std::int8_t>(DType::kI8, proto, shape, source, proto.int32_data(), keep, where);
    case TensorProto::INT32:
      return decode_as<std::int32_t, std::int32_t>(DType::kI32, proto, shape, source, proto.int32_data(), keep, where);
    case TensorProto::INT64:
      return decode_as<std::int64_t, std::int64_t>(DType::kI64, proto, shape, source, proto.int64_data(), keep, where);
    case TensorProto::BOOL:
      return decode_as<std::uint8_t, std::uint8_t>(DType::kBool, proto, shape, source, proto.int32_data(), truth, where);
    default: return dtype_from_onnx(proto.data_type(), where).error();
  }
}

void encode_tensor(const std::string& name, const Tensor& tensor, TensorProto& proto) {
  if (!name.empty()) proto.set_name(name);
  proto.set_data_type(dtype_to_onnx(tensor.dtype()));
  for (const auto d : tensor.shape()) proto.add_dims(d);
  proto.set_raw_data(tensor.bytes(), tensor.num_bytes());
}

}  // namespace hedge::graph::internal

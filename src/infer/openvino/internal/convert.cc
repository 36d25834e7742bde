#include "infer/openvino/internal/convert.h"

#include "infer/openvino/internal/guard.h"

namespace hedge::infer::internal {

std::string readable(const std::string& vendor_text) {
  constexpr std::size_t kMost = 400;
  std::string text;
  std::size_t begin = 0;
  while (begin < vendor_text.size()) {
    const std::size_t end = std::min(vendor_text.find('\n', begin), vendor_text.size());
    const std::string line = vendor_text.substr(begin, end - begin);
    if (!line.empty() && line.rfind("Exception from", 0) != 0) text += (text.empty() ? "" : " ") + line;
    begin = end + 1;
  }
  return text.size() > kMost ? text.substr(0, kMost) + "…" : text;
}

Result<DType> to_dtype(const ov::element::Type& type) {
  if (type == ov::element::f32) return DType::kF32;
  if (type == ov::element::u8) return DType::kU8;
  if (type == ov::element::i8) return DType::kI8;
  if (type == ov::element::i32) return DType::kI32;
  if (type == ov::element::i64) return DType::kI64;
  if (type == ov::element::boolean) return DType::kBool;
  return Error{.code = ErrorCode::kUnsupported,
               .what = "the element type is not supported",
               .got = type.get_type_name(),
               .expected = "f32, u8, i8, i32, i64 or bool"};
}

ov::element::Type to_element_type(DType dtype) {
  switch (dtype) {
    case DType::kF32: return ov::element::f32;
    case DType::kU8: return ov::element::u8;
    case DType::kI8: return ov::element::i8;
    case DType::kI32: return ov::element::i32;
    case DType::kI64: return ov::element::i64;
    case DType::kBool: return ov::element::boolean;
  }
  return ov::element::dynamic;
}

Shape to_shape(const ov::PartialShape& shape) {
  Shape result;
  for (const auto& dimension : shape) result.push_back(dimension.is_static() ? dimension.get_length() : -1);
  return result;
}

ov::Shape to_ov_shape(const Shape& shape) { return {shape.begin(), shape.end()}; }

Result<std::vector<TensorSpec>> to_specs(const std::vector<ov::Output<ov::Node>>& ports, const std::vector<std::string>& names) {
  std::vector<TensorSpec> specs;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    TensorSpec spec;
    if (i < names.size()) {
      spec.name = names[i];
    } else {
      spec.name = ports[i].get_names().empty() ? ports[i].get_node()->get_friendly_name() : ports[i].get_any_name();
    }
    auto dtype = to_dtype(ports[i].get_element_type());
    if (!dtype) {
      Error error = std::move(dtype).error();
      error.where = spec.name;
      return error;
    }
    spec.dtype = *dtype;
    if (ports[i].get_partial_shape().rank().is_dynamic())
      return Error{.code = ErrorCode::kUnsupported, .what = "the tensor's rank is not known before it runs", .where = spec.name};
    spec.shape = to_shape(ports[i].get_partial_shape());
    specs.push_back(std::move(spec));
  }
  return specs;
}

}  // namespace hedge::infer::internal

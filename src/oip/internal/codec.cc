#include "oip/internal/codec.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>

#include "core/json.h"

namespace hedge::oip {
namespace {

static_assert(std::endian::native == std::endian::little, "raw contents are little endian and are borrowed as they are");

using Contents = inference::InferTensorContents;

struct Datatype {
  std::string_view name;
  bool supported;
  DType dtype;
};

constexpr std::array kDatatypes = {
    Datatype{"BOOL", true, DType::kBool},  Datatype{"UINT8", true, DType::kU8},   Datatype{"UINT16", false, DType::kU8},
    Datatype{"UINT32", false, DType::kU8}, Datatype{"UINT64", false, DType::kU8}, Datatype{"INT8", true, DType::kI8},
    Datatype{"INT16", false, DType::kI32}, Datatype{"INT32", true, DType::kI32},  Datatype{"INT64", true, DType::kI64},
    Datatype{"FP16", false, DType::kF32},  Datatype{"FP32", true, DType::kF32},   Datatype{"FP64", false, DType::kF32},
    Datatype{"BF16", false, DType::kF32},  Datatype{"BYTES", false, DType::kU8},
};

Error misfit(const std::string& where, std::string what, std::string got = "", std::string expected = "") {
  return {.code = ErrorCode::kMismatch, .what = std::move(what), .where = where, .got = std::move(got), .expected = std::move(expected)};
}

int count_typed(const Contents& c) {
  return c.bool_contents_size() + c.int_contents_size() + c.int64_contents_size() + c.uint_contents_size() + c.uint64_contents_size() +
         c.fp32_contents_size() + c.fp64_contents_size() + c.bytes_contents_size();
}

/// Copies typed values into `out`, checking that no other field is filled, and the range. Precondition: the contents' number is right.
template <typename To, typename Field>
Status copy_typed(const Field& field, const Contents& contents, const std::string& where, To* out) {
  if (count_typed(contents) != field.size()) return misfit(where, "the typed contents are in a field that is not the datatype's");
  for (auto value : field) {
    if constexpr (std::is_integral_v<To> && sizeof(To) < sizeof(value)) {
      if (std::cmp_less(value, std::numeric_limits<To>::min()) || std::cmp_greater(value, std::numeric_limits<To>::max()))
        return misfit(where, "a value is outside its datatype", std::to_string(value));
    }
    *out++ = static_cast<To>(value);
  }
  return {};
}

Status fill_typed(const Contents& c, const std::string& where, Tensor& tensor) {
  auto* out = tensor.bytes();
  switch (tensor.dtype()) {
    case DType::kF32: return copy_typed(c.fp32_contents(), c, where, reinterpret_cast<float*>(out));
    case DType::kU8: return copy_typed(c.uint_contents(), c, where, reinterpret_cast<std::uint8_t*>(out));
    case DType::kI8: return copy_typed(c.int_contents(), c, where, reinterpret_cast<std::int8_t*>(out));
    case DType::kI32: return copy_typed(c.int_contents(), c, where, reinterpret_cast<std::int32_t*>(out));
    case DType::kI64: return copy_typed(c.int64_contents(), c, where, reinterpret_cast<std::int64_t*>(out));
    case DType::kBool: return copy_typed(c.bool_contents(), c, where, reinterpret_cast<bool*>(out));
  }
  return misfit(where, "the datatype has no typed contents");
}

/// One tensor of a request or an answer; `raw` is null where the message has no raw contents.
template <typename Proto>
Result<ReadTensor> read_tensor(const Proto& tensor, const std::string* raw) {
  const auto& name = tensor.name();
  auto dtype = dtype_of_name(tensor.datatype());
  if (!dtype) {
    Error error = std::move(dtype).error();
    error.where = name;
    return error;
  }
  Shape shape(tensor.shape().begin(), tensor.shape().end());
  const auto elements = checked_num_elements(shape);
  if (!elements) return misfit(name, elements.error().what, elements.error().got, elements.error().expected);
  ReadTensor read{.name = name, .owned = {}, .borrowed = {}};
  if (raw) {
    if (tensor.has_contents() && count_typed(tensor.contents()) > 0)
      return misfit(name, "raw and typed contents together", "", "one of them");
    const auto expected = static_cast<std::size_t>(*elements) * size_of(*dtype);
    if (raw->size() != expected)
      return misfit(name, "the raw contents do not fill the shape " + to_string(shape), std::to_string(raw->size()) + " bytes",
                    std::to_string(expected));
    read.borrowed = {*dtype, std::move(shape), reinterpret_cast<const std::byte*>(raw->data())};
    return read;
  }
  // The number is checked before memory is asked for: a shape alone must not make this process allocate.
  if (*elements != count_typed(tensor.contents()))
    return misfit(name, "the contents do not fill the shape " + to_string(shape),
                  std::to_string(count_typed(tensor.contents())) + " elements", std::to_string(*elements));
  read.owned = Tensor(*dtype, std::move(shape));
  HEDGE_CHECK(fill_typed(tensor.contents(), name, read.owned));
  return read;
}

template <typename Tensors, typename Raws>
Result<std::vector<ReadTensor>> read_tensors(const Tensors& tensors, const Raws& raws) {
  if (!raws.empty() && raws.size() != tensors.size())
    return misfit("", "the raw contents are not one a tensor", std::to_string(raws.size()) + " raw buffers",
                  std::to_string(tensors.size()));
  std::vector<ReadTensor> read;
  read.reserve(static_cast<std::size_t>(tensors.size()));
  for (int i = 0; i < tensors.size(); ++i) {
    HEDGE_TRY(auto tensor, read_tensor(tensors[i], raws.empty() ? nullptr : &raws[i]));
    read.push_back(std::move(tensor));
  }
  return read;
}

std::string raw_bytes(const TensorView& view) {
  return view.num_bytes() == 0 ? std::string() : std::string(reinterpret_cast<const char*>(view.bytes), view.num_bytes());
}

template <typename Proto>
void write_head(std::string_view name, const TensorView& view, Proto& tensor) {
  tensor.set_name(std::string(name));
  tensor.set_datatype(datatype_of(view.dtype));
  tensor.mutable_shape()->Add(view.shape.begin(), view.shape.end());
}

}  // namespace

const char* datatype_of(DType dtype) {
  switch (dtype) {
    case DType::kF32: return "FP32";
    case DType::kU8: return "UINT8";
    case DType::kI8: return "INT8";
    case DType::kI32: return "INT32";
    case DType::kI64: return "INT64";
    case DType::kBool: return "BOOL";
  }
  return "";
}

Result<DType> dtype_of_name(std::string_view datatype) {
  const auto* found = std::find_if(kDatatypes.begin(), kDatatypes.end(), [&](const Datatype& d) { return d.name == datatype; });
  if (found == kDatatypes.end())
    return Error{.code = ErrorCode::kMismatch,
                 .what = "unknown datatype",
                 .got = std::string(datatype.substr(0, 40)),
                 .expected = "BOOL, UINT8, INT8, INT32, INT64 or FP32"};
  if (!found->supported)
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "this datatype is not supported",
                 .got = std::string(datatype),
                 .expected = "BOOL, UINT8, INT8, INT32, INT64 or FP32"};
  return found->dtype;
}

Result<std::vector<ReadTensor>> read_inputs(const inference::ModelInferRequest& request) {
  return read_tensors(request.inputs(), request.raw_input_contents());
}

void write_inputs(std::span<const NamedView> inputs, inference::ModelInferRequest& request) {
  for (const auto& input : inputs) {
    write_head(input.name, input.view, *request.add_inputs());
    *request.add_raw_input_contents() = raw_bytes(input.view);
  }
}

void write_output(const std::string& name, const TensorView& tensor, inference::ModelInferResponse& response) {
  write_head(name, tensor, *response.add_outputs());
  *response.add_raw_output_contents() = raw_bytes(tensor);
}

Result<std::vector<Tensor>> read_outputs(const inference::ModelInferResponse& response, const std::vector<std::string>& names) {
  auto read = read_tensors(response.outputs(), response.raw_output_contents());
  if (!read) {
    Error error = std::move(read).error();
    if (error.code == ErrorCode::kMismatch) error.code = ErrorCode::kBadFormat;
    error.what = "the answer breaks the protocol: " + error.what;
    return error;
  }
  std::vector<Tensor> tensors;
  if (names.empty()) {
    for (const auto& tensor : *read) tensors.emplace_back(tensor.view());
    return tensors;
  }
  for (const auto& name : names) {
    const auto found = std::find_if(read->begin(), read->end(), [&](const ReadTensor& tensor) { return tensor.name == name; });
    if (found == read->end())
      return Error{.code = ErrorCode::kBadFormat, .what = "the answer lacks an output that was asked for", .where = name};
    tensors.emplace_back(found->view());
  }
  return tensors;
}

Result<std::vector<TensorSpec>> read_specs(
    const google::protobuf::RepeatedPtrField<inference::ModelMetadataResponse::TensorMetadata>& tensors) {
  std::vector<TensorSpec> specs;
  for (const auto& tensor : tensors) {
    auto dtype = dtype_of_name(tensor.datatype());
    if (!dtype) {
      Error error = std::move(dtype).error();
      error.where = tensor.name();
      return error;
    }
    TensorSpec spec{tensor.name(), *dtype, Shape(tensor.shape().begin(), tensor.shape().end())};
    if (std::any_of(spec.shape.begin(), spec.shape.end(), [](std::int64_t d) { return d < -1; }))
      return Error{.code = ErrorCode::kBadFormat, .what = "a dimension below -1", .where = spec.name, .got = to_string(spec.shape)};
    specs.push_back(std::move(spec));
  }
  return specs;
}

void write_spec(const TensorSpec& spec, inference::ModelMetadataResponse::TensorMetadata& tensor) {
  tensor.set_name(spec.name);
  tensor.set_datatype(datatype_of(spec.dtype));
  tensor.mutable_shape()->Add(spec.shape.begin(), spec.shape.end());
}

Result<RemoteCard> read_card(const inference::ModelMetadataResponse& metadata, const std::string& where) {
  RemoteCard card;
  const auto& properties = metadata.properties();
  if (const auto sha256 = properties.find(kSha256Key); sha256 != properties.end()) card.sha256 = sha256->second;
  if (const auto recipe = properties.find(kRecipeKey); recipe != properties.end()) card.recipe = recipe->second;
  const auto labels = properties.find(kLabelsKey);
  if (labels == properties.end()) return card;
  const auto at = where + ": property " + kLabelsKey;
  HEDGE_TRY(const auto json, parse_json(labels->second, at));
  const auto bad = [&at] {
    return Error{.code = ErrorCode::kBadFormat, .what = "the class names are not an array of strings", .where = at};
  };
  if (!json.is_array()) return bad();
  for (const auto& name : json) {
    if (!name.is_string()) return bad();
    card.labels.push_back(name.get<std::string>());
  }
  return card;
}

void write_card(const RemoteCard& card, inference::ModelMetadataResponse& metadata) {
  auto& properties = *metadata.mutable_properties();
  if (!card.sha256.empty()) properties[kSha256Key] = card.sha256;
  if (!card.recipe.empty()) properties[kRecipeKey] = card.recipe;
  if (!card.labels.empty()) properties[kLabelsKey] = Json(card.labels).dump(-1, ' ', true, Json::error_handler_t::replace);
}

}  // namespace hedge::oip

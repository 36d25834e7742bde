#include "core/safetensors.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "core/json.h"

namespace hedge {
namespace {

constexpr std::pair<DType, const char*> kNames[] = {{DType::kF32, "F32"}, {DType::kU8, "U8"},   {DType::kI8, "I8"},
                                                    {DType::kI32, "I32"}, {DType::kI64, "I64"}, {DType::kBool, "BOOL"}};

const char* name_of(DType dtype) {
  for (const auto& [value, name] : kNames)
    if (value == dtype) return name;
  return "";
}

std::optional<DType> dtype_named(const std::string& name) {
  for (const auto& [value, text] : kNames)
    if (name == text) return value;
  return std::nullopt;
}

Error bad(std::string_view where, std::string what) {
  return {.code = ErrorCode::kBadFormat, .what = std::move(what), .where = std::string(where)};
}

std::string length_prefix(std::uint64_t n) {
  std::string bytes(8, '\0');
  for (int i = 0; i < 8; ++i) bytes[static_cast<std::size_t>(i)] = static_cast<char>(n >> (8 * i));
  return bytes;
}

std::string header_of(const TensorFile& file) {
  std::vector<SafetensorsEntry> entries;
  for (const auto& [name, tensor] : file.tensors) entries.push_back({.name = name, .dtype = tensor.dtype(), .shape = tensor.shape()});
  return safetensors_header(entries, file.metadata);
}

std::string_view bytes_of(const Tensor& tensor) { return {reinterpret_cast<const char*>(tensor.bytes()), tensor.num_bytes()}; }

/// What the header says of a tensor, checked against the file's size but not against the other tensors.
Result<SafetensorsEntry> decode_entry(const Json& entry, const std::string& name, std::uint64_t payload_bytes, std::string_view where) {
  const std::string at = std::string(where) + ": tensor " + name;
  HEDGE_TRY(auto dtype_name, get_field<std::string>(entry, "dtype", at));
  HEDGE_TRY(auto shape, get_field<Shape>(entry, "shape", at));
  HEDGE_TRY(auto offsets, get_field<std::vector<std::uint64_t>>(entry, "data_offsets", at));
  const auto dtype = dtype_named(dtype_name);
  if (!dtype) return Error{.code = ErrorCode::kUnsupported, .what = "element type not supported", .where = at, .got = dtype_name};
  auto count = checked_num_elements(shape);
  if (!count) return bad(at, count.error().message());
  if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > payload_bytes) return bad(at, "the data offsets lie outside the file");
  if (offsets[1] - offsets[0] != static_cast<std::uint64_t>(*count) * size_of(*dtype))
    return bad(at, "the data's size does not fit the shape");
  return SafetensorsEntry{.name = name, .dtype = *dtype, .shape = std::move(shape), .begin = offsets[0], .end = offsets[1]};
}

/// Puts the entries into the order of their bytes, which must cover the payload once.
Status sort_and_check(std::vector<SafetensorsEntry>& entries, std::uint64_t payload_bytes, std::string_view where) {
  std::sort(entries.begin(), entries.end(),
            [](const SafetensorsEntry& a, const SafetensorsEntry& b) { return a.begin != b.begin ? a.begin < b.begin : a.end < b.end; });
  std::uint64_t at = 0;
  for (const auto& entry : entries) {
    if (entry.begin != at) return bad(where, "the tensors' bytes overlap or leave gaps");
    at = entry.end;
  }
  if (at != payload_bytes) return bad(where, "bytes after the last tensor");
  return {};
}

}  // namespace

Result<const Tensor*> TensorFile::get(const std::string& name, DType dtype, const Shape& spec) const {
  const auto it = tensors.find(name);
  if (it == tensors.end()) {
    std::string names;
    for (const auto& [other, unused] : tensors) names += (names.empty() ? "" : ", ") + other;
    return Error{.code = ErrorCode::kNotFound, .what = "the file has no such tensor", .where = name, .expected = "one of: " + names};
  }
  const Tensor& tensor = it->second;
  if (tensor.dtype() != dtype || !fits(tensor.shape(), spec))
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the tensor has another type or shape",
                 .where = name,
                 .got = std::string(to_string(tensor.dtype())) + to_string(tensor.shape()),
                 .expected = std::string(to_string(dtype)) + to_string(spec)};
  return &tensor;
}

std::string encode_safetensors(const TensorFile& file) {
  std::string bytes = header_of(file);
  for (const auto& [name, tensor] : file.tensors) bytes += bytes_of(tensor);
  return bytes;
}

std::string safetensors_header(const std::vector<SafetensorsEntry>& entries, const std::map<std::string, std::string>& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::size_t offset = 0;
  for (const SafetensorsEntry& entry : entries) {
    const std::size_t bytes = static_cast<std::size_t>(num_elements(entry.shape)) * size_of(entry.dtype);
    header[entry.name] = {{"dtype", name_of(entry.dtype)}, {"shape", entry.shape}, {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  std::string text = header.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return length_prefix(text.size()) + text;
}

Result<SafetensorsIndex> read_safetensors_index(std::string_view bytes, std::string_view where) {
  if (bytes.size() < 8) return bad(where, "truncated: no header length");
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < 8; ++i) length |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(bytes[i])) << (8 * i);
  if (length > bytes.size() - 8) return bad(where, "truncated: the header is longer than the file");
  HEDGE_TRY(auto header, parse_json(bytes.substr(8, length), where));
  if (!header.is_object()) return bad(where, "the header is no JSON object");
  SafetensorsIndex index;
  index.payload = 8 + length;
  const std::uint64_t payload_bytes = bytes.size() - index.payload;
  for (const auto& [name, json] : header.items()) {
    if (name == "__metadata__") {
      HEDGE_TRY(index.metadata, (get_field<std::map<std::string, std::string>>(header, "__metadata__", where)));
      continue;
    }
    HEDGE_TRY(auto entry, decode_entry(json, name, payload_bytes, where));
    index.entries.push_back(std::move(entry));
  }
  HEDGE_CHECK(sort_and_check(index.entries, payload_bytes, where));
  return index;
}

Result<TensorFile> decode_safetensors(std::string_view bytes, std::string_view where) {
  // All is checked before anything is copied: a thousand entries of the same bytes must not become a thousand tensors.
  HEDGE_TRY(SafetensorsIndex index, read_safetensors_index(bytes, where));
  TensorFile file;
  file.metadata = std::move(index.metadata);
  for (SafetensorsEntry& entry : index.entries) {
    Tensor tensor(entry.dtype, std::move(entry.shape));
    if (tensor.num_bytes() > 0) std::memcpy(tensor.bytes(), bytes.data() + index.payload + entry.begin, tensor.num_bytes());
    file.tensors.emplace(std::move(entry.name), std::move(tensor));
  }
  return file;
}

Result<TensorFile> read_safetensors(const std::filesystem::path& path) {
  HEDGE_TRY(auto bytes, read_file(path));
  return decode_safetensors(bytes, path.string());
}

Status write_safetensors(const std::filesystem::path& path, const TensorFile& file, const OpenWriter& open) {
  return write_file_atomic(
      path,
      [&file](FileWriter& writer) -> Status {
        HEDGE_CHECK(writer.write(header_of(file)));
        for (const auto& [name, tensor] : file.tensors) HEDGE_CHECK(writer.write(bytes_of(tensor)));
        return {};
      },
      open);
}

}  // namespace hedge

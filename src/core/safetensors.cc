#include "core/safetensors.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "core/json.h"

namespace hedge {
namespace {

/// An element type of the format; those that a Tensor has too have a DType.
struct ElementType {
  const char* name;
  std::size_t bytes;
  std::optional<DType> dtype = {};
};
constexpr ElementType kElements[] = {{"F32", 4, DType::kF32},
                                     {"U8", 1, DType::kU8},
                                     {"I8", 1, DType::kI8},
                                     {"I32", 4, DType::kI32},
                                     {"I64", 8, DType::kI64},
                                     {"BOOL", 1, DType::kBool},
                                     {"F16", 2},
                                     {"BF16", 2},
                                     {"F64", 8},
                                     {"I16", 2},
                                     {"U16", 2},
                                     {"U32", 4},
                                     {"U64", 8}};

const char* name_of(DType dtype) {
  for (const auto& element : kElements)
    if (element.dtype == dtype) return element.name;
  return "";
}

const ElementType* element_named(const std::string& name) {
  for (const auto& element : kElements)
    if (name == element.name) return &element;
  return nullptr;
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

/// What the header says of a tensor.
struct HeaderEntry {
  std::string name;
  const ElementType* element = nullptr;
  Shape shape;
  std::uint64_t begin = 0, end = 0;
};

Error unsupported_element(std::string_view where, const HeaderEntry& entry) {
  return {.code = ErrorCode::kUnsupported,
          .what = "element type not supported",
          .where = std::string(where) + ": tensor " + entry.name,
          .got = entry.element->name};
}

/// Checked against the file's size but not against the other tensors.
Result<HeaderEntry> decode_entry(const Json& entry, const std::string& name, std::uint64_t payload_bytes, std::string_view where) {
  const std::string at = std::string(where) + ": tensor " + name;
  HEDGE_TRY(auto dtype_name, get_field<std::string>(entry, "dtype", at));
  HEDGE_TRY(auto shape, get_field<Shape>(entry, "shape", at));
  HEDGE_TRY(auto offsets, get_field<std::vector<std::uint64_t>>(entry, "data_offsets", at));
  const auto* element = element_named(dtype_name);
  if (element == nullptr)
    return Error{.code = ErrorCode::kUnsupported, .what = "element type not supported", .where = at, .got = dtype_name};
  auto count = checked_num_elements(shape);
  if (!count) return bad(at, count.error().message());
  if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > payload_bytes) return bad(at, "the data offsets lie outside the file");
  if (offsets[1] - offsets[0] != static_cast<std::uint64_t>(*count) * element->bytes)
    return bad(at, "the data's size does not fit the shape");
  return HeaderEntry{.name = name, .element = element, .shape = std::move(shape), .begin = offsets[0], .end = offsets[1]};
}

/// Puts the entries into the order of their bytes, which must cover the payload once.
Status sort_and_check(std::vector<HeaderEntry>& entries, std::uint64_t payload_bytes, std::string_view where) {
  std::sort(entries.begin(), entries.end(),
            [](const HeaderEntry& a, const HeaderEntry& b) { return a.begin != b.begin ? a.begin < b.begin : a.end < b.end; });
  std::uint64_t at = 0;
  for (const auto& entry : entries) {
    if (entry.begin != at) return bad(where, "the tensors' bytes overlap or leave gaps");
    at = entry.end;
  }
  if (at != payload_bytes) return bad(where, "bytes after the last tensor");
  return {};
}

struct Header {
  std::vector<HeaderEntry> entries;
  std::map<std::string, std::string> metadata;
  std::size_t payload = 0;
};

Result<Header> read_header(std::string_view bytes, std::string_view where) {
  if (bytes.size() < 8) return bad(where, "truncated: no header length");
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < 8; ++i) length |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(bytes[i])) << (8 * i);
  if (length > bytes.size() - 8) return bad(where, "truncated: the header is longer than the file");
  HEDGE_TRY(auto json, parse_json(bytes.substr(8, length), where));
  if (!json.is_object()) return bad(where, "the header is no JSON object");
  Header header;
  header.payload = 8 + length;
  const std::uint64_t payload_bytes = bytes.size() - header.payload;
  for (const auto& [name, entry_json] : json.items()) {
    if (name == "__metadata__") {
      HEDGE_TRY(header.metadata, (get_field<std::map<std::string, std::string>>(json, "__metadata__", where)));
      continue;
    }
    HEDGE_TRY(auto entry, decode_entry(entry_json, name, payload_bytes, where));
    header.entries.push_back(std::move(entry));
  }
  HEDGE_CHECK(sort_and_check(header.entries, payload_bytes, where));
  return header;
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
  HEDGE_TRY(Header header, read_header(bytes, where));
  SafetensorsIndex index{.entries = {}, .metadata = std::move(header.metadata), .payload = header.payload};
  for (auto& entry : header.entries) {
    if (!entry.element->dtype) return unsupported_element(where, entry);
    index.entries.push_back({.name = std::move(entry.name),
                             .dtype = *entry.element->dtype,
                             .shape = std::move(entry.shape),
                             .begin = entry.begin,
                             .end = entry.end});
  }
  return index;
}

Result<std::vector<StoredTensor>> list_safetensors(std::string_view bytes, std::string_view where) {
  HEDGE_TRY(Header header, read_header(bytes, where));
  std::vector<StoredTensor> tensors;
  for (auto& entry : header.entries)
    tensors.push_back({.name = std::move(entry.name),
                       .dtype = entry.element->name,
                       .shape = std::move(entry.shape),
                       .bytes = bytes.substr(header.payload + entry.begin, entry.end - entry.begin)});
  return tensors;
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

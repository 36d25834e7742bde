// Which array of which file: read_array and array_names.
#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>
#include <system_error>

#include "core/file.h"
#include "core/safetensors.h"
#include "data/array.h"
#include "data/internal/csv_array.h"
#include "data/zip.h"

namespace hedge::data {
namespace {

enum class Format { kNpy, kNpz, kSafetensors, kTable };

constexpr std::string_view kNpyEnding = ".npy";

Error not_read(const std::string& file, const char* what, std::string hint) {
  return {.code = ErrorCode::kUnsupported, .what = what, .where = file, .hint = std::move(hint)};
}

bool is_safetensors(const std::string& file, std::string_view bytes) {
  return file.ends_with(".safetensors") ||
         (bytes.size() > 9 && bytes[8] == '{' && bytes.substr(2, 6) == std::string_view("\0\0\0\0\0\0", 6));
}

/// By the first bytes, as file names lie.
Result<Format> format_of(const std::string& file, std::string_view bytes) {
  if (bytes.starts_with("\x28\xB5\x2F\xFD")) return not_read(file, "the file is compressed with zstd", "unpack it: zstd -d " + file);
  if (bytes.starts_with("\x1F\x8B")) return not_read(file, "the file is compressed with gzip", "unpack it: gunzip -k " + file);
  if (bytes.starts_with("\x89HDF")) return not_read(file, "an HDF5 file is not read", "save the arrays with np.savez(FILE, name=array, …)");
  if (bytes.starts_with("\x80") && bytes.size() > 1 && bytes[1] >= 2 && bytes[1] <= 5)
    return not_read(file, "a Python pickle is not read", "save the arrays with np.savez(FILE, name=array, …)");
  if (bytes.starts_with("\x93NUMPY")) return Format::kNpy;
  if (is_zip(bytes)) return Format::kNpz;
  return is_safetensors(file, bytes) ? Format::kSafetensors : Format::kTable;
}

std::string joined(const std::vector<std::string>& names) {
  constexpr std::size_t kFew = 30;
  std::string text;
  for (std::size_t i = 0; i < std::min(kFew, names.size()); ++i) text += (i == 0 ? "" : ", ") + names[i];
  return text + (names.size() > kFew ? ", …" : "");
}

/// The index of the array called `name`, or of the only one.
Result<std::size_t> choose(const std::vector<std::string>& names, const ArraySource& source) {
  if (source.name.empty() && names.size() == 1) return std::size_t{0};
  if (source.name.empty())
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "the file holds several arrays, or none: say which",
                 .where = source.file,
                 .expected = source.file + ":NAME, one of: " + joined(names)};
  const auto found = std::find(names.begin(), names.end(), source.name);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  return Error{.code = ErrorCode::kNotFound,
               .what = "the file has no such array",
               .where = source.file,
               .got = source.name,
               .expected = "one of: " + joined(names)};
}

/// Names in the archive without ".npy". Errors: also kUnsupported for PyTorch's archives.
Result<std::vector<std::string>> npz_names(const std::vector<ZipEntry>& entries, const std::string& file) {
  std::vector<std::string> names;
  for (const auto& entry : entries) {
    if (entry.name.ends_with("/data.pkl"))
      return not_read(file, "a PyTorch pickle is not read", "save with np.save(FILE, tensor.float().cpu().numpy())");
    names.push_back(entry.name.ends_with(kNpyEnding) ? entry.name.substr(0, entry.name.size() - kNpyEnding.size()) : entry.name);
  }
  return names;
}

Result<Array> read_npz(std::string_view bytes, const ArraySource& source) {
  HEDGE_TRY(const auto entries, list_zip(bytes, source.file));
  HEDGE_TRY(const auto names, npz_names(entries, source.file));
  HEDGE_TRY(const auto index, choose(names, source));
  HEDGE_TRY(const auto content, read_zip(bytes, entries[index], source.file));
  return parse_npy(content, source.file + ":" + names[index]);
}

std::vector<std::string> names_of(const std::vector<StoredTensor>& tensors) {
  std::vector<std::string> names;
  for (const auto& tensor : tensors) names.push_back(tensor.name);
  return names;
}

std::optional<Element> element_of(const std::string& dtype) {
  constexpr std::pair<const char*, Element> kNames[] = {
      {"F16", Element::kF16}, {"BF16", Element::kBf16}, {"F32", Element::kF32},  {"F64", Element::kF64}, {"I8", Element::kI8},
      {"I16", Element::kI16}, {"I32", Element::kI32},   {"I64", Element::kI64},  {"U8", Element::kU8},   {"U16", Element::kU16},
      {"U32", Element::kU32}, {"U64", Element::kU64},   {"BOOL", Element::kBool}};
  for (const auto& [name, element] : kNames)
    if (dtype == name) return element;
  return std::nullopt;
}

Result<Array> read_tensor(std::string_view bytes, const ArraySource& source) {
  HEDGE_TRY(const auto tensors, list_safetensors(bytes, source.file));
  HEDGE_TRY(const auto index, choose(names_of(tensors), source));
  const auto& tensor = tensors[index];
  const auto where = source.file + ":" + tensor.name;
  const auto element = element_of(tensor.dtype);
  if (!element) return Error{.code = ErrorCode::kUnsupported, .what = "this element type is not read", .where = where, .got = tensor.dtype};
  Array array{.shape = tensor.shape, .numbers = {}, .texts = {}, .where = where};
  HEDGE_TRY(array.numbers, decode_numbers(tensor.bytes, {.element = *element}, tensor.shape, where));
  return array;
}

}  // namespace

ArraySource split_source(const std::string& source) {
  std::error_code unreadable;
  const auto colon = source.rfind(':');
  if (colon == std::string::npos || std::filesystem::exists(source, unreadable)) return {.file = source, .name = ""};
  return {.file = source.substr(0, colon), .name = source.substr(colon + 1)};
}

Result<Array> read_array(const std::string& text) {
  const auto source = split_source(text);
  HEDGE_TRY(const auto bytes, read_file(source.file));
  HEDGE_TRY(const auto format, format_of(source.file, bytes));
  switch (format) {
    case Format::kNpz: return read_npz(bytes, source);
    case Format::kSafetensors: return read_tensor(bytes, source);
    case Format::kTable: return internal::read_columns(bytes, source);
    case Format::kNpy: break;
  }
  if (source.name.empty()) return parse_npy(bytes, source.file);
  return Error{.code = ErrorCode::kInvalidArgument,
               .what = "an .npy holds one array, which has no name",
               .where = source.file,
               .got = source.name,
               .expected = source.file};
}

Result<std::vector<std::string>> array_names(const std::string& file) {
  HEDGE_TRY(const auto bytes, read_file(file));
  HEDGE_TRY(const auto format, format_of(file, bytes));
  if (format == Format::kNpy) return std::vector<std::string>();
  if (format == Format::kTable) return internal::column_names(bytes, file);
  if (format == Format::kNpz) {
    HEDGE_TRY(const auto entries, list_zip(bytes, file));
    return npz_names(entries, file);
  }
  HEDGE_TRY(const auto tensors, list_safetensors(bytes, file));
  return names_of(tensors);
}

}  // namespace hedge::data

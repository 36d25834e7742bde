#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/file.h"
#include "hedge/result.h"
#include "hedge/tensor.h"

namespace hedge {

/// Named tensors and text metadata, in the safetensors format: 8 bytes of header length (little endian), a JSON header,
/// the tensors' bytes. Names are unique; the order in a file is the map's.
struct TensorFile {
  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::string> metadata;

  /// kNotFound with the names there are; kMismatch where the element type or rank is another (-1 dimensions are free).
  [[nodiscard]] Result<const Tensor*> get(const std::string& name, DType dtype, const Shape& spec) const;
};

/// Where a tensor stands in a file.
struct SafetensorsEntry {
  std::string name;
  DType dtype = DType::kF32;
  Shape shape;
  std::uint64_t begin = 0, end = 0;  ///< bytes, from the payload's start
};

/// A tensor as a file's header names it, of any element type of the format: "F16", "BF16", "I64", …
struct StoredTensor {
  std::string name, dtype;
  Shape shape;
  std::string_view bytes;  ///< its own, little endian; borrowed from the file's
};
/// The tensors of a file in the order of their bytes, for readers that know more element types than DType. Errors: those of
/// decode_safetensors; kUnsupported: an element type outside the format.
Result<std::vector<StoredTensor>> list_safetensors(std::string_view bytes, std::string_view where);

/// A file's header, checked: the entries, in the order of their bytes, cover the payload once.
struct SafetensorsIndex {
  std::vector<SafetensorsEntry> entries;
  std::map<std::string, std::string> metadata;
  std::size_t payload = 0;  ///< where the tensors' bytes start in the file
};
/// Reads the header alone. Errors: those of decode_safetensors.
Result<SafetensorsIndex> read_safetensors_index(std::string_view bytes, std::string_view where);

/// The header's bytes, its length before it, of tensors whose bytes follow one after the other: for files that are written piece by piece.
/// `begin` and `end` of the entries are not read.
std::string safetensors_header(const std::vector<SafetensorsEntry>& entries, const std::map<std::string, std::string>& metadata);

std::string encode_safetensors(const TensorFile& file);
/// Errors: kBadFormat: truncated, a header that is no JSON, offsets outside or overlapping or leaving gaps, a size that
/// does not fit its shape; kUnsupported: an element type outside DType.
Result<TensorFile> decode_safetensors(std::string_view bytes, std::string_view where);

Result<TensorFile> read_safetensors(const std::filesystem::path& path);
/// Atomic. Errors: kIo.
Status write_safetensors(const std::filesystem::path& path, const TensorFile& file, const OpenWriter& open = open_file_writer);

}  // namespace hedge

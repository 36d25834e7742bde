#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "core/file.h"
#include "core/result.h"
#include "core/tensor.h"

namespace hedge {

/// Named tensors and text metadata, in the safetensors format: 8 bytes of header length (little endian), a JSON header,
/// the tensors' bytes. Names are unique; the order in a file is the map's.
struct TensorFile {
  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::string> metadata;

  /// kNotFound with the names there are; kMismatch where the element type or rank is another (-1 dimensions are free).
  [[nodiscard]] Result<const Tensor*> get(const std::string& name, DType dtype, const Shape& spec) const;
};

std::string encode_safetensors(const TensorFile& file);
/// Errors: kBadFormat: truncated, a header that is no JSON, offsets outside or overlapping or leaving gaps, a size that
/// does not fit its shape; kUnsupported: an element type outside DType.
Result<TensorFile> decode_safetensors(std::string_view bytes, std::string_view where);

Result<TensorFile> read_safetensors(const std::filesystem::path& path);
/// Atomic. Errors: kIo.
Status write_safetensors(const std::filesystem::path& path, const TensorFile& file, const OpenWriter& open = open_file_writer);

}  // namespace hedge

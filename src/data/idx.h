#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "hedge/result.h"
#include "hedge/tensor.h"

namespace hedge::data {

/// The content of an IDX file of bytes (MNIST's format): dimensions, then row-major values.
struct IdxArray {
  Shape dims;  ///< 1 to 4 dimensions
  std::vector<std::uint8_t> values;
};

/// No IDX file is inflated or read beyond this unless asked for.
inline constexpr std::size_t kMostIdxBytes = std::size_t{1} << 30;

/// Parses a plain IDX file, or a gzip-compressed one (told by its first bytes).
/// Errors: kBadFormat: another magic number, truncated, bytes left over, a damaged or too large gzip stream;
/// kUnsupported: elements other than unsigned bytes, more than four dimensions.
Result<IdxArray> parse_idx(std::string_view bytes, std::string_view where, std::size_t most_bytes = kMostIdxBytes);

/// Errors: those of read_file and parse_idx.
Result<IdxArray> read_idx(const std::filesystem::path& path);

/// Inflates a gzip file of one or more members. Errors: kBadFormat: damaged, truncated, or larger than `most_bytes`.
Result<std::string> inflate_gzip(std::string_view bytes, std::string_view where, std::size_t most_bytes);

}  // namespace hedge::data

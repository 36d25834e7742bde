#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hedge/result.h"

namespace hedge::data {

/// A file in a ZIP archive, as the archive's directory names it.
struct ZipEntry {
  std::string name;
  std::uint16_t method = 0;  ///< 0: stored, 8: deflate
  std::uint16_t flags = 0;
  std::uint32_t crc = 0;
  std::uint64_t compressed = 0, size = 0;  ///< bytes
  std::uint64_t offset = 0;                ///< of its local header
};

/// Whether the bytes begin as a ZIP archive does.
bool is_zip(std::string_view bytes);

/// The directory of an archive (PKWARE's APPNOTE 6.3, with ZIP64; one part). Errors: kBadFormat: no archive, truncated, fields that lie
/// outside of it.
Result<std::vector<ZipEntry>> list_zip(std::string_view bytes, std::string_view where);

/// The content of an entry. Errors: kBadFormat: outside of the archive, corrupt, another length or checksum than the directory says;
/// kUnsupported: encrypted, or another method than the two.
Result<std::string> read_zip(std::string_view bytes, const ZipEntry& entry, std::string_view where);

}  // namespace hedge::data

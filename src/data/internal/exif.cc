#include "data/internal/exif.h"

#include <cstddef>
#include <cstdint>

#include "data/internal/bytes.h"

namespace hedge::data::internal {
namespace {

using namespace std::string_view_literals;

constexpr std::uint32_t kOrientation = 274;
constexpr std::uint32_t kByte = 1, kShort = 3, kLong = 4;  ///< the types in which writers store it
constexpr auto kExifMark = "Exif\0\0"sv;

/// The value of a directory's entry, at `at`, where it is an orientation; 0 otherwise.
std::uint32_t orientation_at(const Bytes& tiff, std::size_t at) {
  if (tiff.u16(at) != kOrientation || tiff.u32(at + 4) != 1) return 0;
  switch (tiff.u16(at + 2)) {
    case kByte: return tiff.u8(at + 8);
    case kShort: return tiff.u16(at + 8);
    case kLong: return tiff.u32(at + 8);
    default: return 0;
  }
}

}  // namespace

int exif_orientation(std::string_view block) {
  if (block.starts_with(kExifMark)) block.remove_prefix(kExifMark.size());
  if (!block.starts_with("II*\0"sv) && !block.starts_with("MM\0*"sv)) return 1;
  const Bytes tiff(block, block[0] == 'I');
  const std::size_t directory = tiff.u32(4);
  const auto entries = tiff.u16(directory);
  for (std::size_t i = 0; i < entries && tiff.has(directory + 2 + 12 * i, 12); ++i) {
    const auto value = orientation_at(tiff, directory + 2 + 12 * i);
    if (value >= 1 && value <= 8) return static_cast<int>(value);
  }
  return 1;
}

int jpeg_orientation(std::string_view bytes) {
  constexpr std::uint8_t kApp1 = 0xE1, kStartOfScan = 0xDA, kFill = 0xFF;
  const Bytes file(bytes, false);
  for (std::size_t at = 2; file.u8(at) == kFill && file.has(at, 4);) {
    const auto marker = file.u8(at + 1);
    if (marker == kFill) {
      ++at;  // any number of fill bytes may come before a marker
      continue;
    }
    const std::size_t length = file.u16(at + 2);
    if (marker == kStartOfScan || length < 2 || !file.has(at + 2, length)) return 1;
    const auto segment = bytes.substr(at + 4, length - 2);
    // A further APP1 may hold XMP.
    if (marker == kApp1 && segment.starts_with(kExifMark)) return exif_orientation(segment);
    at += 2 + length;
  }
  return 1;
}

int png_orientation(std::string_view bytes) {
  constexpr std::size_t kSignature = 8, kAround = 12;  // a chunk's length, type and checksum
  const Bytes file(bytes, false);
  for (std::size_t at = kSignature; file.has(at, kAround);) {
    const std::size_t length = file.u32(at);
    if (!file.has(at + 8, length)) return 1;
    if (bytes.substr(at + 4, 4) == "eXIf") return exif_orientation(bytes.substr(at + 8, length));
    at += kAround + length;
  }
  return 1;
}

int webp_orientation(std::string_view bytes) {
  const Bytes file(bytes, true);
  for (std::size_t at = 12; file.has(at, 8);) {  // after RIFF, its size and WEBP
    const std::size_t length = file.u32(at + 4);
    if (!file.has(at + 8, length)) return 1;
    if (bytes.substr(at, 4) == "EXIF") return exif_orientation(bytes.substr(at + 8, length));
    at += 8 + length + length % 2;
  }
  return 1;
}

}  // namespace hedge::data::internal

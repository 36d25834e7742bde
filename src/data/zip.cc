#include "data/zip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

namespace hedge::data {
namespace {

constexpr std::string_view kLocal = "PK\x03\x04", kCentral = "PK\x01\x02", kEnd = "PK\x05\x06", kEnd64 = "PK\x06\x06",
                           kLocator64 = "PK\x06\x07";
constexpr std::size_t kLocalBytes = 30, kCentralBytes = 46, kEndBytes = 22, kLocator64Bytes = 20, kEnd64Bytes = 56;
constexpr std::uint64_t kIn64 = 0xFFFFFFFF;
constexpr std::uint16_t kEncrypted = 1, kStored = 0, kDeflate = 8;

Error bad(std::string_view where, std::string what) {
  return {.code = ErrorCode::kBadFormat, .what = std::move(what), .where = std::string(where)};
}

/// The little-endian number of `length` bytes; 0 where the archive ends before.
std::uint64_t number(std::string_view bytes, std::uint64_t at, std::size_t length) {
  if (at > bytes.size() || bytes.size() - at < length) return 0;
  std::uint64_t value = 0;
  for (std::size_t i = length; i > 0; --i) value = value << 8 | static_cast<std::uint8_t>(bytes[at + i - 1]);
  return value;
}

/// Whether `what` stands at `at`, and `length` bytes from there are in the archive.
bool stands(std::string_view bytes, std::uint64_t at, std::string_view what, std::size_t length) {
  return at <= bytes.size() && bytes.size() - at >= length && bytes.substr(at, what.size()) == what;
}

struct Directory {
  std::uint64_t entries = 0, offset = 0;
};

/// The directory's place, from the record at the archive's end, behind which at most a comment of 2^16 - 1 bytes stands.
Result<Directory> find_directory(std::string_view bytes, std::string_view where) {
  if (bytes.size() < kEndBytes) return bad(where, "the ZIP archive is truncated");
  const std::size_t last = bytes.size() - kEndBytes, first = last > 0xFFFF ? last - 0xFFFF : 0;
  auto at = bytes.rfind(kEnd, last);
  if (at == std::string_view::npos || at < first) return bad(where, "the ZIP archive has no directory: it is truncated, or was not closed");
  Directory directory{.entries = number(bytes, at + 10, 2), .offset = number(bytes, at + 16, 4)};
  const bool has_locator = at >= kLocator64Bytes && stands(bytes, at - kLocator64Bytes, kLocator64, kLocator64Bytes);
  if (!has_locator) return directory;
  const auto end64 = number(bytes, at - kLocator64Bytes + 8, 8);
  if (!stands(bytes, end64, kEnd64, kEnd64Bytes)) return bad(where, "the ZIP archive's ZIP64 record lies outside of it");
  return Directory{.entries = number(bytes, end64 + 32, 8), .offset = number(bytes, end64 + 48, 8)};
}

/// Takes what does not fit into 32 bits from the entry's ZIP64 extra field.
Status read_zip64(std::string_view extra, ZipEntry& entry, std::string_view where) {
  std::vector<std::uint64_t*> wanted;
  for (auto* field : {&entry.size, &entry.compressed, &entry.offset})
    if (*field == kIn64) wanted.push_back(field);
  if (wanted.empty()) return {};
  constexpr std::uint64_t kZip64 = 1;
  for (std::size_t at = 0; at + 4 <= extra.size();) {
    const auto length = number(extra, at + 2, 2);
    if (number(extra, at, 2) == kZip64 && length >= 8 * wanted.size() && extra.size() - at - 4 >= length) {
      for (std::size_t i = 0; i < wanted.size(); ++i) *wanted[i] = number(extra, at + 4 + 8 * i, 8);
      return {};
    }
    at += 4 + length;
  }
  return bad(where, "the ZIP archive's entry " + entry.name + " lacks its ZIP64 sizes");
}

/// Owns a zlib stream, so that every way out ends it.
struct Inflater {
  z_stream stream{};
  bool ready = false;
  Inflater() { ready = inflateInit2(&stream, -15) == Z_OK; }  // negative: no header around the deflated bytes
  ~Inflater() {
    if (ready) inflateEnd(&stream);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
};

/// Inflates `from` into all of `to`; zlib counts in 32 bits.
bool inflate_all(std::string_view from, std::string& to) {
  Inflater inflater;
  if (!inflater.ready) return false;
  auto& stream = inflater.stream;
  std::size_t taken = 0, made = 0;
  int status = Z_OK;
  while (status == Z_OK) {
    constexpr std::size_t kStep = std::size_t{1} << 30;
    const auto in = std::min(kStep, from.size() - taken), out = std::min(kStep, to.size() - made);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(from.data() + taken));
    stream.avail_in = static_cast<uInt>(in);
    stream.next_out = reinterpret_cast<Bytef*>(to.data() + made);
    stream.avail_out = static_cast<uInt>(out);
    status = inflate(&stream, Z_NO_FLUSH);
    taken += in - stream.avail_in;
    made += out - stream.avail_out;
  }
  return status == Z_STREAM_END && made == to.size();
}

std::uint32_t checksum(std::string_view bytes) {
  return static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace

bool is_zip(std::string_view bytes) { return bytes.starts_with(kLocal) || bytes.starts_with(kEnd); }

Result<std::vector<ZipEntry>> list_zip(std::string_view bytes, std::string_view where) {
  HEDGE_TRY(const auto directory, find_directory(bytes, where));
  std::vector<ZipEntry> entries;
  auto at = directory.offset;
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    if (!stands(bytes, at, kCentral, kCentralBytes)) return bad(where, "the ZIP archive's directory lies outside of it");
    const auto name = number(bytes, at + 28, 2), extra = number(bytes, at + 30, 2), comment = number(bytes, at + 32, 2);
    if (bytes.size() - at - kCentralBytes < name + extra + comment) return bad(where, "the ZIP archive's directory is truncated");
    ZipEntry entry{.name = std::string(bytes.substr(at + kCentralBytes, name)),
                   .method = static_cast<std::uint16_t>(number(bytes, at + 10, 2)),
                   .flags = static_cast<std::uint16_t>(number(bytes, at + 8, 2)),
                   .crc = static_cast<std::uint32_t>(number(bytes, at + 16, 4)),
                   .compressed = number(bytes, at + 20, 4),
                   .size = number(bytes, at + 24, 4),
                   .offset = number(bytes, at + 42, 4)};
    HEDGE_CHECK(read_zip64(bytes.substr(at + kCentralBytes + name, extra), entry, where));
    entries.push_back(std::move(entry));
    at += kCentralBytes + name + extra + comment;
  }
  return entries;
}

Result<std::string> read_zip(std::string_view bytes, const ZipEntry& entry, std::string_view where) {
  const std::string at = std::string(where) + ": " + entry.name;
  if ((entry.flags & kEncrypted) != 0 || (entry.method != kStored && entry.method != kDeflate))
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "the archive's entry cannot be unpacked",
                 .where = at,
                 .got = (entry.flags & kEncrypted) != 0 ? "encryption" : "compression method " + std::to_string(entry.method),
                 .expected = "stored or deflated, as np.savez and np.savez_compressed write it"};
  if (!stands(bytes, entry.offset, kLocal, kLocalBytes)) return bad(at, "the archive's entry lies outside of it");
  const auto begin = entry.offset + kLocalBytes + number(bytes, entry.offset + 26, 2) + number(bytes, entry.offset + 28, 2);
  if (begin > bytes.size() || bytes.size() - begin < entry.compressed) return bad(at, "the archive's entry is truncated");
  const auto packed = bytes.substr(begin, entry.compressed);
  // Deflate makes at most 1032 bytes of one: more than that is asked for by no honest directory.
  constexpr std::uint64_t kMostRatio = 1032;
  const bool possible = entry.method == kStored ? entry.size == entry.compressed : entry.size / kMostRatio <= entry.compressed;
  if (!possible) return bad(at, "the archive's entry is corrupt");
  std::string content;
  if (entry.method == kStored) {
    content = packed;
  } else {
    content.resize(entry.size);
    if (!inflate_all(packed, content)) return bad(at, "the archive's entry is corrupt");
  }
  if (checksum(content) != entry.crc) return bad(at, "the archive's entry has another checksum than its directory says");
  return content;
}

}  // namespace hedge::data

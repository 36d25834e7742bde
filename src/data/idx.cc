#include "data/idx.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "core/file.h"

namespace hedge::data {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{1} << 18;
constexpr std::uint8_t kUnsignedByte = 0x08;
constexpr std::size_t kMostDims = 4;

Error bad_idx(std::string what, std::string_view where, std::string got = "", std::string expected = "") {
  return Error{.code = ErrorCode::kBadFormat,
               .what = std::move(what),
               .where = std::string(where),
               .got = std::move(got),
               .expected = std::move(expected)};
}

/// Owns a zlib stream, so that every way out ends it.
struct Inflater {
  z_stream stream{};
  bool ready = false;
  // 15 bits of window; + 16 asks for the gzip wrapper and nothing else.
  Inflater() { ready = inflateInit2(&stream, 15 + 16) == Z_OK; }
  ~Inflater() {
    if (ready) inflateEnd(&stream);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
};

std::size_t byte_at(std::string_view bytes, std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); }

std::int64_t big_endian_32(std::string_view bytes, std::size_t at) {
  std::int64_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value * 256 + static_cast<std::int64_t>(byte_at(bytes, at + i));
  return value;
}

Result<IdxArray> parse_plain(std::string_view bytes, std::string_view where) {
  if (bytes.size() < 4) return bad_idx("the IDX file is truncated", where, std::to_string(bytes.size()) + " bytes", "at least 4");
  if (byte_at(bytes, 0) != 0 || byte_at(bytes, 1) != 0 || byte_at(bytes, 3) == 0)
    return bad_idx("the file is no IDX file", where, "another magic number", "two zero bytes, a type and a count of dimensions");
  const auto rank = byte_at(bytes, 3);
  if (byte_at(bytes, 2) != kUnsignedByte || rank > kMostDims)
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "this kind of IDX file is not implemented",
                 .where = std::string(where),
                 .got = "type " + std::to_string(byte_at(bytes, 2)) + " with " + std::to_string(rank) + " dimensions",
                 .expected = "unsigned bytes (type 8) with 1 to 4 dimensions"};
  const std::size_t header = 4 + 4 * rank;
  if (bytes.size() < header) return bad_idx("the IDX file is truncated within its header", where);
  IdxArray array;
  for (std::size_t i = 0; i < rank; ++i) array.dims.push_back(big_endian_32(bytes, 4 + 4 * i));
  auto count = checked_num_elements(array.dims);
  if (!count) return bad_idx("the IDX file's dimensions are too large", where, to_string(array.dims));
  const auto values = bytes.substr(header);
  if (values.size() != static_cast<std::size_t>(*count))
    return bad_idx("the IDX file's size does not fit its dimensions " + to_string(array.dims), where,
                   std::to_string(values.size()) + " values", std::to_string(*count));
  array.values.assign(values.begin(), values.end());
  return array;
}

}  // namespace

Result<std::string> inflate_gzip(std::string_view bytes, std::string_view where, std::size_t most_bytes) {
  if (bytes.size() > std::numeric_limits<uInt>::max()) return bad_idx("the gzip file is too large", where);
  Inflater inflater;
  if (!inflater.ready) return Error{.code = ErrorCode::kInternal, .what = "zlib could not be started", .where = std::string(where)};
  auto& stream = inflater.stream;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // zlib only reads it
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  while (true) {
    const auto old = out.size();
    out.resize(old + kChunkBytes);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + old);
    stream.avail_out = static_cast<uInt>(kChunkBytes);
    const int status = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
    if (out.size() > most_bytes)
      return bad_idx("the gzip file inflates to too much", where, "more than " + std::to_string(most_bytes) + " bytes");
    if (status == Z_STREAM_END) {
      if (stream.avail_in == 0) return out;
      inflateReset(&stream);  // another member follows
    } else if (status == Z_BUF_ERROR || (status == Z_OK && stream.avail_in == 0 && stream.avail_out != 0)) {
      return bad_idx("the gzip file is truncated", where);
    } else if (status != Z_OK) {
      return bad_idx("the gzip file is damaged", where, stream.msg ? stream.msg : "");
    }
  }
}

Result<IdxArray> parse_idx(std::string_view bytes, std::string_view where, std::size_t most_bytes) {
  if (bytes.starts_with("\x1f\x8b")) {
    HEDGE_TRY(const auto plain, inflate_gzip(bytes, where, most_bytes));
    return parse_plain(plain, where);
  }
  return parse_plain(bytes, where);
}

Result<IdxArray> read_idx(const std::filesystem::path& path) {
  HEDGE_TRY(const auto bytes, read_file(path, kMostIdxBytes));
  return parse_idx(bytes, path.string());
}

}  // namespace hedge::data

#include <png.h>

#include <algorithm>
#include <array>
#include <bit>
#include <csetjmp>
#include <cstring>
#include <vector>

#include "data/internal/bytes.h"
#include "data/internal/exif.h"
#include "data/internal/formats.h"
#include "data/internal/rows.h"
#include "data/internal/size.h"

namespace hedge::data {
namespace {

/// Deflate cannot shrink by more than this factor: a header that promises more pixels than that is a lie.
constexpr std::size_t kMostDeflateRatio = 1032;
/// An image beyond what is decoded whole that unpacks to this many times its size holds nothing to see; it costs seconds each time.
constexpr std::size_t kBombRatio = 256;

/// What libpng's callbacks need; libpng carries a pointer to it. The functions below that call setjmp hold no object
/// with a destructor of their own, so a jump skips none.
struct Reader {
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::string_view bytes;
  std::size_t offset = 0;
  std::array<char, 128> message{};
  Reader() = default;
  ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
};

struct Writer {
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::string bytes;
  std::array<char, 128> message{};
  Writer() = default;
  ~Writer() { png_destroy_write_struct(&png, &info); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
};

/// The error pointer is the `message` of a Reader or Writer.
[[noreturn]] void on_error(png_structp png, png_const_charp text) {
  auto* message = static_cast<std::array<char, 128>*>(png_get_error_ptr(png));
  std::strncpy(message->data(), text, message->size() - 1);
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

void on_read(png_structp png, png_bytep out, std::size_t count) {
  auto* reader = static_cast<Reader*>(png_get_io_ptr(png));
  if (count > reader->bytes.size() - reader->offset) png_error(png, "unexpected end of file");
  std::memcpy(out, reader->bytes.data() + reader->offset, count);
  reader->offset += count;
}

bool append(std::string& to, const char* bytes, std::size_t count) noexcept {
  try {
    to.append(bytes, count);
    return true;
  } catch (const std::exception&) {
    return false;  // no exception may cross libpng's frames
  }
}

void on_write(png_structp png, png_bytep bytes, std::size_t count) {
  auto* writer = static_cast<Writer*>(png_get_io_ptr(png));
  if (!append(writer->bytes, reinterpret_cast<const char*>(bytes), count)) png_error(png, "out of memory");
}

void on_flush(png_structp) {}

bool read_header(Reader& reader) {
  reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader.message, on_error, on_warning);
  if (reader.png == nullptr) return false;
  if (setjmp(png_jmpbuf(reader.png)) != 0) return false;
  reader.info = png_create_info_struct(reader.png);
  if (reader.info == nullptr) return false;
  png_set_read_fn(reader.png, &reader, on_read);
  png_set_user_limits(reader.png, 0x7fffffff, 0x7fffffff);  // ours are checked, and named, by check_size
  png_read_info(reader.png, reader.info);
  return true;
}

/// Asks for gray or RGB of 8 or 16 bits in the host's order, with alpha where there is one, whatever is stored.
bool set_transforms(Reader& reader) {
  if (setjmp(png_jmpbuf(reader.png)) != 0) return false;
  const auto color = png_get_color_type(reader.png, reader.info);
  if (color == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(reader.png);
  if (color == PNG_COLOR_TYPE_GRAY) png_set_expand_gray_1_2_4_to_8(reader.png);
  if (std::endian::native == std::endian::little) png_set_swap(reader.png);
  png_set_interlace_handling(reader.png);
  png_read_update_info(reader.png, reader.info);
  return true;
}

bool read_row(Reader& reader, std::uint8_t* row) {
  if (setjmp(png_jmpbuf(reader.png)) != 0) return false;
  png_read_row(reader.png, row, nullptr);
  return true;
}

bool read_interlaced(Reader& reader, std::uint8_t** rows) {
  if (setjmp(png_jmpbuf(reader.png)) != 0) return false;
  png_read_image(reader.png, rows);
  return true;
}

bool read_end(Reader& reader) {
  if (setjmp(png_jmpbuf(reader.png)) != 0) return false;
  png_read_end(reader.png, nullptr);
  return true;
}

bool write_all(Writer& writer, const Image& image, std::uint8_t** rows) {
  writer.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &writer.message, on_error, on_warning);
  if (writer.png == nullptr) return false;
  if (setjmp(png_jmpbuf(writer.png)) != 0) return false;
  writer.info = png_create_info_struct(writer.png);
  if (writer.info == nullptr) return false;
  png_set_write_fn(writer.png, &writer, on_write, on_flush);
  png_set_IHDR(writer.png, writer.info, static_cast<png_uint_32>(image.width), static_cast<png_uint_32>(image.height), 8,
               image.channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  png_write_info(writer.png, writer.info);
  png_write_image(writer.png, rows);
  png_write_end(writer.png, nullptr);
  return true;
}

std::vector<std::uint8_t*> row_pointers(std::uint8_t* pixels, std::int64_t height, std::int64_t row_bytes) {
  std::vector<std::uint8_t*> rows;
  for (std::int64_t y = 0; y < height; ++y) rows.push_back(pixels + y * row_bytes);
  return rows;
}

Error damaged(const Reader& reader, std::string_view where) {
  return Error{
      .code = ErrorCode::kBadFormat, .what = "the PNG is truncated or damaged", .where = std::string(where), .got = reader.message.data()};
}

bool is_interlaced(const Reader& reader) { return png_get_interlace_type(reader.png, reader.info) != PNG_INTERLACE_NONE; }

Error cut_short(std::string_view where) {
  return Error{.code = ErrorCode::kBadFormat,
               .what = "the PNG is truncated or damaged",
               .where = std::string(where),
               .got = "a chunk that is longer than the file"};
}

/// Refuses what unpacks to far more than it holds, before it is unpacked.
Status check_unpacked(const Reader& reader, const ImageInfo& info, std::string_view where) {
  const auto stored_bytes = png_get_rowbytes(reader.png, reader.info) * static_cast<std::size_t>(info.height);
  const auto times = stored_bytes / std::max<std::size_t>(reader.bytes.size(), 1);
  const bool lies = times > kMostDeflateRatio;
  if (!lies && (info.reduction == 1 || times <= kBombRatio)) return {};
  return Error{
      .code = lies ? ErrorCode::kBadFormat : ErrorCode::kUnsupported,
      .what = lies ? "the PNG is too short for its size" : "the PNG unpacks to far more than it holds, as a decompression bomb does",
      .where = std::string(where),
      .got = std::to_string(reader.bytes.size()) + " bytes for " + std::to_string(info.height) + " x " + std::to_string(info.width),
      .hint = lies ? "" : "make such images smaller if they are meant"};
}

/// Whether each chunk ends within the file, up to the pixels or (`whole`) the end: libpng takes memory for what a chunk's length says.
bool chunks_fit(std::string_view bytes, bool whole) {
  constexpr std::size_t kSignature = 8, kAround = 12;  // a chunk's length, type and checksum
  const internal::Bytes file(bytes, false);
  for (std::size_t at = kSignature; file.has(at, 8);) {
    const std::size_t length = file.u32(at);
    const auto type = bytes.substr(at + 4, 4);
    if (!whole && type == "IDAT") return true;
    if (!file.has(at, kAround + length)) return false;
    if (type == "IEND") return true;
    at += kAround + length;
  }
  return true;  // libpng says what is missing
}

Result<ImageInfo> open(Reader& reader, std::string_view bytes, std::string_view where, const DecodeLimits& limits) {
  reader.bytes = bytes;
  if (!chunks_fit(bytes, false)) return cut_short(where);
  if (!read_header(reader)) return damaged(reader, where);
  const auto height = static_cast<std::int64_t>(png_get_image_height(reader.png, reader.info));
  const auto width = static_cast<std::int64_t>(png_get_image_width(reader.png, reader.info));
  HEDGE_CHECK(internal::check_size(height, width, where, limits));
  const auto color = png_get_color_type(reader.png, reader.info);
  const bool palette_alpha = color == PNG_COLOR_TYPE_PALETTE && png_get_valid(reader.png, reader.info, PNG_INFO_tRNS) != 0;
  const ImageInfo info{.format = ImageFormat::kPng,
                       .height = height,
                       .width = width,
                       .channels = (color & PNG_COLOR_MASK_COLOR) == 0 ? 1 : 3,
                       .orientation = internal::png_orientation(bytes),
                       .reduction = internal::reduction_for(height, width, limits),
                       .deep = png_get_bit_depth(reader.png, reader.info) == 16,
                       .has_alpha = (color & PNG_COLOR_MASK_ALPHA) != 0 || palette_alpha};
  if (is_interlaced(reader)) HEDGE_CHECK(internal::check_whole(height, width, "interlaced PNG", where, limits));
  HEDGE_CHECK(internal::check_reduced(info, where, limits));
  HEDGE_CHECK(check_unpacked(reader, info, where));
  return info;
}

/// All rows, whatever their order in the file.
Status read_pixels(Reader& reader, const ImageInfo& info, std::string_view where, internal::RowSink& sink) {
  const auto row_bytes = png_get_rowbytes(reader.png, reader.info);
  if (!is_interlaced(reader)) {
    std::vector<std::uint8_t> row(row_bytes);
    for (std::int64_t y = 0; y < info.height; ++y) {
      if (!read_row(reader, row.data())) return damaged(reader, where);
      sink.add(row.data());
    }
    return {};
  }
  std::vector<std::uint8_t> whole(row_bytes * static_cast<std::size_t>(info.height));
  auto rows = row_pointers(whole.data(), info.height, static_cast<std::int64_t>(row_bytes));
  if (!read_interlaced(reader, rows.data())) return damaged(reader, where);
  for (const auto* row : rows) sink.add(row);
  return {};
}

}  // namespace

namespace internal {

bool is_png(std::string_view bytes) { return bytes.starts_with("\x89PNG\r\n\x1a\n"); }

Result<ImageInfo> probe_png(std::string_view bytes, std::string_view where, const DecodeLimits& limits) {
  Reader reader;
  return open(reader, bytes, where, limits);
}

Result<Image> decode_png(std::string_view bytes, std::string_view where, const DecodeLimits& limits) {
  Reader reader;
  HEDGE_TRY(const auto info, open(reader, bytes, where, limits));
  if (!chunks_fit(bytes, true)) return cut_short(where);
  if (!set_transforms(reader)) return damaged(reader, where);
  RowForm form{.height = info.height, .width = info.width, .channels = info.channels, .deep = info.deep, .reduction = info.reduction};
  form.samples = info.channels + (info.has_alpha ? 1 : 0);
  if (info.has_alpha) form.alpha = info.channels;
  if (png_get_rowbytes(reader.png, reader.info) != static_cast<std::size_t>(info.width * form.samples * (info.deep ? 2 : 1)))
    return Error{.code = ErrorCode::kUnsupported, .what = "the PNG's colour type is not implemented", .where = std::string(where)};
  RowSink sink(form);
  HEDGE_CHECK(read_pixels(reader, info, where, sink));
  if (!read_end(reader)) return damaged(reader, where);
  auto image = sink.take();
  image.orientation = info.orientation;
  return image;
}

}  // namespace internal

Result<std::string> encode_png(const Image& image) {
  HEDGE_CHECK(validate_image(image));
  Writer writer;
  // libpng only reads the rows.
  auto rows = row_pointers(const_cast<std::uint8_t*>(image.pixels.data()), image.height, image.width * image.channels);
  if (!write_all(writer, image, rows.data()))
    return Error{.code = ErrorCode::kInternal, .what = "libpng failed", .got = writer.message.data()};
  return std::move(writer.bytes);
}

}  // namespace hedge::data

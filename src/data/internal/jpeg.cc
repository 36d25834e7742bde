#include <csetjmp>
#include <cstddef>
#include <cstdio>
// jpeglib.h needs size_t and FILE before it.
#include <jerror.h>
#include <jpeglib.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

#include "data/internal/exif.h"
#include "data/internal/formats.h"
#include "data/internal/size.h"

namespace hedge::data {
namespace {

/// A progressive file of a few bytes can ask for thousands of passes over a large image.
constexpr int kMostScans = 256;

/// libjpeg's error state plus where to jump. The library's callbacks reach it through `base`, its first member.
struct ErrorState {
  jpeg_error_mgr base{};
  std::jmp_buf jump{};
  std::array<char, JMSG_LENGTH_MAX> message{};
};

[[noreturn]] void fail(j_common_ptr info) {
  auto* state = reinterpret_cast<ErrorState*>(info->err);
  (*info->err->format_message)(info, state->message.data());
  std::longjmp(state->jump, 1);
}

/// libjpeg mends damaged data with gray and calls that a warning; for a data set it is an error. These warnings are
/// about markers alone and lose no pixel.
bool is_harmless(int code) {
  return code == JWRN_EXTRANEOUS_DATA || code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR || code == JWRN_NOT_SEQUENTIAL ||
         code == JWRN_TOO_MUCH_DATA;
}

void on_message(j_common_ptr info, int level) {
  if (level < 0 && !is_harmless(info->err->msg_code)) fail(info);
}

void on_output(j_common_ptr) {}

void set_up(ErrorState& state) {
  jpeg_std_error(&state.base);
  state.base.error_exit = fail;
  state.base.emit_message = on_message;
  state.base.output_message = on_output;
}

void on_progress(j_common_ptr info) {
  if (!info->is_decompressor || reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= kMostScans) return;
  auto* state = reinterpret_cast<ErrorState*>(info->err);
  std::snprintf(state->message.data(), state->message.size(), "more than %d scans", kMostScans);
  std::longjmp(state->jump, 1);
}

/// The functions below that call setjmp hold no object with a destructor of their own, so a jump skips none.
struct Reader {
  ErrorState error;
  jpeg_progress_mgr progress{};
  jpeg_decompress_struct info{};
  Reader() {
    set_up(error);
    info.err = &error.base;
    progress.progress_monitor = on_progress;
  }
  ~Reader() { jpeg_destroy_decompress(&info); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
};

bool read_header(Reader& reader, std::string_view bytes) {
  if (setjmp(reader.error.jump) != 0) return false;
  jpeg_create_decompress(&reader.info);
  reader.info.progress = &reader.progress;
  jpeg_mem_src(&reader.info, reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<unsigned long>(bytes.size()));
  jpeg_read_header(&reader.info, TRUE);
  return true;
}

bool start(Reader& reader) {
  if (setjmp(reader.error.jump) != 0) return false;
  jpeg_start_decompress(&reader.info);
  return true;
}

bool read_row(Reader& reader, std::uint8_t* row) {
  if (setjmp(reader.error.jump) != 0) return false;
  return jpeg_read_scanlines(&reader.info, &row, 1) == 1;
}

bool finish(Reader& reader) {
  if (setjmp(reader.error.jump) != 0) return false;
  return jpeg_finish_decompress(&reader.info) == TRUE;
}

/// Photoshop stores inverted inks and says so with an Adobe marker.
void cmyk_to_rgb(const std::vector<std::uint8_t>& inks, bool inverted, std::uint8_t* rgb) {
  for (std::size_t i = 0; i < inks.size() / 4; ++i) {
    const unsigned flip = inverted ? 0U : 255U;
    const unsigned black = inks[4 * i + 3] ^ flip;
    for (std::size_t c = 0; c < 3; ++c) rgb[3 * i + c] = static_cast<std::uint8_t>(((inks[4 * i + c] ^ flip) * black + 127) / 255);
  }
}

Error damaged(const Reader& reader, std::string_view where) {
  const auto code = reader.info.err->msg_code;
  if (code == JERR_SOF_UNSUPPORTED || code == JERR_BAD_PRECISION || code == JERR_ARITH_NOTIMPL)
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "this kind of JPEG (lossless, 12 bits or arithmetic coding) is not implemented",
                 .where = std::string(where),
                 .got = reader.error.message.data(),
                 .hint = "convert them, for example: magick mogrify -format png FILES"};
  return Error{.code = ErrorCode::kBadFormat,
               .what = "the JPEG is truncated or damaged",
               .where = std::string(where),
               .got = reader.error.message.data()};
}

/// Reads and checks the header and chooses what the decoder gives: gray, RGB, or CMYK to be converted.
Result<ImageInfo> open(Reader& reader, std::string_view bytes, std::string_view where, const DecodeLimits& limits) {
  if (!read_header(reader, bytes)) return damaged(reader, where);
  auto& info = reader.info;
  HEDGE_CHECK(internal::check_size(info.image_height, info.image_width, where, limits));
  switch (info.jpeg_color_space) {
    case JCS_GRAYSCALE: info.out_color_space = JCS_GRAYSCALE; break;
    case JCS_RGB:
    case JCS_YCbCr: info.out_color_space = JCS_RGB; break;
    case JCS_CMYK:
    case JCS_YCCK: info.out_color_space = JCS_CMYK; break;
    default:
      return Error{.code = ErrorCode::kUnsupported,
                   .what = "the JPEG's colour space is not implemented",
                   .where = std::string(where),
                   .got = std::to_string(info.num_components) + " components",
                   .expected = "gray, RGB, YCbCr, CMYK or YCCK"};
  }
  ImageInfo image{.format = ImageFormat::kJpeg,
                  .height = info.image_height,
                  .width = info.image_width,
                  .channels = info.out_color_space == JCS_GRAYSCALE ? 1 : 3,
                  .orientation = internal::jpeg_orientation(bytes),
                  .reduction = internal::reduction_for(info.image_height, info.image_width, limits),
                  .unmarked_cmyk = info.out_color_space == JCS_CMYK && info.saw_Adobe_marker != TRUE};
  // Several scans are merged in memory, at full size, whatever size is asked for.
  if (image.reduction > 1 && jpeg_has_multiple_scans(&info) == TRUE)
    HEDGE_CHECK(internal::check_whole(image.height, image.width, "progressive JPEG", where, limits));
  HEDGE_CHECK(internal::check_reduced(image, where, limits));
  info.scale_num = 1;
  info.scale_denom = static_cast<unsigned>(image.reduction);
  return image;
}

struct Writer {
  ErrorState error;
  jpeg_compress_struct info{};
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  Writer() {
    set_up(error);
    info.err = &error.base;
  }
  ~Writer() {
    jpeg_destroy_compress(&info);
    std::free(bytes);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
};

bool write(Writer& writer, const Image& image, int quality) {
  if (setjmp(writer.error.jump) != 0) return false;
  auto& info = writer.info;
  jpeg_create_compress(&info);
  jpeg_mem_dest(&info, &writer.bytes, &writer.size);
  info.image_height = static_cast<JDIMENSION>(image.height);
  info.image_width = static_cast<JDIMENSION>(image.width);
  info.input_components = static_cast<int>(image.channels);
  info.in_color_space = image.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, quality, TRUE);
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    const auto offset = static_cast<std::size_t>(info.next_scanline) * static_cast<std::size_t>(image.width * image.channels);
    auto* row = const_cast<std::uint8_t*>(image.pixels.data() + offset);  // libjpeg only reads it
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  return true;
}

}  // namespace

namespace internal {

bool is_jpeg(std::string_view bytes) { return bytes.starts_with("\xff\xd8\xff"); }

Result<ImageInfo> probe_jpeg(std::string_view bytes, std::string_view where, const DecodeLimits& limits) {
  Reader reader;
  return open(reader, bytes, where, limits);
}

Result<Image> decode_jpeg(std::string_view bytes, std::string_view where, const DecodeLimits& limits) {
  Reader reader;
  HEDGE_TRY(const auto info, open(reader, bytes, where, limits));
  if (!start(reader)) return damaged(reader, where);
  Image image{.height = internal::reduced(info.height, info.reduction),
              .width = internal::reduced(info.width, info.reduction),
              .channels = info.channels,
              .pixels = {},
              .orientation = info.orientation,
              .reduction = info.reduction,
              .stored = {.unmarked_cmyk = info.unmarked_cmyk}};
  if (reader.info.output_height != image.height || reader.info.output_width != image.width)
    return Error{.code = ErrorCode::kInternal, .what = "libjpeg gives another size than it was asked for", .where = std::string(where)};
  const auto row_bytes = static_cast<std::size_t>(image.width * info.channels);
  // Memory is touched by the rows that really come, so a lying header costs nothing.
  image.pixels.reserve(row_bytes * static_cast<std::size_t>(image.height));
  const bool cmyk = reader.info.out_color_space == JCS_CMYK;
  std::vector<std::uint8_t> inks(cmyk ? static_cast<std::size_t>(image.width) * 4 : 0);
  for (std::int64_t y = 0; y < image.height; ++y) {
    const auto offset = image.pixels.size();
    image.pixels.resize(offset + row_bytes);
    if (!read_row(reader, cmyk ? inks.data() : image.pixels.data() + offset)) return damaged(reader, where);
    if (cmyk) cmyk_to_rgb(inks, !info.unmarked_cmyk, image.pixels.data() + offset);
  }
  if (!finish(reader)) return damaged(reader, where);
  return image;
}

}  // namespace internal

Result<std::string> encode_jpeg(const Image& image, int quality) {
  HEDGE_CHECK(validate_image(image));
  if (quality < 1 || quality > 100 || image.height > JPEG_MAX_DIMENSION || image.width > JPEG_MAX_DIMENSION)
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "the image cannot be a JPEG",
                 .got = "quality " + std::to_string(quality) + ", " + std::to_string(image.height) + " x " + std::to_string(image.width),
                 .expected = "a quality of 1..100 and sides of at most " + std::to_string(JPEG_MAX_DIMENSION)};
  Writer writer;
  if (!write(writer, image, quality))
    return Error{.code = ErrorCode::kInternal, .what = "libjpeg failed", .got = writer.error.message.data()};
  return std::string(reinterpret_cast<const char*>(writer.bytes), writer.size);
}

}  // namespace hedge::data

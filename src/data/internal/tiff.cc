#include <tiffio.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/internal/formats.h"
#include "data/internal/rows.h"
#include "data/internal/size.h"

namespace hedge::data::internal {
namespace {

using namespace std::string_view_literals;

/// A row of 16384 pixels of five 16-bit samples is far smaller; what is larger is no image that is decoded here.
constexpr std::int64_t kMostBlockBytes = std::int64_t{1} << 27;
constexpr int kMostSamples = 5;
constexpr std::uint16_t kColourFilterArray = 32803;

/// A file in memory, and what libtiff has to say about it.
struct Source {
  std::string_view bytes;
  std::uint64_t at = 0;
  bool warned = false;
  std::array<char, 160> message{};
};

int note(Source& source, const char* format, std::va_list arguments) {
  std::vsnprintf(source.message.data(), source.message.size(), format, arguments);
  return 1;  // it is dealt with: nothing is printed
}

int on_error(TIFF*, void* user, const char*, const char* format, std::va_list arguments) {
  return note(*static_cast<Source*>(user), format, arguments);
}

int on_warning(TIFF*, void* user, const char*, const char* format, std::va_list arguments) {
  auto& source = *static_cast<Source*>(user);
  source.warned = true;
  return note(source, format, arguments);
}

tmsize_t on_read(thandle_t handle, void* out, tmsize_t count) {
  auto& source = *static_cast<Source*>(handle);
  if (source.at >= source.bytes.size() || count <= 0) return 0;
  const auto given = std::min<std::uint64_t>(static_cast<std::uint64_t>(count), source.bytes.size() - source.at);
  std::memcpy(out, source.bytes.data() + source.at, given);
  source.at += given;
  return static_cast<tmsize_t>(given);
}

tmsize_t on_write(thandle_t, void*, tmsize_t) { return 0; }

toff_t on_seek(thandle_t handle, toff_t offset, int whence) {
  auto& source = *static_cast<Source*>(handle);
  source.at = whence == SEEK_SET ? offset : whence == SEEK_CUR ? source.at + offset : source.bytes.size() + offset;
  return source.at;
}

int on_close(thandle_t) { return 0; }

toff_t on_size(thandle_t handle) { return static_cast<Source*>(handle)->bytes.size(); }

int on_map(thandle_t, void**, toff_t*) { return 0; }

void on_unmap(thandle_t, void*, toff_t) {}

struct Reader {
  Source source;
  TIFF* tiff = nullptr;
  explicit Reader(std::string_view bytes) : source{.bytes = bytes} {
    auto* options = TIFFOpenOptionsAlloc();
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, kMostBlockBytes);
    TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, &source);
    TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, &source);
    // No chopping of large strips into smaller ones ('c'), no memory mapping ('m').
    tiff = TIFFClientOpenExt("image", "rmc", &source, on_read, on_write, on_seek, on_close, on_size, on_map, on_unmap, options);
    TIFFOpenOptionsFree(options);
  }
  ~Reader() {
    if (tiff != nullptr) TIFFClose(tiff);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
};

Error damaged(const Reader& reader, std::string_view where) {
  return Error{.code = ErrorCode::kBadFormat,
               .what = "the TIFF is truncated or damaged",
               .where = std::string(where),
               .got = reader.source.message.data()};
}

Error not_implemented(std::string_view where, std::string got) {
  return Error{.code = ErrorCode::kUnsupported,
               .what = "this kind of TIFF is not implemented",
               .where = std::string(where),
               .got = std::move(got),
               .expected = "gray, RGB or a palette, of whole numbers of 1 to 16 bits",
               .hint = "convert them, for example: magick mogrify -format png FILES"};
}

/// How the first image of the file is stored.
struct Layout {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::uint16_t bits = 1;
  std::uint16_t samples = 1;
  std::uint16_t meaning = 0;  ///< PHOTOMETRIC_…
  std::uint16_t packing = COMPRESSION_NONE;
  bool planes = false;  ///< each sample by itself
  std::optional<std::int64_t> alpha;
  int orientation = 1;
};

std::uint16_t tag(TIFF* tiff, std::uint32_t which, std::uint16_t otherwise) {
  std::uint16_t value = otherwise;
  if (TIFFGetFieldDefaulted(tiff, which, &value) == 0) value = otherwise;
  return value;
}

/// A raw photograph's first image is a preview of another size and colour: decoding it would be wrong without a word.
Status check_not_raw(TIFF* tiff, std::string_view where) {
  std::uint32_t kind = 0;
  std::uint16_t count = 0;
  const std::uint8_t* version = nullptr;
  TIFFGetField(tiff, TIFFTAG_SUBFILETYPE, &kind);
  const bool raw = (kind & FILETYPE_REDUCEDIMAGE) != 0 || TIFFGetField(tiff, TIFFTAG_DNGVERSION, &count, &version) != 0 ||
                   tag(tiff, TIFFTAG_PHOTOMETRIC, 0) == kColourFilterArray;
  if (!raw) return {};
  return Error{.code = ErrorCode::kUnsupported,
               .what = "raw camera files (DNG, NEF, ARW and others) are not decoded",
               .where = std::string(where),
               .hint = "develop them to JPEG or PNG with your camera's program or darktable-cli"};
}

bool is_known(const Layout& layout) {
  const bool gray = layout.meaning == PHOTOMETRIC_MINISBLACK || layout.meaning == PHOTOMETRIC_MINISWHITE;
  const bool palette = layout.meaning == PHOTOMETRIC_PALETTE;
  const bool few_bits = layout.bits == 1 || layout.bits == 2 || layout.bits == 4;
  if (gray || palette) return (few_bits && layout.samples == 1) || layout.bits == 8 || (layout.bits == 16 && gray);
  return layout.meaning == PHOTOMETRIC_RGB && layout.samples >= 3 && (layout.bits == 8 || layout.bits == 16);
}

/// libtiff's JPEG codec gives RGB where it is asked to.
void ask_for_rgb(TIFF* tiff, Layout& layout) {
  if (layout.meaning != PHOTOMETRIC_YCBCR || layout.packing != COMPRESSION_JPEG || layout.planes) return;
  TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
  layout.meaning = PHOTOMETRIC_RGB;
}

std::optional<std::int64_t> alpha_sample(TIFF* tiff, const Layout& layout, std::int64_t colours) {
  std::uint16_t count = 0;
  const std::uint16_t* kinds = nullptr;
  if (TIFFGetField(tiff, TIFFTAG_EXTRASAMPLES, &count, &kinds) == 0) return std::nullopt;
  for (std::int64_t i = 0; i < count && colours + i < layout.samples; ++i)
    if (kinds[i] == EXTRASAMPLE_ASSOCALPHA || kinds[i] == EXTRASAMPLE_UNASSALPHA) return colours + i;
  return std::nullopt;
}

std::int64_t colours_of(const Layout& layout) { return layout.meaning == PHOTOMETRIC_RGB ? 3 : 1; }

Result<Layout> open(const Reader& reader, std::string_view where, const DecodeLimits& limits) {
  auto* tiff = reader.tiff;
  if (tiff == nullptr) return damaged(reader, where);
  HEDGE_CHECK(check_not_raw(tiff, where));
  std::uint32_t height = 0, width = 0;
  if (TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height) == 0 || TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width) == 0)
    return damaged(reader, where);
  HEDGE_CHECK(check_whole(height, width, "TIFF", where, limits));
  Layout layout{.height = height,
                .width = width,
                .bits = tag(tiff, TIFFTAG_BITSPERSAMPLE, 1),
                .samples = tag(tiff, TIFFTAG_SAMPLESPERPIXEL, 1),
                .meaning = tag(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK),
                .packing = tag(tiff, TIFFTAG_COMPRESSION, COMPRESSION_NONE),
                .planes = tag(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG) == PLANARCONFIG_SEPARATE,
                .orientation = tag(tiff, TIFFTAG_ORIENTATION, 1)};
  if (layout.orientation < 1 || layout.orientation > 8) layout.orientation = 1;
  const auto numbers = tag(tiff, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
  if (numbers != SAMPLEFORMAT_UINT && numbers != SAMPLEFORMAT_VOID)
    return not_implemented(where, numbers == SAMPLEFORMAT_IEEEFP ? "floating-point numbers" : "numbers with a sign");
  if (layout.packing == COMPRESSION_OJPEG || TIFFIsCODECConfigured(layout.packing) == 0)
    return not_implemented(where, "compression " + std::to_string(layout.packing));
  ask_for_rgb(tiff, layout);
  if (!is_known(layout) || layout.samples < 1 || layout.samples > kMostSamples)
    return not_implemented(where, std::to_string(layout.samples) + " samples of " + std::to_string(layout.bits) +
                                      " bits, photometric interpretation " + std::to_string(layout.meaning));
  layout.alpha = alpha_sample(tiff, layout, colours_of(layout));
  return layout;
}

/// The colours of a palette, as u8. Some writers store 8 bits where the standard wants 16.
struct Palette {
  std::vector<std::array<std::uint8_t, 3>> colours;
};

std::optional<Palette> read_palette(TIFF* tiff, const Layout& layout) {
  std::array<std::uint16_t*, 3> maps{};
  if (TIFFGetField(tiff, TIFFTAG_COLORMAP, &maps[0], &maps[1], &maps[2]) == 0) return std::nullopt;
  const std::size_t count = std::size_t{1} << layout.bits;
  bool deep = false;
  for (const auto* map : maps) deep = deep || std::any_of(map, map + count, [](std::uint16_t v) { return v > 255; });
  Palette palette;
  for (std::size_t i = 0; i < count; ++i) {
    const auto level = [&](std::size_t c) { return static_cast<std::uint8_t>(deep ? maps[c][i] >> 8 : maps[c][i]); };
    palette.colours.push_back({level(0), level(1), level(2)});
  }
  return palette;
}

/// Rows of samples as whole numbers, of one plane or of all samples together, whether the file has strips or tiles.
class Blocks {
 public:
  Blocks(TIFF* tiff, const Layout& layout) : tiff_(tiff), layout_(layout), in_pixel_(layout.planes ? 1 : layout.samples) {
    tiled_ = TIFFIsTiled(tiff) != 0;
    if (tiled_) {
      TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &tile_width_);
      TIFFGetField(tiff, TIFFTAG_TILELENGTH, &tile_height_);
    }
  }

  /// Whether a block's size is plausible for the image's.
  [[nodiscard]] bool is_plausible() const {
    const auto row = static_cast<std::int64_t>(tiled_ ? TIFFTileRowSize(tiff_) : TIFFScanlineSize(tiff_));
    const auto pixels = tiled_ ? static_cast<std::int64_t>(tile_width_) : layout_.width;
    if (pixels < 1 || row != (pixels * in_pixel_ * layout_.bits + 7) / 8) return false;
    if (!tiled_) return true;
    const auto across = (layout_.width + pixels - 1) / pixels;
    return tile_height_ > 0 && TIFFTileSize(tiff_) == row * tile_height_ && across * row * tile_height_ <= kMostBlockBytes;
  }

  /// Calls `use(y, samples)` for each row of the plane, from the top. False where the file is damaged.
  template <typename Use>
  bool each_row(std::uint16_t plane, const Use& use) {
    std::vector<std::uint16_t> samples(static_cast<std::size_t>(layout_.width * in_pixel_));
    if (!tiled_) {
      std::vector<std::uint8_t> row(static_cast<std::size_t>(TIFFScanlineSize(tiff_)));
      for (std::int64_t y = 0; y < layout_.height; ++y) {
        if (TIFFReadScanline(tiff_, row.data(), static_cast<std::uint32_t>(y), plane) != 1) return false;
        unpack(row.data(), layout_.width, samples.data());
        use(y, samples);
      }
      return true;
    }
    for (std::int64_t top = 0; top < layout_.height; top += tile_height_) {
      if (!read_tiles(top, plane)) return false;
      for (std::int64_t y = top; y < std::min<std::int64_t>(top + tile_height_, layout_.height); ++y) {
        gather(y - top, samples);
        use(y, samples);
      }
    }
    return true;
  }

 private:
  /// All tiles of a row of tiles.
  bool read_tiles(std::int64_t top, std::uint16_t plane) {
    const auto size = static_cast<std::size_t>(TIFFTileSize(tiff_));
    const auto across = (layout_.width + tile_width_ - 1) / tile_width_;
    tiles_.resize(size * static_cast<std::size_t>(across));
    for (std::int64_t i = 0; i < across; ++i) {
      auto* tile = tiles_.data() + static_cast<std::size_t>(i) * size;
      if (TIFFReadTile(tiff_, tile, static_cast<std::uint32_t>(i * tile_width_), static_cast<std::uint32_t>(top), 0, plane) < 0)
        return false;
    }
    return true;
  }

  void gather(std::int64_t row, std::vector<std::uint16_t>& samples) const {
    const auto size = static_cast<std::size_t>(TIFFTileSize(tiff_)), row_bytes = static_cast<std::size_t>(TIFFTileRowSize(tiff_));
    for (std::int64_t x = 0; x < layout_.width; x += tile_width_) {
      const auto* from = tiles_.data() + static_cast<std::size_t>(x / tile_width_) * size + static_cast<std::size_t>(row) * row_bytes;
      unpack(from, std::min<std::int64_t>(tile_width_, layout_.width - x), samples.data() + x * in_pixel_);
    }
  }

  void unpack(const std::uint8_t* row, std::int64_t pixels, std::uint16_t* out) const {
    const auto count = static_cast<std::size_t>(pixels * in_pixel_);
    if (layout_.bits == 16) {
      std::memcpy(out, row, 2 * count);  // libtiff gives the host's byte order
      return;
    }
    const std::size_t bits = layout_.bits;
    for (std::size_t i = 0; i < count; ++i)
      out[i] = static_cast<std::uint16_t>((row[i * bits / 8] >> (8 - bits - i * bits % 8)) & ((1U << bits) - 1));
  }

  TIFF* tiff_;
  const Layout& layout_;
  std::int64_t in_pixel_;  ///< samples that lie together
  bool tiled_ = false;
  std::uint32_t tile_width_ = 0, tile_height_ = 0;
  std::vector<std::uint8_t> tiles_;
};

/// Samples become pixels.
class Painter {
 public:
  Painter(const Layout& layout, std::optional<Palette> palette) : layout_(layout), palette_(std::move(palette)) {
    image_.height = layout.height;
    image_.width = layout.width;
    image_.channels = palette_ ? 3 : colours_of(layout);
    image_.orientation = layout.orientation;
    image_.stored = {.deep = layout.bits == 16, .lowest = 65535, .highest = 0};
    image_.pixels.resize(static_cast<std::size_t>(image_.height * image_.width * image_.channels));
  }

  /// A row of all samples, or of `plane` where each is by itself.
  void paint(std::int64_t y, const std::vector<std::uint16_t>& samples, std::uint16_t plane) {
    auto* out = image_.pixels.data() + y * image_.width * image_.channels;
    const std::int64_t in_pixel = layout_.planes ? 1 : layout_.samples;
    for (std::int64_t x = 0; x < image_.width; ++x, out += image_.channels) {
      const auto* pixel = samples.data() + x * in_pixel;
      if (layout_.planes)
        paint_sample(plane, *pixel, out);
      else
        for (std::int64_t s = 0; s < in_pixel; ++s) paint_sample(s, pixel[s], out);
    }
  }

  Image take() {
    image_.stored.transparent = layout_.alpha.has_value() && !opaque_somewhere_;
    if (!image_.stored.deep) image_.stored.lowest = 0;
    return std::move(image_);
  }

 private:
  void paint_sample(std::int64_t sample, std::uint16_t value, std::uint8_t* pixel) {
    if (layout_.alpha == sample && value != 0) opaque_somewhere_ = true;
    if (sample >= colours_of(layout_)) return;
    if (palette_) {
      std::copy(palette_->colours[value].begin(), palette_->colours[value].end(), pixel);
      return;
    }
    if (image_.stored.deep) {
      image_.stored.lowest = std::min(image_.stored.lowest, value);
      image_.stored.highest = std::max(image_.stored.highest, value);
    }
    const auto most = (1U << layout_.bits) - 1;
    const auto level = image_.stored.deep ? upper_8(value) : static_cast<std::uint8_t>(value * 255U / most);
    pixel[sample] = layout_.meaning == PHOTOMETRIC_MINISWHITE ? static_cast<std::uint8_t>(255 - level) : level;
  }

  const Layout& layout_;
  std::optional<Palette> palette_;
  Image image_;
  bool opaque_somewhere_ = false;
};

}  // namespace

bool is_tiff(std::string_view bytes) {
  if (bytes.size() > 10 && bytes.substr(8).starts_with("CR\2"sv)) return false;  // Canon's raw files
  return bytes.starts_with("II*\0"sv) || bytes.starts_with("MM\0*"sv) || bytes.starts_with("II+\0"sv) || bytes.starts_with("MM\0+"sv);
}

Result<ImageInfo> probe_tiff(std::string_view bytes, std::string_view where, const DecodeLimits& limits) {
  const Reader reader(bytes);
  HEDGE_TRY(const auto layout, open(reader, where, limits));
  return ImageInfo{.format = ImageFormat::kTiff,
                   .height = layout.height,
                   .width = layout.width,
                   .channels = layout.meaning == PHOTOMETRIC_PALETTE ? 3 : colours_of(layout),
                   .orientation = layout.orientation,
                   .deep = layout.bits == 16,
                   .has_alpha = layout.alpha.has_value()};
}

Result<Image> decode_tiff(std::string_view bytes, std::string_view where, const DecodeLimits& limits) {
  Reader reader(bytes);
  HEDGE_TRY(const auto layout, open(reader, where, limits));
  std::optional<Palette> palette;
  if (layout.meaning == PHOTOMETRIC_PALETTE) {
    palette = read_palette(reader.tiff, layout);
    if (!palette) return damaged(reader, where);
  }
  Blocks blocks(reader.tiff, layout);
  if (!blocks.is_plausible()) return not_implemented(where, "strips or tiles of an unusual size");
  reader.source.warned = false;
  reader.source.message = {};
  Painter painter(layout, std::move(palette));
  for (std::uint16_t plane = 0; plane < (layout.planes ? layout.samples : 1); ++plane) {
    const bool whole = blocks.each_row(plane, [&](std::int64_t y, const auto& samples) { painter.paint(y, samples, plane); });
    // While pixels are read a warning says that the decoder guessed some.
    if (!whole || reader.source.warned) return damaged(reader, where);
  }
  return painter.take();
}

}  // namespace hedge::data::internal

// Windows bitmaps (and OS/2's): Microsoft's "Bitmap Storage". Written here, because Debian has no small library that reads them all.
#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <vector>

#include "data/internal/bytes.h"
#include "data/internal/formats.h"
#include "data/internal/size.h"

namespace hedge::data::internal {
namespace {

constexpr std::size_t kFileHeader = 14;
constexpr std::size_t kCoreHeader = 12;  ///< OS/2's first, with 16-bit sizes and palettes of three bytes
constexpr std::size_t kInfoHeader = 40;
constexpr std::size_t kMasksHeader = 52;  ///< from here on the masks belong to the header

enum class Packing : std::uint32_t { kPlain = 0, kRuns8 = 1, kRuns4 = 2, kMasks = 3, kMasksWithAlpha = 6 };

/// Some neighbouring bits of a pixel.
struct Mask {
  std::uint32_t bits = 0;
  [[nodiscard]] bool is_valid() const {
    const auto low = bits >> (bits == 0 ? 0 : std::countr_zero(bits));
    return bits == 0 || (low & (low + 1)) == 0;
  }
  /// 0..255, rounded to nearest; 0 for an empty mask.
  [[nodiscard]] std::uint8_t of(std::uint32_t pixel) const {
    if (bits == 0) return 0;
    const auto shift = std::countr_zero(bits);
    const std::uint64_t most = bits >> shift, value = (pixel & bits) >> shift;
    return static_cast<std::uint8_t>((value * 255 + most / 2) / most);
  }
};

struct Header {
  std::int64_t height = 0;
  std::int64_t width = 0;
  bool from_top = false;
  std::uint32_t bits = 0;  ///< a pixel
  Packing packing = Packing::kPlain;
  std::array<Mask, 4> masks;  ///< red, green, blue, alpha
  std::size_t palette = 0;    ///< where it begins
  std::size_t palette_size = 0;
  std::size_t palette_step = 4;  ///< bytes a colour
  std::size_t pixels = 0;        ///< where they begin
};

using Colour = std::array<std::uint8_t, 3>;

Error damaged(std::string_view where, std::string got) {
  return Error{
      .code = ErrorCode::kBadFormat, .what = "the BMP is truncated or damaged", .where = std::string(where), .got = std::move(got)};
}

Error not_implemented(std::string_view where, std::string got) {
  return Error{.code = ErrorCode::kUnsupported,
               .what = "this kind of BMP is not implemented",
               .where = std::string(where),
               .got = std::move(got),
               .hint = "convert them, for example: magick mogrify -format png FILES"};
}

void set_masks(const Bytes& file, std::size_t header_size, Header& header) {
  const bool given = header.packing == Packing::kMasks || header.packing == Packing::kMasksWithAlpha;
  if (given) {
    for (std::size_t c = 0; c < 3; ++c) header.masks[c].bits = file.u32(kFileHeader + kInfoHeader + 4 * c);
    const bool has_alpha = header_size > kMasksHeader || header.packing == Packing::kMasksWithAlpha;
    if (has_alpha) header.masks[3].bits = file.u32(kFileHeader + kInfoHeader + 12);
  } else if (header.bits == 16) {
    header.masks = {Mask{0x7C00}, Mask{0x03E0}, Mask{0x001F}, Mask{}};
  } else {
    header.masks = {Mask{0xFF0000}, Mask{0x00FF00}, Mask{0x0000FF}, Mask{}};  // the fourth byte of 32 bits is said to be unused
  }
}

bool is_known(const Header& header) {
  switch (header.packing) {
    case Packing::kPlain:
      return header.bits == 1 || header.bits == 2 || header.bits == 4 || header.bits == 8 || header.bits == 16 || header.bits == 24 ||
             header.bits == 32;
    case Packing::kRuns8: return header.bits == 8 && !header.from_top;
    case Packing::kRuns4: return header.bits == 4 && !header.from_top;
    case Packing::kMasks:
    case Packing::kMasksWithAlpha: return header.bits == 16 || header.bits == 32;
  }
  return false;
}

/// Where the palette lies, and how many colours are there before the pixels.
void set_palette(const Bytes& file, std::size_t header_size, std::uint32_t colours_used, Header& header) {
  header.palette_step = header_size == kCoreHeader ? 3 : 4;
  header.palette = kFileHeader + header_size;
  if (header_size == kInfoHeader && header.packing == Packing::kMasks) header.palette += 12;
  if (header_size == kInfoHeader && header.packing == Packing::kMasksWithAlpha) header.palette += 16;
  if (header.bits > 8) return;
  const std::size_t most = std::size_t{1} << header.bits;
  const std::size_t end = std::min<std::size_t>(header.pixels, file.size());
  const std::size_t room = end > header.palette ? (end - header.palette) / header.palette_step : 0;
  header.palette_size = std::min({colours_used == 0 ? most : colours_used, most, room});
}

std::int64_t row_bytes(const Header& header) { return (header.width * header.bits + 31) / 32 * 4; }

/// Whether all rows that are not packed in runs are there; the last one need not be padded.
bool is_complete(const Bytes& file, const Header& header) {
  const auto needed = row_bytes(header) * (header.height - 1) + (header.width * header.bits + 7) / 8;
  return file.has(header.pixels, static_cast<std::size_t>(needed));
}

Result<Header> open(std::string_view bytes, std::string_view where, const DecodeLimits& limits) {
  const Bytes file(bytes, true);
  const std::size_t size = file.u32(kFileHeader);
  if (!file.has(kFileHeader, size) || (size != kCoreHeader && size < kInfoHeader)) return damaged(where, "a header cut short");
  const bool core = size == kCoreHeader;
  Header header{.pixels = file.u32(10)};
  header.width = core ? static_cast<std::int32_t>(file.u16(18)) : static_cast<std::int32_t>(file.u32(18));
  header.height = core ? static_cast<std::int32_t>(file.u16(20)) : static_cast<std::int32_t>(file.u32(22));
  header.bits = file.u16(core ? 24 : 28);
  header.packing = core ? Packing::kPlain : static_cast<Packing>(file.u32(30));
  header.from_top = header.height < 0;
  header.height = header.from_top ? -header.height : header.height;
  if (!is_known(header))
    return not_implemented(
        where, std::to_string(header.bits) + " bits, compression " + std::to_string(static_cast<std::uint32_t>(header.packing)));
  HEDGE_CHECK(check_whole(header.height, header.width, "BMP", where, limits));
  set_masks(file, size, header);
  for (const auto& mask : header.masks)
    if (!mask.is_valid()) return not_implemented(where, "a mask with gaps");
  set_palette(file, size, core ? 0 : file.u32(46), header);
  const bool runs = header.packing == Packing::kRuns8 || header.packing == Packing::kRuns4;
  if (!file.has(header.pixels, 1) || (!runs && !is_complete(file, header))) return damaged(where, "fewer pixels than its size says");
  return header;
}

std::vector<Colour> read_palette(const Bytes& file, const Header& header) {
  std::vector<Colour> palette;
  for (std::size_t i = 0; i < header.palette_size; ++i) {
    const auto at = header.palette + i * header.palette_step;
    palette.push_back({file.u8(at + 2), file.u8(at + 1), file.u8(at)});
  }
  return palette;
}

/// One pixel's bits out of a row that begins at `row`.
std::uint32_t pixel_at(const Bytes& file, std::size_t row, std::size_t x, std::uint32_t bits) {
  switch (bits) {
    case 16: return file.u16(row + 2 * x);
    case 24: return file.u16(row + 3 * x) | static_cast<std::uint32_t>(file.u8(row + 3 * x + 2)) << 16;
    case 32: return file.u32(row + 4 * x);
    default: {
      const auto at = x * bits;
      return (file.u8(row + at / 8) >> (8 - bits - at % 8)) & ((1U << bits) - 1);
    }
  }
}

/// The indices of an image packed in runs, rows from the bottom as they are stored; 0 where nothing is written. Nothing where it is
/// damaged.
class Runs {
 public:
  Runs(const Bytes& file, const Header& header)
      : file_(file), header_(header), at_(header.pixels), indices_(static_cast<std::size_t>(header.height * header.width), 0) {}

  std::optional<std::vector<std::uint8_t>> read() {
    while (y_ < header_.height) {
      if (!file_.has(at_, 2)) return std::nullopt;
      const auto count = file_.u8(at_), value = file_.u8(at_ + 1);
      at_ += 2;
      if (count > 0) {
        for (std::size_t i = 0; i < count; ++i) put(nibble(value, i));
      } else if (value == kEndOfImage) {
        break;
      } else if (!escape(value)) {
        return std::nullopt;
      }
    }
    return std::move(indices_);
  }

 private:
  static constexpr std::uint8_t kEndOfRow = 0, kEndOfImage = 1, kMove = 2;

  [[nodiscard]] std::uint8_t nibble(std::uint8_t value, std::size_t i) const {
    if (header_.packing == Packing::kRuns8) return value;
    return i % 2 == 0 ? static_cast<std::uint8_t>(value >> 4) : static_cast<std::uint8_t>(value & 15);
  }
  /// Pixels beyond a row's end are not seen.
  void put(std::uint8_t index) {
    if (x_ < header_.width) indices_[static_cast<std::size_t>(y_ * header_.width + x_)] = index;
    ++x_;
  }
  bool escape(std::uint8_t value) {
    if (value == kEndOfRow) {
      x_ = 0;
      ++y_;
      return true;
    }
    if (value == kMove) {
      if (!file_.has(at_, 2)) return false;
      x_ += file_.u8(at_);
      y_ += file_.u8(at_ + 1);
      at_ += 2;
      return true;
    }
    const std::size_t length = header_.packing == Packing::kRuns8 ? value : (value + 1U) / 2;
    const auto padded = length + length % 2;
    if (!file_.has(at_, length)) return false;
    for (std::size_t i = 0; i < value; ++i) put(nibble(file_.u8(at_ + (header_.packing == Packing::kRuns8 ? i : i / 2)), i));
    at_ += padded;
    return true;
  }

  const Bytes& file_;
  const Header& header_;
  std::size_t at_;
  std::int64_t x_ = 0, y_ = 0;
  std::vector<std::uint8_t> indices_;
};

}  // namespace

bool is_bmp(std::string_view bytes) {
  if (!bytes.starts_with("BM") || bytes.size() < kFileHeader + 4) return false;
  const auto size = Bytes(bytes, true).u32(kFileHeader);  // "BM" alone may be the beginning of a text
  return size == kCoreHeader || (size >= kInfoHeader && size <= 256);
}

Result<ImageInfo> probe_bmp(std::string_view bytes, std::string_view where, const DecodeLimits& limits) {
  HEDGE_TRY(const auto header, open(bytes, where, limits));
  return ImageInfo{.format = ImageFormat::kBmp,
                   .height = header.height,
                   .width = header.width,
                   .channels = 3,
                   .has_alpha = header.bits > 8 && header.masks[3].bits != 0};
}

Result<Image> decode_bmp(std::string_view bytes, std::string_view where, const DecodeLimits& limits) {
  HEDGE_TRY(const auto header, open(bytes, where, limits));
  const Bytes file(bytes, true);
  const auto palette = read_palette(file, header);
  std::optional<std::vector<std::uint8_t>> indices;
  const bool runs = header.packing == Packing::kRuns8 || header.packing == Packing::kRuns4;
  if (runs) indices = Runs(file, header).read();
  if (runs && !indices) return damaged(where, "its runs end too early");
  Image image{.height = header.height, .width = header.width, .channels = 3, .pixels = {}};
  image.pixels.resize(static_cast<std::size_t>(header.height * header.width * 3));
  const bool has_alpha = header.bits > 8 && header.masks[3].bits != 0;
  bool opaque_somewhere = !has_alpha;
  auto* out = image.pixels.data();
  for (std::int64_t y = 0; y < header.height; ++y) {
    const auto stored_y = header.from_top ? y : header.height - 1 - y;
    const auto row = header.pixels + static_cast<std::size_t>(stored_y * row_bytes(header));
    for (std::size_t x = 0; x < static_cast<std::size_t>(header.width); ++x, out += 3) {
      const auto pixel = runs ? (*indices)[static_cast<std::size_t>(stored_y * header.width) + x] : pixel_at(file, row, x, header.bits);
      if (header.bits > 8) {
        for (std::size_t c = 0; c < 3; ++c) out[c] = header.masks[c].of(pixel);
        opaque_somewhere |= header.masks[3].of(pixel) != 0;
        continue;
      }
      if (pixel >= palette.size()) return damaged(where, "a pixel beyond the palette");
      std::copy(palette[pixel].begin(), palette[pixel].end(), out);
    }
  }
  image.stored.transparent = !opaque_somewhere;
  return image;
}

}  // namespace hedge::data::internal

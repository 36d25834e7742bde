#include <gif_lib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "data/internal/formats.h"
#include "data/internal/size.h"

namespace hedge::data::internal {
namespace {

constexpr std::int64_t kChannels = 3;

/// giflib, reading from memory.
struct Reader {
  std::string_view bytes;
  GifFileType* gif = nullptr;
  int problem = 0;
  explicit Reader(std::string_view file) : bytes(file) { gif = DGifOpen(this, read, &problem); }
  ~Reader() {
    if (gif != nullptr) DGifCloseFile(gif, nullptr);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  static int read(GifFileType* gif, GifByteType* out, int count) {
    auto& rest = static_cast<Reader*>(gif->UserData)->bytes;
    const auto given = std::min(static_cast<std::size_t>(std::max(count, 0)), rest.size());
    std::memcpy(out, rest.data(), given);
    rest.remove_prefix(given);
    return static_cast<int>(given);
  }
};

Error damaged(std::string_view where, const Reader& reader) {
  const auto code = reader.gif != nullptr ? reader.gif->Error : reader.problem;
  const char* text = GifErrorString(code);
  return Error{.code = ErrorCode::kBadFormat,
               .what = "the GIF is truncated or damaged",
               .where = std::string(where),
               .got = text != nullptr ? text : ""};
}

/// What comes before the first image.
struct First {
  ImageInfo info;
  std::optional<int> transparent;  ///< an index of its palette
};

/// Reads a block of extensions; only the graphics control says something that is of use here.
bool read_extension(GifFileType* gif, std::optional<int>& transparent) {
  GifByteType* block = nullptr;
  int code = 0;
  if (DGifGetExtension(gif, &code, &block) != GIF_OK) return false;
  while (block != nullptr) {
    GraphicsControlBlock control{};
    if (code == GRAPHICS_EXT_FUNC_CODE && DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK)
      transparent = control.TransparentColor == NO_TRANSPARENT_COLOR ? std::nullopt : std::optional(control.TransparentColor);
    if (DGifGetExtensionNext(gif, &block) != GIF_OK) return false;
  }
  return true;
}

/// Goes to the first image. The canvas is the file's; where it is empty, the image's.
Result<First> open(Reader& reader, std::string_view where, const DecodeLimits& limits) {
  auto* gif = reader.gif;
  if (gif == nullptr) return damaged(where, reader);
  First first;
  for (GifRecordType record = UNDEFINED_RECORD_TYPE; record != IMAGE_DESC_RECORD_TYPE;) {
    if (DGifGetRecordType(gif, &record) != GIF_OK) return damaged(where, reader);
    if (record == EXTENSION_RECORD_TYPE && !read_extension(gif, first.transparent)) return damaged(where, reader);
    if (record == TERMINATE_RECORD_TYPE)
      return Error{.code = ErrorCode::kBadFormat, .what = "the GIF holds no image", .where = std::string(where)};
  }
  if (DGifGetImageDesc(gif) != GIF_OK) return damaged(where, reader);
  const bool no_canvas = gif->SWidth == 0 || gif->SHeight == 0;
  first.info = {.format = ImageFormat::kGif,
                .height = no_canvas ? gif->Image.Height : gif->SHeight,
                .width = no_canvas ? gif->Image.Width : gif->SWidth,
                .channels = kChannels,
                .has_alpha = first.transparent.has_value()};
  HEDGE_CHECK(check_whole(first.info.height, first.info.width, "GIF", where, limits));
  HEDGE_CHECK(check_size(gif->Image.Height, gif->Image.Width, where, limits));
  return first;
}

/// The order in which an image's rows are stored.
std::vector<std::int64_t> row_order(std::int64_t height, bool interlaced) {
  constexpr std::array<std::pair<std::int64_t, std::int64_t>, 4> kPasses = {{{0, 8}, {4, 8}, {2, 4}, {1, 2}}};
  std::vector<std::int64_t> order;
  if (!interlaced)
    for (std::int64_t y = 0; y < height; ++y) order.push_back(y);
  else
    for (const auto& [begin, step] : kPasses)
      for (std::int64_t y = begin; y < height; y += step) order.push_back(y);
  return order;
}

/// What is not covered by the image: the background colour, or black where the file is transparent or says none.
void fill_background(const GifFileType* gif, const First& first, Image& image) {
  const auto* map = gif->SColorMap;
  if (first.transparent || map == nullptr || gif->SBackGroundColor >= map->ColorCount) return;
  const auto& colour = map->Colors[gif->SBackGroundColor];
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
    image.pixels[i] = colour.Red;
    image.pixels[i + 1] = colour.Green;
    image.pixels[i + 2] = colour.Blue;
  }
}

/// Writes the row's pixels that lie on the canvas. False where an index is beyond the palette.
bool place_row(const GifFileType* gif, const ColorMapObject& map, std::optional<int> transparent, std::int64_t y,
               const std::vector<GifPixelType>& row, Image& image) {
  const std::int64_t top = gif->Image.Top + y, left = gif->Image.Left;
  for (std::int64_t x = 0; x < static_cast<std::int64_t>(row.size()); ++x) {
    const auto index = row[static_cast<std::size_t>(x)];
    if (index >= map.ColorCount && index == transparent) continue;
    if (index >= map.ColorCount) return false;
    if (top < 0 || top >= image.height || left + x < 0 || left + x >= image.width) continue;
    const auto& colour = map.Colors[index];
    auto* out = image.pixels.data() + (top * image.width + left + x) * kChannels;
    out[0] = colour.Red;
    out[1] = colour.Green;
    out[2] = colour.Blue;
  }
  return true;
}

}  // namespace

bool is_gif(std::string_view bytes) { return bytes.starts_with("GIF87a") || bytes.starts_with("GIF89a"); }

Result<ImageInfo> probe_gif(std::string_view bytes, std::string_view where, const DecodeLimits& limits) {
  Reader reader(bytes);
  HEDGE_TRY(const auto first, open(reader, where, limits));
  return first.info;
}

Result<Image> decode_gif(std::string_view bytes, std::string_view where, const DecodeLimits& limits) {
  Reader reader(bytes);
  HEDGE_TRY(const auto first, open(reader, where, limits));
  const auto* gif = reader.gif;
  const auto* map = gif->Image.ColorMap != nullptr ? gif->Image.ColorMap : gif->SColorMap;
  if (map == nullptr) return Error{.code = ErrorCode::kBadFormat, .what = "the GIF has no palette", .where = std::string(where)};
  Image image{.height = first.info.height, .width = first.info.width, .channels = kChannels, .pixels = {}};
  image.pixels.resize(static_cast<std::size_t>(image.height * image.width * kChannels), 0);
  fill_background(gif, first, image);
  std::vector<GifPixelType> row(static_cast<std::size_t>(gif->Image.Width));
  bool opaque_somewhere = false;
  for (const auto y : row_order(gif->Image.Height, gif->Image.Interlace)) {
    if (DGifGetLine(reader.gif, row.data(), gif->Image.Width) != GIF_OK) return damaged(where, reader);
    if (!place_row(gif, *map, first.transparent, y, row, image)) return damaged(where, reader);
    for (const auto index : row) opaque_somewhere |= !first.transparent || index != *first.transparent;
  }
  image.stored.transparent = !opaque_somewhere;
  return image;
}

}  // namespace hedge::data::internal

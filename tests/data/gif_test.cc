#include <gif_lib.h>
#include <gtest/gtest.h>

#include <array>

#include "data/fixtures.h"
#include "data/formats.h"

namespace hedge::data {
namespace {

using namespace std::string_literals;
using Pixels = std::vector<std::uint8_t>;
using testing::decoded;
using testing::expect_truncations_refused;
using testing::noise;

struct GifForm {
  int width = 3, height = 2;  // of the canvas
  int left = 0, top = 0, frame_width = 3, frame_height = 2;
  int transparent = NO_TRANSPARENT_COLOR;
  int background = 0;
  bool interlaced = false;
};

/// Palette: index i is (i, 2i, 3i). `indices`: of the frame, from the top. A second frame of zeros follows.
std::string gif(const GifForm& form, const std::vector<std::uint8_t>& indices) {
  std::string out;
  int problem = 0;
  const auto write = [](GifFileType* file, const GifByteType* bytes, int count) {
    static_cast<std::string*>(file->UserData)->append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(count));
    return count;
  };
  auto* file = EGifOpen(&out, write, &problem);
  EGifSetGifVersion(file, true);
  std::array<GifColorType, 16> colours{};
  for (std::size_t i = 0; i < 16; ++i)
    colours[i] = {static_cast<GifByteType>(i), static_cast<GifByteType>(2 * i), static_cast<GifByteType>(3 * i)};
  auto* map = GifMakeMapObject(16, colours.data());
  EGifPutScreenDesc(file, form.width, form.height, 4, form.background, map);
  for (int frame = 0; frame < 2; ++frame) {
    GraphicsControlBlock control{.DisposalMode = 0, .UserInputFlag = false, .DelayTime = 1, .TransparentColor = form.transparent};
    std::array<GifByteType, 4> block{};
    EGifGCBToExtension(&control, block.data());
    EGifPutExtension(file, GRAPHICS_EXT_FUNC_CODE, 4, block.data());
    EGifPutImageDesc(file, form.left, form.top, form.frame_width, form.frame_height, form.interlaced, nullptr);
    auto copy = frame == 0 ? indices : std::vector<std::uint8_t>(indices.size(), 0);
    EGifPutLine(file, copy.data(), static_cast<int>(copy.size()));
  }
  EGifCloseFile(file, nullptr);
  GifFreeMapObject(map);
  return out;
}

Pixels coloured(const std::vector<int>& indices) {
  Pixels pixels;
  for (const int i : indices)
    for (int c = 1; c <= 3; ++c) pixels.push_back(static_cast<std::uint8_t>(c * i));
  return pixels;
}

TEST(Gif, the_first_frame_is_decoded) {
  const auto bytes = gif({}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(decoded(bytes).pixels, coloured({1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(probe_image(bytes, "x")->format, ImageFormat::kGif);
  EXPECT_FALSE(decoded(bytes).stored.transparent);
}

TEST(Gif, interlaced_rows_come_in_their_order) {
  std::vector<std::uint8_t> stored;
  for (const int y : {0, 8, 4, 2, 6, 1, 3, 5, 7}) stored.insert(stored.end(), 3, static_cast<std::uint8_t>(y));
  std::vector<int> seen;
  for (int y = 0; y < 9; ++y) seen.insert(seen.end(), 3, y);
  EXPECT_EQ(decoded(gif({.height = 9, .frame_height = 9, .interlaced = true}, stored)).pixels, coloured(seen));
}

TEST(Gif, a_small_frame_lies_on_the_background) {
  const GifForm form{.left = 1, .top = 1, .frame_width = 1, .frame_height = 1, .background = 9};
  EXPECT_EQ(decoded(gif(form, {5})).pixels, coloured({9, 9, 9, 9, 5, 9}));
  GifForm clear = form;
  clear.transparent = 7;
  EXPECT_EQ(decoded(gif(clear, {5})).pixels, coloured({0, 0, 0, 0, 5, 0}));
}

TEST(Gif, full_transparency_is_seen_and_its_colour_stays) {
  const GifForm form{.width = 2, .height = 1, .frame_width = 2, .frame_height = 1, .transparent = 5};
  EXPECT_TRUE(decoded(gif(form, {5, 5})).stored.transparent);
  EXPECT_EQ(decoded(gif(form, {5, 5})).pixels, coloured({5, 5}));
  EXPECT_FALSE(decoded(gif(form, {5, 6})).stored.transparent);
}

TEST(Gif, truncated_files_are_refused) {
  const auto image = noise(4, 1, 400, 1);
  std::vector<std::uint8_t> indices;
  for (const auto value : image.pixels) indices.push_back(value % 16);
  const GifForm form{.width = 20, .height = 20, .frame_width = 20, .frame_height = 20};
  const auto bytes = gif(form, indices);
  expect_truncations_refused(bytes, 200);
}

}  // namespace
}  // namespace hedge::data

#include <gtest/gtest.h>

#include "data/formats.h"

namespace hedge::data {
namespace {

using namespace std::string_literals;
using Pixels = std::vector<std::uint8_t>;
using testing::decoded;
using testing::little;

struct Bitmap {
  std::int32_t width = 2, height = 2;
  std::uint32_t bits = 24, compression = 0;
  std::string masks, palette, pixels;
};

std::string bmp(const Bitmap& b) {
  const auto offset = static_cast<std::uint32_t>(54 + b.masks.size() + b.palette.size());
  return "BM" + little(static_cast<std::uint32_t>(offset + b.pixels.size()), 4) + little(0, 4) + little(offset, 4) + little(40, 4) +
         little(static_cast<std::uint32_t>(b.width), 4) + little(static_cast<std::uint32_t>(b.height), 4) + little(1, 2) +
         little(b.bits, 2) + little(b.compression, 4) + little(static_cast<std::uint32_t>(b.pixels.size()), 4) + std::string(8, '\0') +
         little(static_cast<std::uint32_t>(b.palette.size() / 4), 4) + little(0, 4) + b.masks + b.palette + b.pixels;
}

TEST(Bmp, rows_of_24_bits_come_from_the_bottom_and_are_padded) {
  const auto bytes = bmp({.pixels = "\3\2\1\6\5\4\0\0\11\10\7\14\13\12\0\0"s});
  EXPECT_EQ(decoded(bytes).pixels, (Pixels{7, 8, 9, 10, 11, 12, 1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(decode_image(bytes.substr(0, bytes.size() - 3), "x").error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(probe_image(bytes, "x")->format, ImageFormat::kBmp);
}

TEST(Bmp, a_negative_height_means_from_the_top) {
  const auto bytes = bmp({.height = -2, .bits = 32, .pixels = "\3\2\1\0\6\5\4\0\11\10\7\0\14\13\12\0"s});
  EXPECT_EQ(decoded(bytes).pixels, (Pixels{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}));
  EXPECT_FALSE(decoded(bytes).stored.transparent) << "the fourth byte is unused";
}

TEST(Bmp, palettes_of_1_4_and_8_bits) {
  const auto palette = "\3\2\1\0\036\024\012\0"s;  // (1,2,3), (10,20,30)
  const Pixels expected = {1, 2, 3, 10, 20, 30};
  EXPECT_EQ(decoded(bmp({.height = 1, .bits = 8, .palette = palette, .pixels = "\0\1\0\0"s})).pixels, expected);
  EXPECT_EQ(decoded(bmp({.height = 1, .bits = 4, .palette = palette, .pixels = "\x01\0\0\0"s})).pixels, expected);
  EXPECT_EQ(decoded(bmp({.height = 1, .bits = 1, .palette = palette, .pixels = "\x40\0\0\0"s})).pixels, expected);
  EXPECT_EQ(decode_image(bmp({.height = 1, .bits = 8, .palette = palette, .pixels = "\0\2\0\0"s}), "x").error().code, ErrorCode::kBadFormat)
      << "beyond the palette";
}

TEST(Bmp, masks_of_565_and_555_are_scaled_to_8_bits) {
  const auto masks = little(0xF800, 4) + little(0x07E0, 4) + little(0x001F, 4);
  const auto image =
      decoded(bmp({.height = 1, .bits = 16, .compression = 3, .masks = masks, .pixels = little(0xF800, 2) + little(0x07EF, 2)}));
  EXPECT_EQ(image.pixels, (Pixels{255, 0, 0, 0, 255, 123}));
  EXPECT_EQ(decoded(bmp({.height = 1, .bits = 16, .pixels = little(0x7C00, 2) + little(0x03FF, 2)})).pixels,
            (Pixels{255, 0, 0, 0, 255, 255}));
}

TEST(Bmp, an_alpha_mask_shows_full_transparency) {
  const auto masks = little(0xFF0000, 4) + little(0xFF00, 4) + little(0xFF, 4) + little(0xFF000000, 4);
  EXPECT_TRUE(decoded(bmp({.height = 1, .bits = 32, .compression = 6, .masks = masks, .pixels = "\3\2\1\0\6\5\4\0"s})).stored.transparent);
  EXPECT_FALSE(decoded(bmp({.height = 1, .bits = 32, .compression = 6, .masks = masks, .pixels = "\3\2\1\0\6\5\4\1"s})).stored.transparent);
}

TEST(Bmp, runs_of_8_and_4_bits) {
  const auto palette = "\0\0\0\0\1\1\1\0\2\2\2\0\3\3\3\0"s;
  const auto grays = [&](const Bitmap& b) {
    Pixels levels;
    const auto image = decoded(bmp(b));
    for (std::size_t i = 0; i < image.pixels.size(); i += 3) levels.push_back(image.pixels[i]);
    return levels;
  };
  // The lower row: three times 2; the upper one: 1, 2, 3 as they are; end of image.
  EXPECT_EQ(grays({.width = 3, .bits = 8, .compression = 1, .palette = palette, .pixels = "\3\2\0\0\0\3\1\2\3\0\0\1"s}),
            (Pixels{1, 2, 3, 2, 2, 2}));
  // A move skips a row; what nothing writes has index 0.
  EXPECT_EQ(grays({.width = 3, .bits = 8, .compression = 1, .palette = palette, .pixels = "\1\3\0\2\1\1\1\1\0\1"s}),
            (Pixels{0, 0, 1, 3, 0, 0}));
  EXPECT_EQ(grays({.width = 3, .height = 1, .bits = 4, .compression = 2, .palette = palette, .pixels = "\3\x12\0\1"s}), (Pixels{1, 2, 1}));
  EXPECT_EQ(grays({.width = 3, .height = 1, .bits = 4, .compression = 2, .palette = palette, .pixels = "\0\3\x12\x30\0\1"s}),
            (Pixels{1, 2, 3}));
  EXPECT_FALSE(decode_image(bmp({.width = 3, .bits = 8, .compression = 1, .palette = palette, .pixels = "\3\2\0\0"s}), "x").ok());
}

TEST(Bmp, os2_headers_have_palettes_of_three_bytes) {
  const auto bytes = "BM"s + little(40, 4) + little(0, 4) + little(32, 4) + little(12, 4) + little(2, 2) + little(1, 2) + little(1, 2) +
                     little(8, 2) + "\3\2\1\6\5\4"s + "\1\0\0\0"s;
  EXPECT_EQ(decoded(bytes).pixels, (Pixels{4, 5, 6, 1, 2, 3}));
}

TEST(Bmp, what_is_not_implemented_is_named) {
  const auto jpeg_inside = probe_image(bmp({.compression = 4, .pixels = std::string(16, 'x')}), "x");
  EXPECT_EQ(jpeg_inside.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(jpeg_inside.error().what.find("BMP"), std::string::npos);
  EXPECT_EQ(probe_image("BM is how this text begins, not a bitmap", "x").error().what, "the file is no image");
}

}  // namespace
}  // namespace hedge::data

#include "hedge/image.h"

#include <gtest/gtest.h>
#include <jpeglib.h>

#include <array>
#include <cstdlib>

#include "data/fixtures.h"
#include "data/png_file.h"

namespace hedge::data {
namespace {

using testing::noise;
using testing::png_file;

/// JPEG at quality 95 of a smooth image: libjpeg stays within a few grey levels.
constexpr int kJpegTolerance = 6;

Image gradient(std::int64_t channels) {
  Image image{.height = 24, .width = 32, .channels = channels, .pixels = {}};
  for (std::int64_t y = 0; y < 24; ++y)
    for (std::int64_t x = 0; x < 32; ++x)
      for (std::int64_t c = 0; c < channels; ++c) image.pixels.push_back(static_cast<std::uint8_t>(4 * y + 3 * x + 10 * c));
  return image;
}

/// A one-colour CMYK JPEG, inks inverted with an Adobe marker as Photoshop does.
std::string cmyk_jpeg(std::array<std::uint8_t, 4> inks, bool adobe) {
  jpeg_compress_struct info{};
  jpeg_error_mgr error{};
  info.err = jpeg_std_error(&error);
  jpeg_create_compress(&info);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &bytes, &size);
  info.image_width = 16;
  info.image_height = 16;
  info.input_components = 4;
  info.in_color_space = JCS_CMYK;
  jpeg_set_defaults(&info);
  info.write_Adobe_marker = adobe ? TRUE : FALSE;
  jpeg_start_compress(&info, TRUE);
  std::vector<std::uint8_t> row;
  for (int x = 0; x < 16; ++x) row.insert(row.end(), inks.begin(), inks.end());
  auto* pointer = row.data();
  while (info.next_scanline < info.image_height) jpeg_write_scanlines(&info, &pointer, 1);
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  std::string out(reinterpret_cast<char*>(bytes), size);
  std::free(bytes);
  return out;
}

TEST(Codec, png_is_lossless) {
  for (const std::int64_t channels : {1, 3}) {
    const auto image = noise(7, 9, 13, channels);
    const auto decoded = decode_image(encode_png(image).value(), "x");
    ASSERT_TRUE(decoded.ok()) << decoded.error().message();
    EXPECT_EQ(decoded->height, 9);
    EXPECT_EQ(decoded->width, 13);
    EXPECT_EQ(decoded->channels, channels);
    EXPECT_EQ(decoded->pixels, image.pixels);
  }
}

TEST(Codec, jpeg_comes_back_nearly_the_same) {
  for (const std::int64_t channels : {1, 3}) {
    const auto image = gradient(channels);
    const auto decoded = decode_image(encode_jpeg(image, 95).value(), "x");
    ASSERT_TRUE(decoded.ok()) << decoded.error().message();
    ASSERT_EQ(decoded->pixels.size(), image.pixels.size());
    EXPECT_EQ(decoded->channels, channels);
    for (std::size_t i = 0; i < image.pixels.size(); ++i) ASSERT_NEAR(decoded->pixels[i], image.pixels[i], kJpegTolerance) << i;
  }
}

TEST(Codec, probe_tells_format_and_size_from_the_header) {
  const auto png = probe_image(encode_png(noise(1, 3, 4, 1)).value().substr(0, 60), "x");
  ASSERT_TRUE(png.ok()) << png.error().message();
  EXPECT_EQ(png->format, ImageFormat::kPng);
  EXPECT_EQ(png->height, 3);
  EXPECT_EQ(png->width, 4);
  EXPECT_EQ(png->channels, 1);
  const auto jpeg = probe_image(encode_jpeg(gradient(3)).value(), "x");
  ASSERT_TRUE(jpeg.ok());
  EXPECT_EQ(jpeg->format, ImageFormat::kJpeg);
  EXPECT_EQ(jpeg->height, 24);
  EXPECT_EQ(jpeg->width, 32);
  EXPECT_EQ(jpeg->channels, 3);
}

TEST(Codec, png_of_one_bit_gray_is_expanded) {
  const auto decoded = decode_image(png_file(4, {"\x50"}, {.depth = 1, .color = PNG_COLOR_TYPE_GRAY}), "x");
  ASSERT_TRUE(decoded.ok()) << decoded.error().message();
  EXPECT_EQ(decoded->channels, 1);
  EXPECT_EQ(decoded->pixels, (std::vector<std::uint8_t>{0, 255, 0, 255}));
}

TEST(Codec, png_palette_becomes_rgb) {
  const auto decoded =
      decode_image(png_file(2, {std::string("\1\0", 2)}, {.color = PNG_COLOR_TYPE_PALETTE, .palette = {{1, 2, 3}, {200, 100, 50}}}), "x");
  ASSERT_TRUE(decoded.ok()) << decoded.error().message();
  EXPECT_EQ(decoded->pixels, (std::vector<std::uint8_t>{200, 100, 50, 1, 2, 3}));
}

TEST(Codec, png_of_16_bits_is_scaled_to_8) {
  const auto decoded =
      decode_image(png_file(3, {std::string("\xFF\xFF\x80\x80\0\0", 6)}, {.depth = 16, .color = PNG_COLOR_TYPE_GRAY}), "x");
  ASSERT_TRUE(decoded.ok()) << decoded.error().message();
  EXPECT_EQ(decoded->pixels, (std::vector<std::uint8_t>{255, 128, 0}));
}

TEST(Codec, png_alpha_is_dropped_and_the_stored_colour_stays) {
  const auto rgba = decode_image(png_file(2, {std::string("\x0A\x14\x1E\0\x28\x32\x3C\xFF", 8)}, {.color = PNG_COLOR_TYPE_RGB_ALPHA}), "x");
  ASSERT_TRUE(rgba.ok()) << rgba.error().message();
  EXPECT_EQ(rgba->pixels, (std::vector<std::uint8_t>{10, 20, 30, 40, 50, 60}));
  const auto gray = decode_image(png_file(2, {std::string("\x0A\0\x14\xFF", 4)}, {.color = PNG_COLOR_TYPE_GRAY_ALPHA}), "x");
  ASSERT_TRUE(gray.ok()) << gray.error().message();
  EXPECT_EQ(gray->channels, 1);
  EXPECT_EQ(gray->pixels, (std::vector<std::uint8_t>{10, 20}));
}

TEST(Codec, cmyk_jpeg_is_converted_with_and_without_adobe_inversion) {
  const std::array<std::uint8_t, 3> expected = {200, 100, 50};
  for (const bool adobe : {true, false}) {
    // No black: red = 255 - cyan. With an Adobe marker the inks are stored inverted.
    std::array<std::uint8_t, 4> inks = {200, 100, 50, 255};
    if (!adobe)
      for (auto& ink : inks) ink = static_cast<std::uint8_t>(255 - ink);
    const auto decoded = decode_image(cmyk_jpeg(inks, adobe), "x");
    ASSERT_TRUE(decoded.ok()) << decoded.error().message();
    ASSERT_EQ(decoded->channels, 3);
    for (std::size_t i = 0; i < decoded->pixels.size(); ++i) ASSERT_NEAR(decoded->pixels[i], expected[i % 3], kJpegTolerance) << adobe;
  }
}

TEST(Codec, rejects_every_truncation_of_a_jpeg_and_a_png) {
  const auto image = noise(3, 20, 20, 3);
  for (const auto& bytes : {encode_jpeg(image).value(), encode_png(image).value()}) {
    ASSERT_TRUE(decode_image(bytes, "x").ok());
    for (std::size_t n = 0; n < bytes.size(); n += 7) {
      const auto decoded = decode_image(bytes.substr(0, n), "cut.bin");
      ASSERT_FALSE(decoded.ok()) << n << " of " << bytes.size();
      EXPECT_EQ(decoded.error().code, ErrorCode::kBadFormat);
      EXPECT_EQ(decoded.error().where, "cut.bin");
    }
    EXPECT_FALSE(decode_image(bytes.substr(0, bytes.size() - 1), "x").ok());
  }
}

TEST(Codec, rejects_a_png_with_a_changed_byte) {
  auto bytes = encode_png(noise(3, 20, 20, 3)).value();
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 0x40);
  EXPECT_EQ(decode_image(bytes, "x").error().code, ErrorCode::kBadFormat);
}

TEST(Codec, rejects_what_is_no_image) {
  for (const std::string bytes : {"", "hello", "GIF89a........", "\xff\xd8\xff", "\x89PNG\r\n\x1a\n"}) {
    EXPECT_EQ(probe_image(bytes, "x").error().code, ErrorCode::kBadFormat);
    EXPECT_EQ(decode_image(bytes, "x").error().code, ErrorCode::kBadFormat);
  }
}

TEST(Codec, refuses_sizes_beyond_the_limits_before_taking_memory) {
  const auto jpeg = encode_jpeg(gradient(1)).value();
  EXPECT_EQ(decode_image(jpeg, "x", {.most_side = 31}).error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(decode_image(jpeg, "x", {.most_pixels = 24 * 32 - 1}).error().code, ErrorCode::kUnsupported);
  EXPECT_TRUE(decode_image(jpeg, "x", {.most_side = 32, .most_pixels = 24 * 32}).ok());
  const auto wide = encode_png(noise(1, 1, 16385, 1)).value();
  EXPECT_EQ(probe_image(wide, "x").error().code, ErrorCode::kUnsupported);
}

TEST(Codec, refuses_a_png_that_promises_more_than_deflate_can_hold) {
  // A header for 16000 x 16000 with next to no data; its checksum is right because libpng wrote it.
  const auto row = std::string(16000 * 3, '\0');
  const auto whole = png_file(16000, {row});
  const auto tall = png_file(1, {16000, std::string(3, '\0')});
  ASSERT_TRUE(decode_image(whole, "x").ok()) << "an honest blank image is fine";
  ASSERT_TRUE(decode_image(tall, "x").ok());
  const auto cut = png_file(16000, {700, row}).substr(0, 120);
  EXPECT_NE(decode_image(cut, "x").error().message().find("too short"), std::string::npos);
}

TEST(Codec, encoders_refuse_inconsistent_images) {
  const Image wrong{.height = 2, .width = 2, .channels = 3, .pixels = {1, 2, 3}};
  EXPECT_EQ(encode_png(wrong).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(encode_jpeg(wrong).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(encode_jpeg(gradient(1), 0).error().code, ErrorCode::kInvalidArgument);
}

TEST(Codec, copies_pixels_of_a_sound_size_only) {
  const std::vector<std::uint8_t> pixels = {1, 2, 3, 4, 5, 6};
  const auto copied = copy_image(pixels.data(), {.height = 1, .width = 2, .channels = 3});
  ASSERT_TRUE(copied.ok());
  EXPECT_EQ(copied->pixels, pixels);
  EXPECT_TRUE(validate_image(*copied).ok());
  for (const ImageSize& size : {ImageSize{0, 2, 3}, ImageSize{1, -2, 3}, ImageSize{1, 3, 2}, ImageSize{std::int64_t{1} << 40, 1, 1}})
    EXPECT_EQ(copy_image(pixels.data(), size).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace hedge::data

// The memory of one image is bounded: what is beyond the bound is decoded at a reduced size, or refused by name.
#include <gtest/gtest.h>
#include <jpeglib.h>
#include <webp/encode.h>

#include <cstdlib>

#include "data/fixtures.h"
#include "data/internal/size.h"
#include "data/png_file.h"
#include "hedge/image.h"

namespace hedge::data {
namespace {

using testing::noise;
using testing::png_file;

/// The JPEG's own reduction against an average over boxes, of a smooth image.
constexpr int kReducedTolerance = 6;
constexpr DecodeLimits kSmall{.most_decoded_pixels = 800};

Image gradient(std::int64_t height, std::int64_t width, std::int64_t channels) {
  Image image{.height = height, .width = width, .channels = channels, .pixels = {}};
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x)
      for (std::int64_t c = 0; c < channels; ++c) image.pixels.push_back(static_cast<std::uint8_t>(2 * y + x + 10 * c));
  return image;
}

std::uint8_t box_average(const Image& image, std::int64_t reduction, std::int64_t y, std::int64_t x, std::int64_t c) {
  std::int64_t sum = 0, count = 0;
  for (auto v = y * reduction; v < std::min((y + 1) * reduction, image.height); ++v)
    for (auto u = x * reduction; u < std::min((x + 1) * reduction, image.width); ++u, ++count)
      sum += image.pixels[static_cast<std::size_t>((v * image.width + u) * image.channels + c)];
  return static_cast<std::uint8_t>((sum + count / 2) / count);
}

std::string progressive_jpeg(const Image& image) {
  jpeg_compress_struct info{};
  jpeg_error_mgr error{};
  info.err = jpeg_std_error(&error);
  jpeg_create_compress(&info);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &bytes, &size);
  info.image_width = static_cast<JDIMENSION>(image.width);
  info.image_height = static_cast<JDIMENSION>(image.height);
  info.input_components = 3;
  info.in_color_space = JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_simple_progression(&info);
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    auto* row = const_cast<std::uint8_t*>(image.pixels.data()) + static_cast<std::int64_t>(info.next_scanline) * image.width * 3;
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  std::string out(reinterpret_cast<char*>(bytes), size);
  std::free(bytes);
  return out;
}

std::string interlaced_png(const Image& image) {
  std::vector<std::string> rows;
  const auto bytes = static_cast<std::size_t>(image.width * 3);
  for (std::size_t at = 0; at < image.pixels.size(); at += bytes)
    rows.emplace_back(reinterpret_cast<const char*>(&image.pixels[at]), bytes);
  return png_file(static_cast<png_uint_32>(image.width), std::move(rows), {.interlace = PNG_INTERLACE_ADAM7});
}

TEST(Limits, the_reduction_is_the_first_power_of_two_that_fits) {
  EXPECT_EQ(internal::reduction_for(20, 40, kSmall), 1);
  EXPECT_EQ(internal::reduction_for(20, 41, kSmall), 2);
  EXPECT_EQ(internal::reduction_for(100, 100, kSmall), 4);
  EXPECT_EQ(internal::reduction_for(16000, 16000, {}), 4);
  EXPECT_EQ(internal::reduction_for(5792, 5792, {}), 1) << "2^25 pixels";
  EXPECT_EQ(internal::reduction_for(5793, 5793, {}), 2);
}

TEST(Limits, a_large_baseline_jpeg_is_decoded_at_a_reduced_size) {
  for (const std::int64_t channels : {1, 3}) {
    const auto image = gradient(45, 61, channels);
    const auto bytes = encode_jpeg(image, 95).value();
    const auto reduced = decode_image(bytes, "x", kSmall);
    ASSERT_TRUE(reduced.ok()) << reduced.error().message();
    EXPECT_EQ(reduced->reduction, 2);
    EXPECT_EQ(probe_image(bytes, "x", kSmall)->reduction, 2);
    EXPECT_EQ(probe_image(bytes, "x", kSmall)->height, 45) << "the file's";
    ASSERT_EQ(reduced->height, 23);
    ASSERT_EQ(reduced->width, 31);
    ASSERT_TRUE(validate_image(*reduced).ok());
    for (std::int64_t y = 0; y < 23; ++y)
      for (std::int64_t x = 0; x < 31; ++x)
        for (std::int64_t c = 0; c < channels; ++c)
          ASSERT_NEAR(reduced->pixels[static_cast<std::size_t>((y * 31 + x) * channels + c)], box_average(image, 2, y, x, c),
                      kReducedTolerance)
              << y << " " << x;
    EXPECT_EQ(decode_image(bytes, "x")->reduction, 1);
    EXPECT_EQ(decode_image(bytes.substr(0, bytes.size() / 2), "x", kSmall).error().code, ErrorCode::kBadFormat);
  }
}

TEST(Limits, a_large_png_is_averaged_over_boxes_row_by_row) {
  for (const std::int64_t channels : {1, 3}) {
    const auto image = noise(3, 45, 62, channels);
    const auto bytes = encode_png(image).value();
    for (const auto& [most, reduction] : {std::pair<std::int64_t, std::int64_t>{800, 2}, {200, 4}, {60, 8}}) {
      const auto reduced = decode_image(bytes, "x", {.most_decoded_pixels = most});
      ASSERT_TRUE(reduced.ok()) << reduced.error().message();
      ASSERT_EQ(reduced->reduction, reduction);
      ASSERT_TRUE(validate_image(*reduced).ok());
      ASSERT_EQ(reduced->height, internal::reduced(45, reduction));
      std::size_t i = 0;
      for (std::int64_t y = 0; y < reduced->height; ++y)
        for (std::int64_t x = 0; x < reduced->width; ++x)
          for (std::int64_t c = 0; c < channels; ++c)
            ASSERT_EQ(reduced->pixels[i++], box_average(image, reduction, y, x, c)) << y << " " << x;
    }
    EXPECT_EQ(decode_image(bytes, "x", {.most_decoded_pixels = 40}).error().code, ErrorCode::kUnsupported) << "not even at 1/8";
  }
}

TEST(Limits, what_a_decoder_holds_whole_is_refused_by_name) {
  const auto image = gradient(45, 61, 3);
  std::uint8_t* webp = nullptr;
  const auto webp_size = WebPEncodeLosslessRGB(image.pixels.data(), 61, 45, 61 * 3, &webp);
  const std::string webp_bytes(reinterpret_cast<char*>(webp), webp_size);
  WebPFree(webp);
  const std::pair<std::string, const char*> cases[] = {
      {progressive_jpeg(image), "progressive JPEG"}, {interlaced_png(image), "interlaced PNG"}, {webp_bytes, "WebP"}};
  for (const auto& [bytes, name] : cases) {
    EXPECT_TRUE(decode_image(bytes, "x").ok()) << name << " within the bound";
    const auto refused = probe_image(bytes, "x", kSmall);
    ASSERT_FALSE(refused.ok()) << name;
    EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
    EXPECT_NE(refused.error().what.find(name), std::string::npos) << refused.error().message();
    EXPECT_FALSE(refused.error().hint.empty());
    EXPECT_FALSE(decode_image(bytes, "x", kSmall).ok());
  }
}

TEST(Limits, interlaced_rows_come_in_their_order) {
  const auto image = noise(8, 21, 17, 3);
  EXPECT_EQ(decode_image(interlaced_png(image), "x")->pixels, image.pixels);
}

TEST(Limits, a_png_that_unpacks_to_hundreds_of_times_its_size_is_refused) {
  const Image blank{.height = 2000, .width = 2000, .channels = 3, .pixels = std::vector<std::uint8_t>(2000 * 2000 * 3, 0)};
  const auto bytes = encode_png(blank).value();
  const auto refused = probe_image(bytes, "x", {.most_decoded_pixels = 1 << 20});
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().what.find("bomb"), std::string::npos) << refused.error().message();
  EXPECT_TRUE(decode_image(bytes, "x").ok()) << "harmless within the bound";
}

TEST(Limits, a_chunk_of_a_png_that_is_longer_than_the_file_takes_no_memory) {
  const auto good = encode_png(noise(2, 8, 8, 3)).value();
  const auto lie = std::string("\x44\x6c\0\0eXIf", 8);
  for (const std::size_t at : {std::size_t{33}, good.size() - 12}) {  // before the pixels, and behind them
    auto bytes = good;
    bytes.insert(at, lie);
    const auto refused = decode_image(bytes, "x");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::kBadFormat);
    EXPECT_NE(refused.error().got.find("longer than the file"), std::string::npos) << refused.error().message();
  }
  auto tail = good + "bytes that follow the image";
  EXPECT_TRUE(decode_image(tail, "x").ok());
}

TEST(Limits, of_16_bits_the_range_is_kept_also_where_the_image_is_reduced) {
  std::vector<std::string> rows(30);  // values of 12 bits
  for (int y = 0; y < 30; ++y)
    for (int x = 0; x < 40; ++x)
      for (const int shift : {8, 0}) rows[static_cast<std::size_t>(y)] += static_cast<char>(((100 * x + y) >> shift) & 255);
  const auto bytes = png_file(40, std::move(rows), {.depth = 16, .color = PNG_COLOR_TYPE_GRAY});
  for (const std::int64_t most : {1200, 300}) {
    const auto image = decode_image(bytes, "x", {.most_decoded_pixels = most});
    ASSERT_TRUE(image.ok()) << image.error().message();
    EXPECT_TRUE(image->stored.deep);
    EXPECT_EQ(image->stored.lowest, 0);
    EXPECT_EQ(image->stored.highest, 3929);
  }
}

}  // namespace
}  // namespace hedge::data

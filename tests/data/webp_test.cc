#include <gtest/gtest.h>
#include <webp/encode.h>

#include "data/fixtures.h"
#include "data/formats.h"

namespace hedge::data {
namespace {

using namespace std::string_literals;
using Pixels = std::vector<std::uint8_t>;
using testing::decoded;
using testing::expect_truncations_refused;
using testing::little;
using testing::noise;

std::string webp(const Image& image) {
  std::uint8_t* bytes = nullptr;
  const auto size = WebPEncodeLosslessRGB(image.pixels.data(), static_cast<int>(image.width), static_cast<int>(image.height),
                                          static_cast<int>(image.width * 3), &bytes);
  std::string out(reinterpret_cast<char*>(bytes), size);
  WebPFree(bytes);
  return out;
}

std::string webp_rgba(const Pixels& rgba, int width, int height) {
  std::uint8_t* bytes = nullptr;
  const auto size = WebPEncodeLosslessRGBA(rgba.data(), width, height, width * 4, &bytes);
  std::string out(reinterpret_cast<char*>(bytes), size);
  WebPFree(bytes);
  return out;
}

std::string chunk(const std::string& name, const std::string& data) {
  return name + little(static_cast<std::uint32_t>(data.size()), 4) + data + (data.size() % 2 != 0 ? "\0"s : ""s);
}

std::string riff(const std::string& chunks) { return "RIFF" + little(static_cast<std::uint32_t>(chunks.size() + 4), 4) + "WEBP" + chunks; }

TEST(WebP, is_lossless_where_the_file_is) {
  const auto image = noise(5, 9, 13, 3);
  EXPECT_EQ(decoded(webp(image)).pixels, image.pixels);
  EXPECT_EQ(probe_image(webp(image), "x")->format, ImageFormat::kWebp);
}

TEST(WebP, alpha_is_dropped_and_full_transparency_is_seen) {
  const auto half = decoded(webp_rgba({1, 2, 3, 255, 40, 50, 60, 128}, 2, 1));
  EXPECT_EQ(half.pixels, (Pixels{1, 2, 3, 40, 50, 60}));
  EXPECT_FALSE(half.stored.transparent);
  EXPECT_TRUE(decoded(webp_rgba({1, 2, 3, 0, 40, 50, 60, 0}, 2, 1)).stored.transparent);
}

TEST(WebP, the_first_frame_of_an_animation_stands_at_its_place) {
  const auto frame = noise(6, 2, 4, 3);
  const auto header = "\x02\0\0\0"s + little(7, 3) + little(5, 3);  // animated, 8 x 6
  const auto still = webp(frame).substr(12);
  const auto place = little(1, 3) + little(2, 3) + little(3, 3) + little(1, 3) + little(100, 3) + "\0"s;  // at x = 2, y = 4
  const auto bytes = riff(chunk("VP8X", header) + chunk("ANIM", std::string(6, '\0')) + chunk("ANMF", place + still));
  const auto image = decoded(bytes);
  ASSERT_EQ(image.pixels.size(), 6U * 8 * 3);
  for (std::size_t y = 0; y < 6; ++y)
    for (std::size_t x = 0; x < 8; ++x)
      for (std::size_t c = 0; c < 3; ++c) {
        const bool inside = y >= 4 && x >= 2 && x < 6;
        EXPECT_EQ(image.pixels[(y * 8 + x) * 3 + c], inside ? frame.pixels[((y - 4) * 4 + x - 2) * 3 + c] : 0);
      }
}

TEST(WebP, truncated_files_are_refused) {
  const auto bytes = webp(noise(5, 20, 20, 3));
  expect_truncations_refused(bytes, bytes.size());
  const auto empty = probe_image("RIFF\044\0\0\0WEBPVP8 "s, "b/1.webp");
  ASSERT_FALSE(empty.ok());
  EXPECT_NE(empty.error().what.find("WebP"), std::string::npos) << "the reason names the format";
}

}  // namespace
}  // namespace hedge::data

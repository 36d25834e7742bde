// Where files say how they are to be turned.
#include "data/internal/exif.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "data/fixtures.h"
#include "data/overlap.h"
#include "hedge/preprocess.h"

namespace hedge::data {
namespace {

using namespace std::string_literals;
using internal::exif_orientation;
using testing::noise;

std::string number(std::uint32_t value, int bytes, bool little) {
  std::string out;
  for (int i = 0; i < bytes; ++i) {
    const auto byte = static_cast<char>((value >> (8 * i)) & 255U);
    out = little ? out + byte : byte + out;
  }
  return out;
}

/// An Exif block with one tag before the orientation, as writers make it.
std::string exif(std::uint32_t value, bool little, std::uint32_t type = 3) {
  const auto n = [&](std::uint32_t v, int bytes) { return number(v, bytes, little); };
  const auto field = type == 3 ? n(value, 2) + n(0, 2) : type == 1 ? n(value, 1) + "\0\0\0"s : n(value, 4);
  return (little ? "II*\0"s : "MM\0*"s) + n(8, 4) + n(2, 2) + n(256, 2) + n(4, 2) + n(1, 4) + n(640, 4) + n(274, 2) + n(type, 2) + n(1, 4) +
         field + n(0, 4);
}

std::string jpeg_with(const std::string& segments) {
  auto bytes = encode_jpeg(noise(1, 8, 16, 3)).value();
  return bytes.insert(2, segments);
}

std::string segment(char marker, const std::string& data) {
  return "\xFF"s + marker + number(static_cast<std::uint32_t>(data.size() + 2), 2, false) + data;
}

std::string png_chunk(const std::string& type, const std::string& data) {
  const auto body = type + data;
  const auto sum = crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return number(static_cast<std::uint32_t>(data.size()), 4, false) + body + number(static_cast<std::uint32_t>(sum), 4, false);
}

TEST(Exif, reads_both_byte_orders_and_the_types_that_writers_use) {
  for (const bool little : {true, false})
    for (const std::uint32_t type : {1U, 3U, 4U})
      for (std::uint32_t value = 1; value <= 8; ++value) {
        EXPECT_EQ(exif_orientation(exif(value, little, type)), static_cast<int>(value));
        EXPECT_EQ(exif_orientation("Exif\0\0"s + exif(value, little, type)), static_cast<int>(value));
      }
}

TEST(Exif, what_is_no_orientation_turns_nothing) {
  EXPECT_EQ(exif_orientation(""), 1);
  EXPECT_EQ(exif_orientation("Exif\0\0"s), 1);
  EXPECT_EQ(exif_orientation(exif(0, true)), 1);
  EXPECT_EQ(exif_orientation(exif(9, false)), 1);
  EXPECT_EQ(exif_orientation(exif(6, true, 5)), 1) << "another type";
  const auto good = exif(6, true);
  for (std::size_t n = 0; n + 6 < good.size(); ++n) {
    const auto value = exif_orientation(good.substr(0, n));
    EXPECT_TRUE(value == 1 || value == 6) << n;
  }
  auto far = good;
  far.replace(4, 4, "\xFF\xFF\xFF\xFF"s);
  EXPECT_EQ(exif_orientation(far), 1) << "a directory beyond the end";
}

TEST(Exif, is_found_in_a_jpeg_behind_other_segments) {
  const auto mark = "Exif\0\0"s;
  EXPECT_EQ(probe_image(jpeg_with(segment('\xE1', mark + exif(6, false))), "x")->orientation, 6);
  const auto bytes =
      jpeg_with(segment('\xE1', "http://ns.adobe.com/xap/1.0/\0<x/>"s) + segment('\xED', "8BIM") + segment('\xE1', mark + exif(3, true)));
  EXPECT_EQ(probe_image(bytes, "x")->orientation, 3);
  const auto image = decode_image(bytes, "x");
  ASSERT_TRUE(image.ok()) << image.error().message();
  EXPECT_EQ(image->orientation, 3);
  EXPECT_EQ(image->pixels, decode_image(jpeg_with(""), "x")->pixels) << "the pixels are as stored";
  EXPECT_EQ(probe_image(jpeg_with(""), "x")->orientation, 1);
}

TEST(Exif, is_found_in_a_png_before_and_after_the_pixels) {
  const auto plain = encode_png(noise(1, 4, 6, 3)).value();
  const auto chunk = png_chunk("eXIf", exif(8, false));
  auto before = plain, after = plain;
  before.insert(33, chunk);                // behind IHDR
  after.insert(after.size() - 12, chunk);  // before IEND
  for (const auto& bytes : {before, after}) {
    const auto image = decode_image(bytes, "x");
    ASSERT_TRUE(image.ok()) << image.error().message();
    EXPECT_EQ(image->orientation, 8);
    EXPECT_EQ(image->pixels, noise(1, 4, 6, 3).pixels);
  }
}

TEST(Exif, is_found_in_a_webp) {
  const auto little = [](std::uint32_t v, int bytes) { return number(v, bytes, true); };
  const auto block = exif(5, true);
  const auto chunks = "VP8X"s + little(10, 4) + "\x08\0\0\0"s + little(3, 3) + little(3, 3) + "EXIF"s +
                      little(static_cast<std::uint32_t>(block.size()), 4) + block;
  EXPECT_EQ(internal::webp_orientation("RIFF"s + little(static_cast<std::uint32_t>(chunks.size() + 4), 4) + "WEBP" + chunks), 5);
  EXPECT_EQ(internal::webp_orientation("RIFF\0\0\0\0WEBPVP8X\xFF\xFF\xFF\xFF"s), 1);
}

TEST(Exif, a_copy_that_is_stored_turned_is_a_copy) {
  const auto image = noise(21, 6, 4, 3);
  auto turned = image;
  for (std::size_t i = 0; i < 24; ++i)
    for (std::size_t c = 0; c < 3; ++c) turned.pixels[3 * i + c] = image.pixels[3 * (23 - i) + c];
  auto stored = encode_png(turned).value();
  stored.insert(33, png_chunk("eXIf", exif(3, true)));
  const testing::TempFolder a, b;
  a.write("ant/1.png", encode_png(image).value());
  a.write("bee/1.png", testing::png_of(1));
  b.write("ant/2.png", stored);
  b.write("bee/2.png", testing::png_of(2));
  const auto one = open_dataset("folder:" + a.str()), other = open_dataset("folder:" + b.str());
  ASSERT_TRUE(one.ok() && other.ok());
  EXPECT_EQ(shared_images(*one->dataset, *other->dataset), 1U);
}

TEST(Exif, a_turned_file_is_fitted_as_its_twin) {
  const Preprocess recipe{.version = 2, .channels = 1, .height = 8, .width = 8, .resize_shorter = 8, .normalization = {}};
  const auto turned = decode_image(jpeg_with(segment('\xE1', "Exif\0\0"s + exif(3, true))), "x").value();
  auto twin = decode_image(jpeg_with(""), "x").value();
  for (std::size_t i = 0, count = twin.pixels.size() / 3; i < count / 2; ++i)
    for (std::size_t c = 0; c < 3; ++c) std::swap(twin.pixels[3 * i + c], twin.pixels[3 * (count - 1 - i) + c]);
  EXPECT_EQ(fit_image(turned, recipe).value().pixels, fit_image(twin, recipe).value().pixels);
}

}  // namespace
}  // namespace hedge::data

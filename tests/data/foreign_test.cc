// Formats that are only named.
#include <gtest/gtest.h>

#include "data/first_bytes.h"
#include "hedge/image.h"

namespace hedge::data {
namespace {

using namespace std::string_literals;

TEST(Foreign, known_formats_are_named_with_the_way_out) {
  const std::pair<std::string, const char*> cases[] = {
      {"\0\0\0\x18"
       "ftypheic\0\0\0\0mif1heic"s,
       "HEIC"},
      {"\0\0\0\x1C"
       "ftypavif\0\0\0\0"s,
       "AVIF"},
      {"\0\0\0\x0CjP  \r\n\x87\n"s, "JPEG 2000"},
      {"\xFF\x4F\xFF\x51\0\0"s, "JPEG 2000"},
      {"\xFF\x0A\x11\x22"s, "JPEG XL"},
      {"8BPS\0\1"s, "PSD"},
      {"\0\0\1\0\1\0"s, "ICO"},
      {"II*\0\x10\0\0\0CR\2\0"s, "CR2"},
      {std::string(128, '\0') + "DICM", "DICOM"},
      {"%PDF-1.7"s, "PDF"},
      {"\x76\x2F\x31\x01"s, "OpenEXR"},
      {"P6\n2 2\n255\n"s, "PPM"},
      {"PK\3\4zip"s, "ZIP"},
      {"<?xml version=\"1.0\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\"/>"s, "SVG"},
      {"<!DOCTYPE HTML>\n<html>404</html>"s, "web page"},
      {"version https://git-lfs.github.com/spec/v1\noid sha256:00"s, "LFS"},
  };
  for (const auto& [bytes, name] : cases) {
    const auto refused = probe_image(bytes, "a/1.jpg");
    ASSERT_FALSE(refused.ok()) << name;
    EXPECT_NE(refused.error().what.find(name), std::string::npos) << refused.error().message();
    EXPECT_FALSE(refused.error().hint.empty()) << name;
    EXPECT_EQ(decode_image(bytes, "a/1.jpg").error().what, refused.error().what);
    EXPECT_FALSE(check_first_bytes(bytes, "a/1.jpg").ok()) << name;
  }
}

TEST(Foreign, other_bytes_are_no_image) {
  EXPECT_EQ(probe_image("hello", "x").error().what, "the file is no image");
  EXPECT_EQ(probe_image("", "x").error().what, "the file is empty");
  EXPECT_TRUE(check_first_bytes("\xff\xd8\xff\xe0", "x").ok());
  EXPECT_TRUE(check_first_bytes("GIF89a", "x").ok());
}

}  // namespace
}  // namespace hedge::data

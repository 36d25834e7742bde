#include "core/base64.h"

#include <gtest/gtest.h>

namespace hedge {
namespace {

TEST(Base64, gives_the_standards_own_examples) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xff\xfb"), "//s=");
}

TEST(Base64, gives_the_bytes_back) {
  for (const std::string bytes : {"", "f", "fo", "foo", "foobar", "\xff\xfb"}) EXPECT_EQ(parse_base64(base64(bytes), "x").value(), bytes);
  EXPECT_EQ(parse_base64(base64(std::string("\0a\0", 3)), "x").value(), std::string("\0a\0", 3));
}

TEST(Base64, refuses_what_is_none) {
  for (const char* text : {"Zg=", "Zg", "Z===", "====", "Zg==Zg==", "Z-==", "Zh==", "Zm9=", "Zm 9"}) {
    const auto bytes = parse_base64(text, "here");
    ASSERT_FALSE(bytes.ok()) << text;
    EXPECT_EQ(bytes.error().code, ErrorCode::kBadFormat) << text;
    EXPECT_EQ(bytes.error().where, "here");
  }
}

}  // namespace
}  // namespace hedge

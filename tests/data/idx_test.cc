#include "data/idx.h"

#include <gtest/gtest.h>

#include "data/fixtures.h"

namespace hedge::data {
namespace {

using testing::gzip;
using testing::idx_bytes;

ErrorCode code_of(const std::string& bytes, std::size_t most = kMostIdxBytes) {
  const auto parsed = parse_idx(bytes, "x.idx", most);
  EXPECT_FALSE(parsed.ok());
  if (parsed.ok()) return ErrorCode::kInternal;
  EXPECT_EQ(parsed.error().where, "x.idx");
  return parsed.error().code;
}

TEST(Idx, reads_plain_and_gzip_alike) {
  const auto bytes = idx_bytes({2, 3}, "abcdef");
  for (const auto& form : {bytes, gzip(bytes)}) {
    const auto parsed = parse_idx(form, "x.idx");
    ASSERT_TRUE(parsed.ok()) << parsed.error().message();
    EXPECT_EQ(parsed->dims, (Shape{2, 3}));
    EXPECT_EQ(parsed->values, (std::vector<std::uint8_t>{'a', 'b', 'c', 'd', 'e', 'f'}));
  }
}

TEST(Idx, reads_gzip_of_several_members) {
  const auto bytes = idx_bytes({4}, "abcd");
  const auto parsed = parse_idx(gzip(bytes.substr(0, 5)) + gzip(bytes.substr(5)), "x.idx");
  ASSERT_TRUE(parsed.ok()) << parsed.error().message();
  EXPECT_EQ(parsed->values.size(), 4U);
}

TEST(Idx, rejects_every_truncation) {
  const auto plain = idx_bytes({2, 3}, "abcdef");
  const auto packed = gzip(plain);
  for (std::size_t n = 0; n < plain.size(); ++n) EXPECT_EQ(code_of(plain.substr(0, n)), ErrorCode::kBadFormat) << n;
  for (std::size_t n = 0; n < packed.size(); ++n) EXPECT_EQ(code_of(packed.substr(0, n)), ErrorCode::kBadFormat) << n;
}

TEST(Idx, rejects_leftover_bytes) {
  EXPECT_EQ(code_of(idx_bytes({2}, "abc")), ErrorCode::kBadFormat);
  EXPECT_EQ(code_of(gzip(idx_bytes({2}, "ab")) + "x"), ErrorCode::kBadFormat);
}

TEST(Idx, rejects_a_wrong_magic) {
  EXPECT_EQ(code_of("PK\x03\x04" + std::string(20, 'x')), ErrorCode::kBadFormat);
  EXPECT_EQ(code_of(std::string("\0\0\x08\0", 4)), ErrorCode::kBadFormat) << "no dimensions";
}

TEST(Idx, rejects_elements_that_are_not_bytes) {
  auto floats = idx_bytes({1}, "abcd");
  floats[2] = '\x0D';
  EXPECT_EQ(code_of(floats), ErrorCode::kUnsupported);
}

TEST(Idx, rejects_dimensions_whose_product_overflows) {
  EXPECT_EQ(code_of(idx_bytes({0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, "")), ErrorCode::kBadFormat);
  EXPECT_EQ(code_of(idx_bytes({0x80000000, 0x80000000, 4}, "")), ErrorCode::kBadFormat) << "2^64 wraps to 0";
}

TEST(Idx, stops_inflating_at_the_bound) {
  const auto bomb = gzip(std::string(8 << 20, '\0'));
  EXPECT_EQ(code_of(bomb, 1 << 20), ErrorCode::kBadFormat);
}

TEST(Idx, rejects_a_damaged_gzip) {
  auto packed = gzip(idx_bytes({64}, std::string(64, 'a')));
  packed[packed.size() - 6] = static_cast<char>(packed[packed.size() - 6] ^ 1);
  EXPECT_EQ(code_of(packed), ErrorCode::kBadFormat);
}

}  // namespace
}  // namespace hedge::data

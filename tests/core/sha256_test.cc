#include "core/sha256.h"

#include <gtest/gtest.h>

#include <string>

#include "core/file.h"
#include "core/testing.h"

namespace hedge {
namespace {

constexpr const char* kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

// The example vectors of FIPS 180-4 (NIST), with the empty message.
TEST(Sha256, gives_the_standards_vectors) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), kAbc);
  EXPECT_EQ(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256_hex("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"),
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
  EXPECT_EQ(sha256_hex(std::string(1000000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, pieces_give_the_same_as_the_whole) {
  std::string text;
  for (int i = 0; i < 300; ++i) text.push_back(static_cast<char>(i * 7));
  const std::string whole = sha256_hex(text);
  for (const std::size_t piece : {1, 3, 63, 64, 65, 128}) {
    Sha256 hash;
    for (std::size_t at = 0; at < text.size(); at += piece) hash.update(std::string_view(text).substr(at, piece));
    EXPECT_EQ(hash.hex(), whole) << "pieces of " << piece;
  }
}

TEST(Sha256, differs_for_every_length_around_a_block) {
  std::string before;
  for (std::size_t n = 50; n < 140; ++n) {
    const std::string hash = sha256_hex(std::string(n, 'x'));
    EXPECT_EQ(hash.size(), 64U);
    EXPECT_NE(hash, before);
    before = hash;
  }
}

TEST(Sha256, hashes_a_file_and_names_a_missing_one) {
  const testing::TemporaryFolder folder("sha256");
  ASSERT_TRUE(write_file_atomic(folder / "abc", "abc").ok());
  EXPECT_EQ(sha256_file(folder / "abc").value(), kAbc);
  EXPECT_EQ(sha256_file(folder / "none").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace hedge

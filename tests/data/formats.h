#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "hedge/image.h"

/// What the tests of the image formats share.
namespace hedge::data::testing {

inline Image decoded(const std::string& bytes) {
  const auto info = probe_image(bytes, "x");
  auto image = decode_image(bytes, "x");
  EXPECT_TRUE(image.ok()) << (image.ok() ? "" : image.error().message());
  if (!image.ok()) return {};
  EXPECT_TRUE(info.ok() && info->height == image->height && info->width == image->width && info->channels == image->channels);
  EXPECT_TRUE(validate_image(*image).ok());
  return std::move(image).value();
}

/// Every truncation is an error, or (a trailer that nothing needs) the whole image.
inline void expect_truncations_refused(const std::string& bytes, std::size_t needed) {
  for (std::size_t n = 0; n < needed; n += 5) {
    const auto image = decode_image(bytes.substr(0, n), "cut");
    ASSERT_FALSE(image.ok()) << n << " of " << bytes.size();
    EXPECT_EQ(image.error().where, "cut");
  }
}

inline std::string little(std::uint32_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 255U);
  return out;
}

}  // namespace hedge::data::testing

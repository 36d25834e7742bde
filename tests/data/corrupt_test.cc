#include "data/corrupt.h"

#include <gtest/gtest.h>

#include <cmath>

#include "data/spec.h"
#include "fixtures.h"

namespace hedge::data {
namespace {

Image flat(std::int64_t side, std::int64_t channels, std::uint8_t value) {
  return {.height = side,
          .width = side,
          .channels = channels,
          .pixels = std::vector<std::uint8_t>(static_cast<std::size_t>(side * side * channels), value)};
}

Image corrupted(const Image& image, const std::string& text, std::uint64_t seed = 1) {
  auto changed = corrupt(image, parse_corruption(text).value(), seed);
  EXPECT_TRUE(changed.ok()) << changed.error().message();
  return *std::move(changed);
}

double mean(const Image& image) {
  double sum = 0;
  for (const auto v : image.pixels) sum += v;
  return sum / static_cast<double>(image.pixels.size());
}

double deviation(const Image& image) {
  const double m = mean(image);
  double sum = 0;
  for (const auto v : image.pixels) sum += (v - m) * (v - m);
  return std::sqrt(sum / static_cast<double>(image.pixels.size()));
}

double distance(const Image& a, const Image& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) sum += std::abs(a.pixels[i] - b.pixels[i]);
  return sum / static_cast<double>(a.pixels.size());
}

TEST(Corrupt, text_is_a_kind_and_a_strength) {
  for (const auto kind : kCorruptions)
    for (int strength = 1; strength <= kStrengths; ++strength) {
      const Corruption corruption{kind, strength};
      EXPECT_EQ(parse_corruption(to_string(corruption)).value(), corruption);
    }
  for (const std::string text : {"", "blur", "blur:", "blur:0", "blur:6", "blur:1.5", "Blur:1", "fog:1", "blur:1:2", "blur: 1"})
    EXPECT_EQ(parse_corruption(text).error().code, ErrorCode::kInvalidArgument) << text;
}

TEST(Corrupt, every_strength_changes_an_image_more_than_the_one_before_and_keeps_its_size) {
  for (const std::int64_t side : {28, 96}) {
    auto image = corrupted(testing::noise(7, side, side + 5, 3), "blur:2");  // not white: JPEG has something to lose
    image.orientation = 6;
    for (const auto kind : kCorruptions) {
      double before = 0;
      for (int strength = 1; strength <= kStrengths; ++strength) {
        const auto changed = corrupt(image, {kind, strength}, 1).value();
        EXPECT_EQ(changed.height, image.height);
        EXPECT_EQ(changed.width, image.width);
        EXPECT_EQ(changed.orientation, 6);
        const double now = distance(image, changed);
        EXPECT_GT(now, before) << to_string(kind) << " " << strength << " at " << side;
        before = now;
      }
    }
  }
}

TEST(Corrupt, brightness_adds_to_the_largest_channel_and_keeps_the_hue) {
  Image image{.height = 1, .width = 2, .channels = 3, .pixels = {100, 50, 20, 0, 0, 0}};
  const auto brighter = corrupted(image, "brightness:4");  // 0.2 of 255 is 51
  EXPECT_EQ(brighter.pixels, (std::vector<std::uint8_t>{151, 76, 30, 51, 51, 51}));
  EXPECT_EQ(corrupted(flat(100, 1, 200), "brightness:5").pixels[0], 255);
}

TEST(Corrupt, blur_keeps_a_flat_image_and_has_the_stated_width) {
  EXPECT_EQ(corrupted(flat(28, 1, 90), "blur:5").pixels, flat(28, 1, 90).pixels);
  EXPECT_EQ(corrupted(flat(300, 3, 90), "blur:5").pixels, flat(300, 3, 90).pixels);
  constexpr double kBoxes = 0.25;  // pixels: the boxes' widths are odd numbers, and values are bytes
  for (const std::int64_t side : {32, 512}) {
    auto edge = flat(side, 1, 0);
    for (std::size_t i = 0; i < edge.pixels.size(); ++i) edge.pixels[i] = static_cast<std::int64_t>(i) % side >= side / 2 ? 250 : 0;
    const auto blurred = corrupted(edge, "blur:5");
    double weight = 0, at = 0, square = 0;  // of the edge's slope along a row in the middle, which is the kernel
    for (std::int64_t x = 1; x < side; ++x) {
      const auto i = static_cast<std::size_t>(side / 2 * side + x);
      const double slope = blurred.pixels[i] - blurred.pixels[i - 1], place = static_cast<double>(x);
      weight += slope;
      at += slope * place;
      square += slope * place * place;
    }
    const double sigma = side == 32 ? 1.0 : 12.0;
    EXPECT_NEAR(std::sqrt(square / weight - at / weight * (at / weight)), sigma, kBoxes);
  }
}

TEST(Corrupt, noise_has_the_stated_deviation_and_comes_again_with_its_seed) {
  const auto gray = flat(64, 3, 128);
  const auto noisy = corrupted(gray, "noise:5");
  EXPECT_NEAR(deviation(noisy), 25.5, 1.0);
  EXPECT_NEAR(mean(noisy), 128, 1.0);
  EXPECT_EQ(noisy.pixels, corrupted(gray, "noise:5").pixels);
  EXPECT_NE(noisy.pixels, corrupted(gray, "noise:5", 2).pixels);
}

TEST(Corrupt, the_grain_of_noise_grows_with_a_large_image) {
  const auto noisy = corrupted(flat(512, 1, 128), "noise:1");
  for (std::size_t x = 0; x < 512; x += 2) {
    EXPECT_EQ(noisy.pixels[x], noisy.pixels[x + 1]);
    EXPECT_EQ(noisy.pixels[x], noisy.pixels[512 + x]);
  }
  EXPECT_NE(noisy.pixels[0], noisy.pixels[2 * 512]);
}

TEST(Corrupt, what_is_no_image_is_an_error) {
  EXPECT_EQ(corrupt({.height = 2, .width = 2, .channels = 1, .pixels = {1}}, {}, 1).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(corrupt(flat(8, 1, 1), {CorruptionKind::kBlur, 6}, 1).error().code, ErrorCode::kInvalidArgument);
}

TEST(CorruptedDataset, is_the_same_images_under_another_hash) {
  const testing::TempFolder folder;
  testing::add_class(folder, "a", 4, 1);
  testing::add_class(folder, "b", 4, 2);
  const std::string spec = "folder:" + folder.str() + "?split=all";
  const auto plain = open_dataset(spec).value();
  const auto noisy = open_dataset(spec + "&corrupt=noise:3").value();
  const auto limited = open_dataset("folder:" + folder.str() + "?corrupt=noise:3&limit=2").value();
  EXPECT_EQ(noisy.dataset->spec(), spec + "&corrupt=noise:3");
  EXPECT_NE(noisy.dataset->content_hash(), plain.dataset->content_hash());
  EXPECT_NE(noisy.dataset->content_hash(), open_dataset(spec + "&corrupt=noise:4").value().dataset->content_hash());
  ASSERT_EQ(noisy.dataset->size(), plain.dataset->size());
  const auto last = plain.dataset->size() - 1;
  EXPECT_EQ(noisy.dataset->label(last), plain.dataset->label(last));
  EXPECT_EQ(noisy.dataset->stored_hash(last), plain.dataset->stored_hash(last));
  EXPECT_NE(noisy.dataset->image(last).value().pixels, plain.dataset->image(last).value().pixels);
  for (std::size_t i = 0; i < limited.dataset->size(); ++i)  // the noise goes with the image, not with its place
    for (std::size_t j = 0; j < noisy.dataset->size(); ++j) {
      if (limited.dataset->id(i) != noisy.dataset->id(j)) continue;
      EXPECT_EQ(limited.dataset->image(i).value().pixels, noisy.dataset->image(j).value().pixels);
    }
}

}  // namespace
}  // namespace hedge::data

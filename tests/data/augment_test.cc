#include "data/internal/augment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace hedge::data::internal {
namespace {

constexpr ImageSize kSize{.height = 6, .width = 6, .channels = 1};

/// Steep enough that a fraction of a pixel shows.
std::vector<std::uint8_t> ramp() {
  std::vector<std::uint8_t> pixels(36);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(7 * i);
  return pixels;
}

TEST(Augmentation, alternating_flips_show_each_image_both_ways_in_two_epochs) {
  const Augmentation alternating{.flip = true, .alternate = true};
  int first = 0;
  for (std::size_t index = 0; index < 200; ++index) {
    const auto flipped = [&](std::int64_t epoch) {
      return draw_change(alternating, kSize, {.seed = 4, .epoch = epoch, .index = index}).flip;
    };
    EXPECT_NE(flipped(0), flipped(1)) << index;
    EXPECT_EQ(flipped(0), flipped(2)) << index;
    first += flipped(0) ? 1 : 0;
  }
  EXPECT_GT(first, 70);
  EXPECT_LT(first, 130);
}

TEST(Augmentation, what_was_drawn_before_there_was_more_to_draw_stays) {
  const Augmentation before{.pad_crop = 2, .flip = true, .cutout = 3};
  Augmentation now = before;
  now.erase = 1, now.vary = 2, now.reflect = true;
  for (std::size_t index = 0; index < 20; ++index) {
    const auto a = draw_change(before, kSize, {.seed = 1, .epoch = 2, .index = index});
    const auto b = draw_change(now, kSize, {.seed = 1, .epoch = 2, .index = index});
    EXPECT_TRUE(a.down == b.down && a.right == b.right && a.flip == b.flip && a.cut_y == b.cut_y && a.cut_x == b.cut_x);
    EXPECT_FALSE(a.noise);
    EXPECT_EQ(b.variations.size(), 2U);
  }
}

TEST(Augmentation, pads_by_mirroring_at_the_border_pixels) {
  const auto in = ramp();
  std::vector<std::uint8_t> out(36);
  apply_change({.down = -2, .right = 1, .reflect = true}, kSize, in.data(), out.data());
  EXPECT_EQ(out[0], in[2 * 6 + 1]);      // row -2 shows row 2
  EXPECT_EQ(out[2 * 6 + 0], in[1]);      // row 0
  EXPECT_EQ(out[2 * 6 + 5], in[0 + 4]);  // column 6 shows column 4
}

TEST(Augmentation, erases_a_rectangle_inside_the_image) {
  const Augmentation erasing{.erase = 1};
  const std::vector<std::uint8_t> in(36, 0);
  std::vector<std::uint8_t> out(36);
  for (std::size_t index = 0; index < 50; ++index) {
    const auto change = draw_change(erasing, kSize, {.seed = 1, .epoch = 0, .index = index});
    ASSERT_TRUE(change.noise);
    EXPECT_GE(change.noise->top, 0);
    EXPECT_LE(change.noise->top + change.noise->height, 6);
    EXPECT_LE(change.noise->left + change.noise->width, 6);
    apply_change(change, kSize, in.data(), out.data());
    const auto changed = 36 - std::count(out.begin(), out.end(), 0);
    EXPECT_LE(changed, change.noise->height * change.noise->width);
  }
}

TEST(Variation, of_strength_0_changes_nothing_and_others_do) {
  using Kind = Variation::Kind;
  for (const auto kind : {Kind::kBrightness, Kind::kContrast, Kind::kRotate, Kind::kShearX, Kind::kShearY, Kind::kZoom}) {
    auto image = ramp();
    vary({kind, 0}, kSize, image.data());
    EXPECT_EQ(image, ramp());
    vary({kind, 1}, kSize, image.data());
    EXPECT_NE(image, ramp()) << static_cast<int>(kind);
  }
  std::vector<std::uint8_t> gray(36, 100);
  vary({Kind::kBrightness, 1}, kSize, gray.data());
  EXPECT_EQ(gray, std::vector<std::uint8_t>(36, 130));
}

}  // namespace
}  // namespace hedge::data::internal

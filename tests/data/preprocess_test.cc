#include "hedge/preprocess.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "data/fixtures.h"

namespace hedge::data {
namespace {

using Pixels = std::vector<std::uint8_t>;
using testing::noise;

Preprocess gray(std::int64_t height, std::int64_t width, std::int64_t resize_shorter = 0) {
  return {
      .channels = 1, .height = height, .width = width, .resize_shorter = resize_shorter, .normalization = {.mean = {0.5F}, .std = {0.25F}}};
}

Image row(Pixels pixels) {
  const auto width = static_cast<std::int64_t>(pixels.size());
  return {.height = 1, .width = width, .channels = 1, .pixels = std::move(pixels)};
}

TEST(Fit, an_image_that_fits_stays_as_it_is) {
  const auto image = noise(1, 5, 7, 1);
  EXPECT_EQ(fit_image(image, gray(5, 7)).value().pixels, image.pixels);
  EXPECT_EQ(fit_image(image, gray(5, 7, 5)).value().pixels, image.pixels) << "resizing to the same size changes nothing";
}

TEST(Fit, gray_is_itu_r_601_luma) {
  const Image rgb{.height = 1, .width = 4, .channels = 3, .pixels = {255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255}};
  EXPECT_EQ(fit_image(rgb, gray(1, 4)).value().pixels, (Pixels{76, 150, 29, 255}));
}

TEST(Fit, gray_becomes_rgb_by_copying) {
  auto recipe = gray(1, 2);
  recipe.channels = 3;
  EXPECT_EQ(fit_image(row({7, 9}), recipe).value().pixels, (Pixels{7, 7, 7, 9, 9, 9}));
}

TEST(Fit, enlarging_is_bilinear_with_half_pixel_centres) {
  // Two columns to four: centres at 0.25, 0.75, 1.25, 1.75; the weights of the right one are 0, 1/4, 3/4, 1.
  const Image image{.height = 2, .width = 2, .channels = 1, .pixels = {0, 100, 0, 100}};
  const auto fitted = fit_image(image, gray(4, 4, 4)).value();
  EXPECT_EQ(fitted.pixels, (Pixels{0, 25, 75, 100, 0, 25, 75, 100, 0, 25, 75, 100, 0, 25, 75, 100}));
}

TEST(Fit, shrinking_is_antialiased) {
  // Four to two with a triangle of half-width 2: the weights of output 0 (centre 1.0) on pixels at 0.5, 1.5, 2.5 are
  // 3/4, 3/4, 1/4 (the one at -0.5 is outside), that is 3/7, 3/7, 1/7. Rows alike.
  Image image{.height = 4, .width = 4, .channels = 1, .pixels = {}};
  for (int y = 0; y < 4; ++y)
    for (const int value : {0, 70, 140, 210}) image.pixels.push_back(static_cast<std::uint8_t>(value));
  const auto fitted = fit_image(image, gray(2, 2, 2)).value();
  EXPECT_EQ(fitted.pixels, (Pixels{50, 160, 50, 160}));
}

TEST(Fit, resizing_keeps_a_flat_image_flat) {
  for (const std::uint8_t value : Pixels{0, 1, 127, 254, 255}) {
    const Image flat{.height = 37, .width = 53, .channels = 3, .pixels = Pixels(37 * 53 * 3, value)};
    for (const std::int64_t side : {1, 7, 36, 38, 100}) {
      Preprocess recipe{.channels = 3, .height = side, .width = side, .resize_shorter = side, .normalization = {}};
      const auto fitted = fit_image(flat, recipe).value();
      EXPECT_EQ(fitted.pixels, Pixels(static_cast<std::size_t>(side * side * 3), value)) << side;
    }
  }
}

TEST(Fit, thousands_of_pixels_to_one_have_no_negative_weight) {
  constexpr std::int64_t kSide = 3510;  // rounding leaves -36 to share out, and the largest weight is 25
  Image image{.height = kSide, .width = kSide, .channels = 1, .pixels = std::vector<std::uint8_t>(kSide * kSide, 0)};
  for (std::size_t y = 0; y < kSide; ++y) image.pixels[y * kSide + kSide / 2 - 1] = 255;
  EXPECT_EQ(fit_image(image, gray(1, 1, 1)).value().pixels[0], 0) << "one bright column of thousands";
  image.pixels.assign(kSide * kSide, 255);
  EXPECT_EQ(fit_image(image, gray(1, 1, 1)).value().pixels[0], 255);
}

TEST(Fit, cutting_the_resized_image_equals_cutting_afterwards) {
  const auto image = noise(5, 40, 60, 3);
  const Preprocess whole{.channels = 3, .height = 24, .width = 36, .resize_shorter = 24, .normalization = {}};
  const Preprocess centre{.channels = 3, .height = 10, .width = 12, .resize_shorter = 24, .normalization = {}};
  const Preprocess cut{.channels = 3, .height = 10, .width = 12, .resize_shorter = 0, .normalization = {}};
  EXPECT_EQ(fit_image(image, centre).value().pixels, fit_image(fit_image(image, whole).value(), cut).value().pixels);
}

TEST(Fit, crops_the_centre_and_pads_with_zero) {
  EXPECT_EQ(fit_image(row({1, 2, 3, 4, 5}), gray(1, 3)).value().pixels, (Pixels{2, 3, 4}));
  EXPECT_EQ(fit_image(row({1, 2, 3, 4}), gray(1, 1)).value().pixels, (Pixels{2})) << "the odd pixel goes to the right";
  EXPECT_EQ(fit_image(row({1, 2}), gray(3, 4)).value().pixels, (Pixels{0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0}));
  EXPECT_EQ(fit_image(row({1, 2, 3}), gray(2, 1)).value().pixels, (Pixels{0, 2})) << "padded above, cropped at the sides";
}

TEST(Fit, resizing_a_sliver_takes_no_memory_for_what_is_cut_off) {
  Image sliver{.height = 1, .width = 16384, .channels = 1, .pixels = Pixels(16384, 9)};
  const auto fitted = fit_image(sliver, gray(16, 16, 16384));
  ASSERT_TRUE(fitted.ok());
  EXPECT_EQ(fitted->pixels, Pixels(256, 9));
}

TEST(Fit, refuses_an_image_whose_pixels_do_not_fit_its_size) {
  EXPECT_EQ(fit_image({.height = 2, .width = 2, .channels = 1, .pixels = {1}}, gray(2, 2)).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(fit_image({}, gray(2, 2)).error().code, ErrorCode::kInvalidArgument);
}

TEST(Normalize, writes_channels_first) {
  const Image image{.height = 1, .width = 2, .channels = 3, .pixels = {0, 51, 255, 255, 102, 0}};
  const Normalization normalization{.mean = {0.0F, 0.2F, 0.5F}, .std = {1.0F, 0.5F, 0.25F}};
  std::vector<float> out(6);
  normalize_into(image, normalization, out.data());
  const std::vector<float> expected = {0.0F, 1.0F, 0.0F, 0.4F, 2.0F, -2.0F};
  for (std::size_t i = 0; i < 6; ++i) EXPECT_FLOAT_EQ(out[i], expected[i]) << i;
}

TEST(Recipe, survives_json_exactly) {
  Preprocess recipe{.channels = 3, .height = 224, .width = 192, .resize_shorter = 256, .normalization = {}};
  recipe.normalization = {.mean = {0.485F, 1.0F / 3, 0.1F}, .std = {0.229F, 0.3530F, 1e-3F}};
  const auto back = Preprocess::from_json(recipe.to_json());
  ASSERT_TRUE(back.ok()) << back.error().message();
  EXPECT_EQ(*back, recipe);
}

TEST(Recipe, version_1_of_the_format_stays_readable) {
  const auto recipe =
      Preprocess::from_json(R"({"version":1,"channels":1,"height":28,"width":28,"resize_shorter":0,"mean":[0.5],"std":[0.25]})");
  ASSERT_TRUE(recipe.ok()) << recipe.error().message();
  EXPECT_EQ(*recipe, gray(28, 28));
}

TEST(Recipe, rejects_bad_json) {
  const std::string good = gray(28, 28).to_json();
  const auto replaced = [&](const std::string& from, const std::string& to) {
    auto text = good;
    text.replace(text.find(from), from.size(), to);
    return Preprocess::from_json(text);
  };
  EXPECT_EQ(Preprocess::from_json("{").error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(Preprocess::from_json("[]").error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(replaced("\"version\":1", "\"version\":3").error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(replaced("\"version\":1", "\"version\":0").error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(replaced("\"height\":28", "\"height\":\"28\"").error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(replaced("\"height\":28", "\"height\":-1").error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(replaced("\"height\":28", "\"height\":28,\"jitter\":1").error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(replaced("[0.5]", "[0.5,0.5]").error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(replaced("[0.5]", "[1e99]").error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(replaced("[0.25]", "[0]").error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(replaced("[0.25]", "[null]").error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(replaced("[0.25]", "0.25").error().code, ErrorCode::kBadFormat);
}

TEST(Recipe, validate_names_the_field) {
  const auto problem = [](const auto& change) {
    auto recipe = gray(28, 28);
    change(recipe);
    const auto status = recipe.validate();
    return status.ok() ? std::string() : status.error().message();
  };
  EXPECT_EQ(problem([](Preprocess&) {}), "");
  EXPECT_NE(problem([](Preprocess& r) { r.channels = 2; }).find("channels"), std::string::npos);
  EXPECT_NE(problem([](Preprocess& r) { r.height = 0; }).find("height"), std::string::npos);
  EXPECT_NE(problem([](Preprocess& r) { r.width = 1 << 20; }).find("width"), std::string::npos);
  EXPECT_NE(problem([](Preprocess& r) { r.resize_shorter = -1; }).find("resize_shorter"), std::string::npos);
  EXPECT_NE(problem([](Preprocess& r) { r.normalization.mean = {}; }).find("mean"), std::string::npos);
  EXPECT_NE(problem([](Preprocess& r) { r.normalization.std = {-1.0F}; }).find("std"), std::string::npos);
  EXPECT_NE(problem([](Preprocess& r) { r.normalization.mean = {std::numeric_limits<float>::quiet_NaN()}; }).find("mean"),
            std::string::npos);
}

TEST(MeasureNormalization, gives_mean_and_deviation_and_passes_over_broken_images) {
  const testing::FakeDataset dataset(50, {3});
  double sum = 0;
  double squares = 0;
  for (std::size_t i = 0; i < 50; ++i) {
    if (i == 3) continue;
    const auto image = dataset.image(i);
    for (const auto value : image->pixels) {
      sum += value / 255.0;
      squares += (value / 255.0) * (value / 255.0);
    }
  }
  const double mean = sum / (49 * 16);
  const auto measured = measure_normalization(dataset, gray(4, 4));
  ASSERT_TRUE(measured.ok()) << measured.error().message();
  EXPECT_FLOAT_EQ(measured->mean.at(0), static_cast<float>(mean));
  EXPECT_FLOAT_EQ(measured->std.at(0), static_cast<float>(std::sqrt(squares / (49 * 16) - mean * mean)));
}

TEST(MeasureNormalization, refuses_data_without_any_deviation) {
  const auto recipe = gray(1, 1);
  const testing::FakeDataset one(1);
  EXPECT_EQ(measure_normalization(one, recipe).error().code, ErrorCode::kBadData) << "a single pixel";
  const testing::FakeDataset broken(1, {0});
  EXPECT_EQ(measure_normalization(broken, recipe).error().code, ErrorCode::kBadData) << "no image";
}

}  // namespace
}  // namespace hedge::data

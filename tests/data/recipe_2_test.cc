// Recipe version 2: orientation, channel order, squash, and the filters beside other libraries' results.
#include <gtest/gtest.h>

#include <cstdlib>
#include <numeric>

#include "data/fixtures.h"
#include "hedge/preprocess.h"

namespace hedge::data {
namespace {

using Pixels = std::vector<std::uint8_t>;
using testing::noise;

/// Other libraries round the columns to whole grey levels before they filter the rows, or their weights to fewer bits.
constexpr int kFilterTolerance = 1;

Preprocess version_2(std::int64_t channels, std::int64_t height, std::int64_t width) {
  return {.version = 2, .channels = channels, .height = height, .width = width, .normalization = {}};
}

/// 7 x 9 grey levels with steep edges.
Image pattern() {
  Image image{.height = 7, .width = 9, .channels = 1, .pixels = {}};
  for (int y = 0; y < 7; ++y)
    for (int x = 0; x < 9; ++x) image.pixels.push_back(static_cast<std::uint8_t>((37 * y * y + 53 * x + 11 * x * y) % 256));
  return image;
}

struct Resized {
  const char* name;
  Filter filter;
  bool antialias;
  std::int64_t height, width;
  Pixels expected;
};

class Filters : public ::testing::TestWithParam<Resized> {};

TEST_P(Filters, agree_with_other_libraries) {
  const auto& [name, filter, antialias, height, width, expected] = GetParam();
  auto recipe = version_2(1, height, width);
  recipe.fit = Fit::kSquash;
  recipe.filter = filter;
  recipe.antialias = antialias;
  const auto fitted = fit_image(pattern(), recipe);
  ASSERT_TRUE(fitted.ok()) << fitted.error().message();
  ASSERT_EQ(fitted->pixels.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_LE(std::abs(fitted->pixels[i] - expected[i]), kFilterTolerance) << name << " " << i;
}

// Made with Pillow 13.0 (Image.resize) and OpenCV 4 (cv2.resize), whose cubic equals PyTorch's without antialiasing.
INSTANTIATE_TEST_SUITE_P(
    Libraries, Filters,
    ::testing::Values(
        Resized{"Pillow bicubic, down", Filter::kBicubic, true, 3, 4, {83, 151, 92, 144, 138, 136, 134, 177, 94, 117, 129, 178}},
        Resized{
            "Pillow bicubic, up", Filter::kBicubic, true, 9, 11, {0,   34,  79,  121, 170, 220, 32,  27,  80,  129, 177, 15,  57,  120, 186,
                                                                  200, 82,  73,  113, 176, 169, 59,  88,  147, 127, 132, 180, 93,  54,  104,
                                                                  180, 189, 109, 140, 211, 141, 68,  118, 197, 70,  57,  109, 186, 255, 74,
                                                                  136, 227, 195, 79,  165, 251, 135, 103, 194, 255, 68,  166, 116, 56,  120,
                                                                  212, 99,  112, 200, 213, 101, 134, 86,  57,  108, 186, 142, 126, 80,  126,
                                                                  198, 172, 132, 65,  63,  145, 193, 48,  163, 129, 100, 163, 255, 42,  156,
                                                                  95,  64,  137, 13,  107, 237, 201, 135, 240}},
        Resized{"Pillow bilinear, down", Filter::kBilinear, true, 3, 4, {88, 145, 96, 144, 134, 136, 137, 174, 96, 120, 129, 174}},
        Resized{"Pillow bilinear, up", Filter::kBilinear, true, 9, 11, {0,   39,  82,  125, 169, 212, 46,  43,  86,  129, 168, 25,  69,
                                                                        118, 167, 186, 95,  75,  109, 158, 161, 81,  86,  137, 131, 135,
                                                                        166, 106, 69,  105, 161, 179, 125, 132, 189, 143, 95,  123, 186,
                                                                        86,  78,  120, 183, 240, 77,  140, 210, 187, 95,  165, 235, 143,
                                                                        120, 190, 253, 79,  149, 117, 83,  125, 202, 116, 121, 178, 201,
                                                                        125, 123, 94,  78,  110, 169, 137, 128, 102, 134, 187, 180, 122,
                                                                        79,  77,  130, 175, 57,  148, 131, 121, 166, 247, 52,  139, 96,
                                                                        77,  128, 16,  113, 211, 192, 149, 236}},
        Resized{"Pillow nearest, down", Filter::kNearest, true, 3, 4, {101, 229, 101, 229, 163, 79, 251, 167, 9, 225, 185, 145}},
        Resized{
            "Pillow nearest, up", Filter::kNearest, true, 9, 11, {0,   53,  106, 106, 159, 212, 9,   62,  62,  115, 168, 37,  101, 165, 165,
                                                                  229, 37,  101, 165, 165, 229, 37,  37,  101, 165, 165, 229, 37,  101, 165,
                                                                  165, 229, 37,  148, 223, 42,  42,  117, 192, 11,  86,  86,  161, 236, 77,
                                                                  163, 249, 249, 79,  165, 251, 81,  81,  167, 253, 80,  177, 18,  18,  115,
                                                                  212, 53,  150, 150, 247, 88,  157, 9,   117, 117, 225, 77,  185, 37,  37,
                                                                  145, 253, 157, 9,   117, 117, 225, 77,  185, 37,  37,  145, 253, 52,  171,
                                                                  34,  34,  153, 16,  135, 254, 254, 117, 236}},
        Resized{"OpenCV cubic, down", Filter::kBicubic, false, 3, 4, {41, 224, 88, 155, 123, 91, 239, 207, 68, 216, 184, 179}},
        Resized{
            "OpenCV cubic, up", Filter::kBicubic, false, 9, 11, {0,   31,  78,  122, 175, 224, 34,  17,  78,  130, 181, 10,  48,  120, 200,
                                                                 202, 75,  73,  115, 186, 171, 48,  91,  154, 126, 131, 183, 89,  47,  100,
                                                                 190, 193, 103, 141, 219, 147, 62,  118, 201, 79,  50,  103, 189, 255, 72,
                                                                 132, 235, 194, 75,  165, 255, 136, 95,  198, 255, 63,  173, 124, 50,  121,
                                                                 216, 103, 108, 208, 217, 97,  138, 84,  47,  109, 193, 146, 124, 70,  126,
                                                                 206, 167, 138, 58,  56,  159, 195, 43,  166, 130, 86,  164, 255, 37,  164,
                                                                 97,  62,  135, 12,  98,  245, 203, 129, 242}},
        Resized{"OpenCV linear, down", Filter::kBilinear, false, 3, 4, {62, 198, 78, 149, 131, 100, 230, 199, 85, 187, 161, 177}},
        Resized{"OpenCV linear, up", Filter::kBilinear, false, 9, 11, {0,   38,  82,  125, 169, 212, 46,  43,  86,  129, 168, 25,  68,
                                                                       118, 167, 185, 95,  75,  108, 158, 161, 81,  86,  136, 131, 135,
                                                                       166, 106, 69,  105, 161, 179, 125, 132, 188, 143, 95,  123, 186,
                                                                       86,  77,  120, 183, 240, 77,  140, 210, 187, 95,  165, 235, 143,
                                                                       120, 190, 253, 79,  148, 117, 83,  124, 201, 116, 121, 177, 201,
                                                                       124, 123, 94,  78,  110, 169, 137, 128, 101, 134, 187, 180, 122,
                                                                       79,  77,  130, 175, 57,  148, 131, 121, 166, 247, 52,  138, 96,
                                                                       77,  128, 16,  113, 211, 192, 149, 236}}));

TEST(Filters, nearest_ignores_antialiasing) {
  auto recipe = version_2(1, 3, 4);
  recipe.fit = Fit::kSquash;
  recipe.filter = Filter::kNearest;
  const auto with = fit_image(pattern(), recipe).value();
  recipe.antialias = false;
  EXPECT_EQ(fit_image(pattern(), recipe).value().pixels, with.pixels);
}

TEST(Filters, bicubic_keeps_a_flat_image_flat) {
  for (const bool antialias : {true, false}) {
    for (const std::int64_t side : {1, 7, 36, 38, 100}) {
      auto recipe = version_2(3, side, side);
      recipe.resize_shorter = side;
      recipe.filter = Filter::kBicubic;
      recipe.antialias = antialias;
      const Image flat{.height = 37, .width = 53, .channels = 3, .pixels = Pixels(37 * 53 * 3, 201)};
      EXPECT_EQ(fit_image(flat, recipe).value().pixels, Pixels(static_cast<std::size_t>(side * side * 3), 201)) << side << " " << antialias;
    }
  }
}

TEST(Filters, a_sliver_enlarged_by_bicubic_has_weights_of_one) {
  const Image sliver{.height = 1, .width = 16384, .channels = 1, .pixels = Pixels(16384, 9)};
  auto recipe = version_2(1, 16, 16);
  recipe.resize_shorter = 16384;
  recipe.filter = Filter::kBicubic;
  EXPECT_EQ(fit_image(sliver, recipe).value().pixels, Pixels(256, 9));
}

TEST(Squash, keeps_the_corners_that_a_crop_loses) {
  Image wide{.height = 2, .width = 6, .channels = 1, .pixels = {10, 10, 50, 50, 90, 90, 10, 10, 50, 50, 90, 90}};
  auto recipe = version_2(1, 1, 3);
  recipe.fit = Fit::kSquash;
  recipe.filter = Filter::kNearest;
  EXPECT_EQ(fit_image(wide, recipe).value().pixels, (Pixels{10, 50, 90})) << "straight to height x width";
  recipe.resize_shorter = 6;
  recipe.height = recipe.width = 6;
  EXPECT_EQ(fit_image(wide, recipe).value().pixels[35], 90) << "both sides to resize_shorter";
  recipe.height = recipe.width = 2;
  EXPECT_EQ(fit_image(wide, recipe).value().pixels, (Pixels{50, 50, 50, 50})) << "then the centre";
}

TEST(ChannelOrder, bgr_gives_the_channels_the_other_way_round) {
  const auto image = noise(3, 4, 5, 3);
  auto recipe = version_2(3, 4, 5);
  const auto rgb = fit_image(image, recipe).value().pixels;
  recipe.channel_order = ChannelOrder::kBgr;
  const auto bgr = fit_image(image, recipe).value().pixels;
  for (std::size_t i = 0; i < rgb.size(); ++i) ASSERT_EQ(bgr[i], rgb[i / 3 * 3 + 2 - i % 3]) << i;
}

/// What EXIF's orientation means, from the standard's table of where the stored row 0 and column 0 are to be seen.
Image stored_for(const Image& seen, int orientation) {
  const bool transposed = orientation >= 5;
  const auto height = transposed ? seen.width : seen.height, width = transposed ? seen.height : seen.width;
  Image stored{.height = height, .width = width, .channels = seen.channels, .pixels = {}, .orientation = orientation};
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x) {
      std::int64_t row = 0, column = 0;
      switch (orientation) {
        case 1: row = y, column = x; break;                           // row 0 at the top, column 0 at the left
        case 2: row = y, column = width - 1 - x; break;               // top, right
        case 3: row = height - 1 - y, column = width - 1 - x; break;  // bottom, right
        case 4: row = height - 1 - y, column = x; break;              // bottom, left
        case 5: row = x, column = y; break;                           // left, top
        case 6: row = x, column = height - 1 - y; break;              // right, top
        case 7: row = width - 1 - x, column = height - 1 - y; break;  // right, bottom
        default: row = width - 1 - x, column = y; break;              // left, bottom
      }
      for (std::int64_t c = 0; c < seen.channels; ++c)
        stored.pixels.push_back(seen.pixels[static_cast<std::size_t>((row * seen.width + column) * seen.channels + c)]);
    }
  return stored;
}

class Orientation : public ::testing::TestWithParam<int> {};

TEST_P(Orientation, a_turned_image_is_fitted_as_its_upright_twin) {
  for (const std::int64_t channels : {1, 3}) {
    const auto seen = noise(11, 13, 20, channels);
    const auto stored = stored_for(seen, GetParam());
    EXPECT_EQ(upright(stored).pixels, seen.pixels);
    EXPECT_EQ(upright(stored).orientation, 1);
    for (const std::int64_t wanted : {1, 3}) {
      for (const std::int64_t resize : {0, 6, 17}) {
        auto recipe = version_2(wanted, 5, 8);
        recipe.resize_shorter = resize;
        EXPECT_EQ(fit_image(stored, recipe).value().pixels, fit_image(seen, recipe).value().pixels) << channels << wanted << resize;
      }
      EXPECT_EQ(fit_image(stored, version_2(wanted, 13, 20)).value().pixels, fit_image(seen, version_2(wanted, 13, 20)).value().pixels);
    }
  }
}

TEST_P(Orientation, version_1_reads_the_pixels_as_stored) {
  auto stored = stored_for(noise(12, 6, 6, 1), GetParam());
  auto recipe = version_2(1, 6, 6);
  recipe.version = 1;
  EXPECT_EQ(fit_image(stored, recipe).value().pixels, stored.pixels);
}

INSTANTIATE_TEST_SUITE_P(Exif, Orientation, ::testing::Range(1, 9));

TEST(Orientation, one_outside_of_1_to_8_is_refused) {
  auto image = noise(1, 2, 2, 1);
  image.orientation = 9;
  EXPECT_EQ(fit_image(image, version_2(1, 2, 2)).error().code, ErrorCode::kInvalidArgument);
}

TEST(Reduction, a_reduced_image_needs_version_2_and_a_resize) {
  auto image = noise(1, 20, 20, 1);
  image.reduction = 2;
  auto recipe = version_2(1, 8, 8);
  EXPECT_EQ(fit_image(image, recipe).error().code, ErrorCode::kUnsupported) << "a crop would show another part";
  recipe.resize_shorter = 8;
  EXPECT_TRUE(fit_image(image, recipe).ok());
  recipe.version = 1;
  const auto refused = fit_image(image, recipe);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(refused.error().message().find("version 2"), std::string::npos);
}

TEST(RecipeVersion2, survives_json_exactly) {
  auto recipe = version_2(3, 224, 192);
  recipe.normalization = {.mean = {0.485F, 1.0F / 3, 0.1F}, .std = {0.229F, 0.3530F, 1e-3F}};
  for (const auto order : {ChannelOrder::kRgb, ChannelOrder::kBgr})
    for (const auto fit : {Fit::kCrop, Fit::kSquash})
      for (const auto filter : {Filter::kBilinear, Filter::kBicubic, Filter::kNearest})
        for (const bool antialias : {true, false}) {
          recipe.channel_order = order;
          recipe.fit = fit;
          recipe.filter = filter;
          recipe.antialias = antialias;
          const auto back = Preprocess::from_json(recipe.to_json());
          ASSERT_TRUE(back.ok()) << back.error().message();
          EXPECT_EQ(*back, recipe);
        }
}

TEST(RecipeVersion2, version_1_keeps_the_bytes_of_its_json) {
  const Preprocess recipe{.channels = 1, .height = 28, .width = 28, .normalization = {.mean = {0.5F}, .std = {0.25F}}};
  EXPECT_EQ(recipe.to_json(), R"({"version":1,"channels":1,"height":28,"width":28,"resize_shorter":0,"mean":[0.5],"std":[0.25]})");
}

TEST(RecipeVersion2, rejects_bad_json) {
  auto recipe = version_2(1, 28, 28);
  recipe.normalization = {.mean = {0.5F}, .std = {0.25F}};
  const auto good = recipe.to_json();
  const auto replaced = [&](const std::string& from, const std::string& to) {
    auto text = good;
    text.replace(text.find(from), from.size(), to);
    return Preprocess::from_json(text);
  };
  EXPECT_TRUE(Preprocess::from_json(good).ok());
  EXPECT_EQ(replaced("\"fit\":\"crop\",", "").value(), recipe) << "a field that is not there has version 1's value";
  EXPECT_EQ(replaced("\"crop\"", "\"stretch\"").error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(replaced("\"bilinear\"", "\"lanczos\"").error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(replaced("\"antialias\":true", "\"antialias\":1").error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(replaced("\"rgb\"", "\"bgr\"").error().code, ErrorCode::kBadFormat) << "one channel has no order";
  const auto old = replaced("\"version\":2", "\"version\":1");
  EXPECT_EQ(old.error().code, ErrorCode::kBadFormat);
  EXPECT_NE(old.error().hint.find("2"), std::string::npos);
}

TEST(RecipeVersion2, version_1_has_none_of_the_new_steps) {
  Preprocess recipe{.channels = 3, .height = 8, .width = 8, .normalization = {.mean = {0, 0, 0}, .std = {1, 1, 1}}};
  EXPECT_TRUE(recipe.validate().ok());
  recipe.filter = Filter::kBicubic;
  EXPECT_EQ(recipe.validate().error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace hedge::data

// What a folder says while it is opened: each thing once, with a count; and what it refuses.
#include <gtest/gtest.h>

#include "data/fixtures.h"
#include "data/png_file.h"
#include "data/skipped.h"
#include "hedge/dataset.h"

namespace hedge::data {
namespace {

using namespace std::string_literals;
using testing::add_class;
using testing::noise;
using testing::png_file;
using testing::png_of;
using testing::TempFolder;

struct Said {
  std::vector<std::string> lines;
  [[nodiscard]] std::size_t with(const std::string& words) const {
    std::size_t count = 0;
    for (const auto& line : lines) count += line.find(words) != std::string::npos ? 1U : 0U;
    return count;
  }
  [[nodiscard]] std::string line(const std::string& words) const {
    for (const auto& one : lines)
      if (one.find(words) != std::string::npos) return one;
    return {};
  }
};

Result<Opened> open(const TempFolder& folder, Said& said, const std::string& options = "") {
  return open_dataset("folder:" + folder.str() + options, {.log = [&](LogLevel, const std::string& line) { said.lines.push_back(line); }});
}

/// A PNG of one colour, stored with `channels` samples of `depth` bits.
std::string flat_png(const std::vector<int>& samples, int depth) {
  const int kinds[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA};
  std::string row;
  for (int x = 0; x < 4; ++x)
    for (const int sample : samples) {
      if (depth == 16) row += static_cast<char>(sample >> 8);
      row += static_cast<char>(sample & 255);
    }
  return png_file(4, {4, row}, {.depth = depth, .color = kinds[samples.size() - 1]});
}

TEST(Skipped, one_line_a_reason_with_count_and_examples) {
  std::vector<Skipped> skipped = {{"b/9.txt", "the file is no image"}};
  for (int i = 0; i < 5000; ++i) skipped.push_back({"a/" + std::to_string(i) + ".heic", "HEIC files are not decoded", "convert them"});
  EXPECT_EQ(skipped_lines(skipped),
            (std::vector<std::string>{"skipped 5000: HEIC files are not decoded (a/0.heic, a/1.heic, a/2.heic, …); convert them",
                                      "skipped 1: the file is no image (b/9.txt)"}));
  EXPECT_TRUE(skipped_lines({}).empty());
}

TEST(OddImages, thousands_of_files_that_are_no_images_are_one_line_a_kind) {
  const TempFolder folder;
  add_class(folder, "ant", 5, 1);
  add_class(folder, "bee", 5, 2);
  for (int i = 0; i < 200; ++i) folder.write("ant/" + std::to_string(i) + ".txt", "some text");
  for (int i = 0; i < 7; ++i)
    folder.write("bee/" + std::to_string(i) + ".avif",
                 "\0\0\0\x1C"
                 "ftypavif\0\0\0\0"s);
  Said said;
  const auto opened = open(folder, said);
  ASSERT_TRUE(opened.ok()) << opened.error().message();
  EXPECT_EQ(opened->skipped.size(), 207U) << "the list is whole";
  EXPECT_EQ(said.lines.size(), 2U);
  EXPECT_EQ(said.line("200").find("skipped 200: the file is no image"), 0U) << said.line("200");
  EXPECT_NE(said.line("AVIF").find("magick"), std::string::npos) << "the way out";
}

TEST(OddImages, a_class_without_a_readable_image_is_refused_with_format_and_count) {
  const TempFolder folder;
  add_class(folder, "ant", 12, 1);
  add_class(folder, "bee", 12, 2);
  for (int i = 0; i < 40; ++i)
    folder.write("cat/" + std::to_string(i) + ".heic",
                 "\0\0\0\x18"
                 "ftypheic\0\0\0\0"s);
  for (const auto* options : {"", "?split=train", "?split=test"}) {
    Said said;
    const auto opened = open(folder, said, options);
    ASSERT_FALSE(opened.ok()) << options;
    EXPECT_EQ(opened.error().code, ErrorCode::kBadData);
    EXPECT_NE(opened.error().message().find("cat"), std::string::npos);
    EXPECT_NE(opened.error().message().find("skipped 40: HEIC"), std::string::npos) << opened.error().message();
  }
}

TEST(OddImages, a_class_that_is_unreadable_in_one_split_alone_is_not_refused) {
  const TempFolder folder;
  add_class(folder, "train/ant", 9, 1);
  add_class(folder, "train/bee", 9, 2);
  add_class(folder, "train/cat", 9, 3);
  add_class(folder, "test/ant", 3, 4);
  add_class(folder, "test/bee", 3, 5);
  folder.write("test/cat/0.png", "broken");
  Said said;
  const auto opened = open(folder, said, "?split=test");
  ASSERT_TRUE(opened.ok()) << opened.error().message();
  EXPECT_EQ(said.with("skipped 1"), 1U);
}

TEST(OddImages, a_deep_image_that_uses_few_of_its_bits_is_told_of) {
  for (const auto& [low, high, told] : {std::tuple{100, 4000, true},     // 12 of 16 bits
                                        std::tuple{10, 1000, true},      // 10
                                        std::tuple{0, 16000, true},      // 14
                                        std::tuple{32768, 34000, true},  // an offset, as signed data has
                                        std::tuple{5000, 60000, false}}) {
    const TempFolder folder;
    for (int i = 0; i < 6; ++i) {
      folder.write("ant/" + std::to_string(i) + ".png", flat_png({low + i}, 16));
      folder.write("bee/" + std::to_string(i) + ".png", flat_png({high - i}, 16));
    }
    Said said;
    ASSERT_TRUE(open(folder, said).ok());
    EXPECT_EQ(said.with("16-bit images"), told ? 1U : 0U) << low << " to " << high;
  }
}

TEST(OddImages, the_way_out_of_dark_images_is_the_factor_that_fills_the_range) {
  const TempFolder folder;
  for (int i = 0; i < 3; ++i) {
    folder.write("ant/" + std::to_string(i) + ".png", flat_png({4095}, 16));
    folder.write("bee/" + std::to_string(i) + ".png", flat_png({100 + i}, 16));
  }
  Said said;
  ASSERT_TRUE(open(folder, said).ok());
  EXPECT_NE(said.line("16-bit").find("multiply 16 "), std::string::npos) << said.line("16-bit");
}

TEST(OddImages, fully_transparent_images_are_counted) {
  const TempFolder folder;
  add_class(folder, "ant", 4, 1);
  for (int i = 0; i < 5; ++i) folder.write("bee/" + std::to_string(i) + ".png", flat_png({10, 20, 30, i < 3 ? 0 : 255}, 8));
  Said said;
  ASSERT_TRUE(open(folder, said).ok());
  EXPECT_EQ(said.line("transparent").find("3 of 5 images"), 0U) << said.line("transparent");
}

TEST(OddImages, an_ordinary_folder_says_nothing) {
  const TempFolder folder;
  add_class(folder, "ant", 4, 1);
  add_class(folder, "bee", 4, 2);
  Said said;
  ASSERT_TRUE(open(folder, said).ok());
  EXPECT_TRUE(said.lines.empty()) << said.lines.front();
}

TEST(OddImages, turned_images_are_counted) {
  const TempFolder folder;
  add_class(folder, "ant", 4, 1);
  const auto mark =
      "\xFF\xE1\0\x22"
      "Exif\0\0MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"s;
  auto jpeg = encode_jpeg(noise(1, 8, 8, 3)).value();
  jpeg.insert(2, mark);
  for (int i = 0; i < 4; ++i) folder.write("bee/" + std::to_string(i) + ".jpg", jpeg);
  Said said;
  const auto opened = open(folder, said);
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(said.line("EXIF").find("4 images have an EXIF orientation"), 0U) << said.line("EXIF");
  EXPECT_EQ(opened->dataset->image(4)->orientation, 6);
}

TEST(OddImages, classes_whose_images_all_fail_to_decode_are_found) {
  const testing::FakeDataset dataset(6, {1, 3, 5});
  std::vector<Skipped> skipped = {{"fake/1", "a broken image"}, {"fake/3", "a broken image"}};
  EXPECT_TRUE(unreadable_classes(dataset, skipped).empty());
  skipped.push_back({"fake/5", "a broken image"});
  EXPECT_EQ(unreadable_classes(dataset, skipped), std::vector<std::string>{"odd"});
}

}  // namespace
}  // namespace hedge::data

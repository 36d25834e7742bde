#include "edge/input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/testing.h"
#include "edge/testing.h"
#include "hedge/image.h"

namespace hedge::edge {
namespace {

namespace fs = std::filesystem;
using hedge::testing::TemporaryFolder;
using testing::image_of;

void write_png(const fs::path& path, std::uint8_t first) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << data::encode_png(image_of(first)).value();
}

class FakeDataset final : public data::Dataset {
 public:
  FakeDataset(std::vector<std::string> names, std::vector<std::int64_t> labels) : names_(std::move(names)), labels_(std::move(labels)) {}
  [[nodiscard]] std::size_t size() const override { return labels_.size(); }
  [[nodiscard]] const std::vector<std::string>& class_names() const override { return names_; }
  [[nodiscard]] std::int64_t label(std::size_t index) const override { return labels_[index]; }
  [[nodiscard]] std::string id(std::size_t index) const override { return std::to_string(index); }
  [[nodiscard]] Result<data::Image> image(std::size_t) const override { return image_of(1); }
  [[nodiscard]] const std::string& content_hash() const override { return text_; }
  [[nodiscard]] const std::string& spec() const override { return text_; }

 private:
  std::vector<std::string> names_;
  std::vector<std::int64_t> labels_;
  std::string text_;
};

TEST(Input, a_folder_gives_its_images_by_path_and_no_truth) {
  const TemporaryFolder folder("input");
  write_png(folder / "b.PNG", 2);
  write_png(folder / "a/z.png", 1);
  std::ofstream(folder / "notes.txt") << "no image";
  std::ofstream(folder / "broken.jpg") << "no image either";
  const auto source = open_input(folder.path().string(), testing::kLabels, {});
  ASSERT_TRUE(source.ok()) << source.error().message();
  ASSERT_EQ((*source)->size(), 3U);
  EXPECT_EQ((*source)->id(0), "a/z.png");
  EXPECT_EQ((*source)->id(1), "b.PNG");
  EXPECT_EQ((*source)->id(2), "broken.jpg");
  EXPECT_EQ((*source)->image(0)->pixels[0], 1);
  EXPECT_EQ((*source)->image(2).error().code, ErrorCode::kBadFormat);
  EXPECT_FALSE((*source)->truth(0).has_value());
}

TEST(Input, files_are_images_by_their_first_bytes_and_the_others_are_counted_once) {
  const TemporaryFolder folder("input");
  write_png(folder / "without_extension", 1);
  write_png(folder / "named.dat", 2);
  std::ofstream(folder / "animal.gif", std::ios::binary) << "GIF89a";
  for (int i = 0; i < 5; ++i) std::ofstream(folder / ("photo" + std::to_string(i) + ".heic"), std::ios::binary) << "....ftypheic....";
  std::vector<std::string> said;
  const auto source =
      open_input(folder.path().string(), testing::kLabels, [&](LogLevel, const std::string& line) { said.push_back(line); });
  ASSERT_TRUE(source.ok()) << source.error().message();
  ASSERT_EQ((*source)->size(), 3U);
  EXPECT_EQ((*source)->id(0), "animal.gif") << "named as an image: answered, here with an error";
  EXPECT_TRUE((*source)->image(1).ok());
  EXPECT_TRUE((*source)->image(2).ok());
  ASSERT_EQ(said.size(), 1U);
  EXPECT_EQ(said[0].find("skipped 5: HEIC files are not decoded"), 0U) << said[0];
}

TEST(Input, passes_over_links_that_lead_nowhere_or_in_a_circle) {
  const TemporaryFolder folder("input");
  write_png(folder / "one.png", 1);
  fs::create_symlink("circle.png", folder / "circle.png");
  fs::create_symlink("gone.png", folder / "nowhere.png");
  const auto source = open_input(folder.path().string(), testing::kLabels, {});
  ASSERT_TRUE(source.ok()) << source.error().message();
  ASSERT_EQ((*source)->size(), 1U);
  EXPECT_EQ((*source)->id(0), "one.png");
}

TEST(Input, thumbnails_of_a_network_drive_are_no_images) {
  const TemporaryFolder folder("input");
  write_png(folder / "one.png", 1);
  write_png(folder / "@eaDir/one.png/SYNOPHOTO_THUMB_M.png", 2);
  write_png(folder / "__MACOSX/._one.png", 3);
  const auto source = open_input(folder.path().string(), testing::kLabels, {});
  ASSERT_TRUE(source.ok()) << source.error().message();
  ASSERT_EQ((*source)->size(), 1U);
  EXPECT_EQ((*source)->id(0), "one.png");
}

TEST(Input, a_single_image_needs_no_folder) {
  const TemporaryFolder folder("input");
  write_png(folder / "one.png", 7);
  const auto source = open_input((folder / "one.png").string(), testing::kLabels, {});
  ASSERT_TRUE(source.ok()) << source.error().message();
  ASSERT_EQ((*source)->size(), 1U);
  EXPECT_EQ((*source)->id(0), "one.png");
  EXPECT_EQ((*source)->image(0)->pixels[0], 7);
}

TEST(Input, a_folder_without_images_is_an_error) {
  const TemporaryFolder folder("input");
  EXPECT_EQ(open_input(folder.path().string(), testing::kLabels, {}).error().code, ErrorCode::kBadData);
}

TEST(Input, what_is_neither_a_path_nor_a_data_set_is_an_error) {
  EXPECT_FALSE(open_input("no/such/thing", testing::kLabels, {}).ok());
  EXPECT_EQ(open_input("folder:no/such/thing", testing::kLabels, {}).error().code, ErrorCode::kNotFound);
}

TEST(Input, the_truth_is_matched_by_class_name) {
  const auto source = make_dataset_source(
      std::make_unique<FakeDataset>(std::vector<std::string>{"owl", "yak", "cat"}, std::vector<std::int64_t>{0, 1, 2}), testing::kLabels);
  EXPECT_EQ(source->truth(0), 2);
  EXPECT_EQ(source->truth(1), std::nullopt) << "the bundle knows no yak";
  EXPECT_EQ(source->truth(2), 0);
}

TEST(Input, repeated_class_names_keep_their_place_where_the_lists_are_equal) {
  const std::vector<std::string> twins = {"crane", "crane", "owl"};
  const auto source = make_dataset_source(std::make_unique<FakeDataset>(twins, std::vector<std::int64_t>{0, 1}), twins);
  EXPECT_EQ(source->truth(0), 0);
  EXPECT_EQ(source->truth(1), 1);
}

}  // namespace
}  // namespace hedge::edge

#include "data/near_copies.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "data/fixtures.h"
#include "data/overlap.h"

namespace hedge::data {
namespace {

using testing::TempFolder;

/// A picture with structure of its own: soft waves and some blocks, drawn from a seed.
Image scene(std::uint64_t seed, std::int64_t height, std::int64_t width) {
  Rng rng(seed);
  struct Block {
    double top, left, bottom, right;
    int level[3];
  };
  std::vector<Block> blocks;
  for (int i = 0; i < 40; ++i) {
    const double top = rng.uniform(), left = rng.uniform();
    blocks.push_back({.top = top, .left = left, .bottom = top + 0.3 * rng.uniform(), .right = left + 0.3 * rng.uniform(), .level = {}});
    for (int& level : blocks.back().level) level = static_cast<int>(rng.below(256));
  }
  Image image{.height = height, .width = width, .channels = 3, .pixels = {}};
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x) {
      const double v = (static_cast<double>(y) + 0.5) / static_cast<double>(height),
                   u = (static_cast<double>(x) + 0.5) / static_cast<double>(width);
      int pixel[3] = {static_cast<int>(255 * u), static_cast<int>(255 * v), 128};
      for (const auto& block : blocks)
        if (v >= block.top && v < block.bottom && u >= block.left && u < block.right) std::copy_n(block.level, 3, pixel);
      for (const int value : pixel) image.pixels.push_back(static_cast<std::uint8_t>(value));
    }
  return image;
}

std::unique_ptr<Dataset> open(const TempFolder& folder) {
  auto opened = open_dataset("folder:" + folder.str());
  EXPECT_TRUE(opened.ok()) << opened.error().message();
  return std::move(opened->dataset);
}

TEST(NearCopies, finds_images_that_were_encoded_again_or_resized_and_nothing_else) {
  const TempFolder originals, copies;
  for (std::uint64_t i = 0; i < 60; ++i)
    originals.write((i % 2 == 0 ? "a/" : "b/") + std::to_string(100 + i) + ".png", encode_png(scene(i, 120, 160)).value());
  for (std::uint64_t i = 0; i < 10; ++i) {
    copies.write("a/jpeg" + std::to_string(i) + ".jpg", encode_jpeg(scene(i, 120, 160), 60).value());
    copies.write("b/resized" + std::to_string(i) + ".jpg", encode_jpeg(scene(20 + i, 119, 161), 85).value());
    copies.write("b/small" + std::to_string(i) + ".png", encode_png(scene(40 + i, 60, 80)).value());
    copies.write("a/other" + std::to_string(i) + ".png", encode_png(scene(1000 + i, 120, 160)).value());
  }
  copies.write("a/exact.png", encode_png(scene(59, 120, 160)).value());
  const auto one = open(copies), other = open(originals);
  const auto found = near_copies(*one, *other, {.threads = 2});
  ASSERT_TRUE(found.ok()) << found.error().message();
  EXPECT_EQ(found->pairs.size(), 31U);
  EXPECT_EQ(found->images, 31U);
  EXPECT_TRUE(found->pairs.front().exact);
  EXPECT_EQ(one->id(found->pairs.front().a), "a/exact.png");
  for (const auto& pair : found->pairs) {
    EXPECT_EQ(one->id(pair.a).find("other"), std::string::npos) << other->id(pair.b);
    EXPECT_GE(pair.likeness, 0.85);
  }
  EXPECT_TRUE(
      std::is_sorted(found->pairs.begin() + 1, found->pairs.end(), [](const auto& x, const auto& y) { return x.likeness > y.likeness; }));
  EXPECT_EQ(near_copies(*one, *other, {.most_pairs = 5})->pairs.size(), 5U);
  EXPECT_EQ(near_copies(*one, *other, {.most_pairs = 5})->images, 31U);
}

TEST(NearCopies, compares_a_data_set_with_itself_once_a_pair) {
  const TempFolder folder;
  for (std::uint64_t i = 0; i < 6; ++i)
    folder.write((i < 3 ? "a/" : "b/") + std::to_string(i) + ".png", encode_png(scene(i, 40, 40)).value());
  folder.write("b/again.jpg", encode_jpeg(scene(1, 40, 40), 80).value());
  const auto images = open(folder);
  const auto found = near_copies(*images, *images);
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(found->pairs.size(), 1U);
  EXPECT_EQ(images->id(found->pairs[0].a), "a/1.png");
  EXPECT_EQ(images->id(found->pairs[0].b), "b/again.jpg");
}

TEST(NearCopies, flat_and_broken_images_are_like_no_other) {
  const testing::FakeDataset broken(6, {1, 2});
  const auto found = near_copies(broken, broken);
  ASSERT_TRUE(found.ok());
  EXPECT_TRUE(found->pairs.empty());
  EXPECT_EQ(found->unreadable, 2U);
  const TempFolder folder;
  for (int i = 0; i < 4; ++i)
    folder.write(
        (i < 2 ? "a/" : "b/") + std::to_string(i) + ".png",
        encode_png({.height = 8, .width = 8, .channels = 1, .pixels = std::vector<std::uint8_t>(64, static_cast<std::uint8_t>(60 + i))})
            .value());
  EXPECT_TRUE(near_copies(*open(folder), *open(folder))->pairs.size() == 4U) << "exact copies alone";
}

TEST(NearCopies, can_be_stopped) {
  const testing::FakeDataset images(200);
  EXPECT_EQ(near_copies(images, images, {.should_stop = [] { return true; }}).error().code, ErrorCode::kCancelled);
  EXPECT_EQ(near_copies(images, images, {.threads = 0}).error().code, ErrorCode::kInvalidArgument);
}

TEST(StoredHashes, are_those_of_the_opened_images) {
  const TempFolder folder;
  testing::add_class(folder, "a", 3, 1);
  testing::add_class(folder, "b", 3, 2);
  const auto hashes = stored_hashes("folder:" + folder.str(), 6);
  ASSERT_TRUE(hashes.ok());
  EXPECT_EQ(std::set<std::uint64_t>(hashes->begin(), hashes->end()).size(), 6U);
  EXPECT_EQ(stored_hashes("folder:" + folder.str(), 5).error().code, ErrorCode::kUnsupported);
}

/// Some images of another data set; borrows it.
class Picked final : public Dataset {
 public:
  Picked(const Dataset& whole, std::vector<std::size_t> rows) : whole_(whole), rows_(std::move(rows)) {}
  [[nodiscard]] std::size_t size() const override { return rows_.size(); }
  [[nodiscard]] const std::vector<std::string>& class_names() const override { return whole_.class_names(); }
  [[nodiscard]] std::int64_t label(std::size_t index) const override { return whole_.label(rows_[index]); }
  [[nodiscard]] std::string id(std::size_t index) const override { return whole_.id(rows_[index]); }
  [[nodiscard]] Result<Image> image(std::size_t index) const override { return whole_.image(rows_[index]); }
  [[nodiscard]] const std::string& content_hash() const override { return whole_.content_hash(); }
  [[nodiscard]] const std::string& spec() const override { return whole_.spec(); }

 private:
  const Dataset& whole_;
  std::vector<std::size_t> rows_;
};

// The known pairs among every hundredth image of the test file, in all images of the train file.
TEST(NearCopies, finds_the_known_copies_of_fashion_mnist) {
  if (!testing::has_fashion_mnist()) GTEST_SKIP() << "dataset-fashion-mnist is not installed";
  const auto test = open_dataset("fashion-mnist?split=test"), all = open_dataset("fashion-mnist");
  ASSERT_TRUE(test.ok() && all.ok());
  std::vector<std::size_t> rows = {4998, 9867, 2605, 6210, 2115}, train_rows;
  for (std::size_t row = 0; row < 10000; row += 100) rows.push_back(row);
  for (std::size_t row = 0; row < 60000; ++row) train_rows.push_back(row);  // "all" begins with the train file
  const Picked some(*test->dataset, rows), train(*all->dataset, train_rows);
  const auto found = near_copies(some, train, {.threads = 2});
  ASSERT_TRUE(found.ok());
  std::set<std::pair<std::string, std::string>> pairs;
  for (const auto& pair : found->pairs) pairs.emplace(some.id(pair.a), train.id(pair.b));
  for (const auto& [a, b] : {std::pair{"t10k/04998", "train/13360"},
                             {"t10k/09867", "train/58762"},
                             {"t10k/02605", "train/11932"},
                             {"t10k/06210", "train/19456"},
                             {"t10k/02115", "train/18494"}})
    EXPECT_TRUE(pairs.contains({a, b})) << a << " " << b;
  EXPECT_LE(pairs.size(), 12U) << "few of the other hundred have a copy";
}

}  // namespace
}  // namespace hedge::data

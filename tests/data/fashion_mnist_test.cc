#include <gtest/gtest.h>

#include <map>
#include <set>

#include "data/fixtures.h"
#include "data/overlap.h"
#include "data/spec.h"
#include "hedge/dataset.h"

namespace hedge::data {
namespace {

using testing::gzip;
using testing::idx_bytes;
using testing::TempFolder;

/// `per_class` images of each class, all different; `first` numbers them.
void write_half(const TempFolder& folder, const std::string& prefix, int per_class, int first) {
  std::string pixels;
  std::string labels;
  for (int i = 0; i < 10 * per_class; ++i) {
    std::string image(784, static_cast<char>(i % 10));
    image[0] = static_cast<char>((first + i) % 251);
    image[1] = static_cast<char>((first + i) / 251);
    pixels += image;
    labels += static_cast<char>(i % 10);
  }
  const auto count = static_cast<std::uint32_t>(10 * per_class);
  folder.write(prefix + "-images-idx3-ubyte.gz", gzip(idx_bytes({count, 28, 28}, pixels)));
  folder.write(prefix + "-labels-idx1-ubyte", idx_bytes({count}, labels));
}

class FashionMnist : public ::testing::Test {
 protected:
  FashionMnist() {
    write_half(folder, "train", 24, 0);
    write_half(folder, "t10k", 5, 5000);
    options.fashion_mnist_dir = folder.str();
  }
  [[nodiscard]] std::unique_ptr<Dataset> open(const std::string& query) const {
    auto opened = open_dataset("fashion-mnist" + query, options);
    EXPECT_TRUE(opened.ok()) << opened.error().message();
    return std::move(opened->dataset);
  }
  [[nodiscard]] Error problem() const {
    const auto opened = open_dataset("fashion-mnist", options);
    EXPECT_FALSE(opened.ok());
    return opened.ok() ? Error{} : opened.error();
  }
  static std::set<std::string> ids(const Dataset& dataset) {
    std::set<std::string> all;
    for (std::size_t i = 0; i < dataset.size(); ++i) all.insert(dataset.id(i));
    return all;
  }

  TempFolder folder;
  OpenOptions options;
};

TEST_F(FashionMnist, splits_are_disjoint_stratified_and_complete) {
  const auto train = open("?split=train");
  const auto calibration = open("?split=calibration");
  const auto test = open("?split=test");
  const auto all = open("");
  EXPECT_EQ(train->size(), 220U);
  EXPECT_EQ(calibration->size(), 20U) << "a twelfth of each class of the train file";
  EXPECT_EQ(test->size(), 50U);
  std::map<std::int64_t, int> counts;
  for (std::size_t i = 0; i < calibration->size(); ++i) ++counts[calibration->label(i)];
  for (const auto& [label, count] : counts) EXPECT_EQ(count, 2) << label;
  auto joined = ids(*train);
  joined.merge(ids(*calibration));
  joined.merge(ids(*test));
  EXPECT_EQ(joined.size(), 290U);
  EXPECT_EQ(joined, ids(*all));
  EXPECT_EQ(shared_images(*train, *calibration), 0U);
  EXPECT_EQ(shared_images(*calibration, *all), 20U);
}

TEST_F(FashionMnist, opening_again_gives_the_same_and_splits_have_other_hashes) {
  std::set<std::string> hashes;
  for (const std::string query : {"?split=train", "?split=calibration", "?split=test", "?split=all", "?split=all&limit=30"}) {
    const auto first = open(query);
    EXPECT_EQ(first->spec(), "fashion-mnist" + query);
    EXPECT_EQ(first->content_hash(), open(query)->content_hash());
    hashes.insert(first->content_hash());
  }
  EXPECT_EQ(hashes.size(), 5U);
}

TEST_F(FashionMnist, content_hash_sees_a_pixel_and_a_label) {
  const auto before = open("?split=test")->content_hash();
  write_half(folder, "t10k", 5, 5001);
  const auto pixels = open("?split=test")->content_hash();
  EXPECT_NE(pixels, before);
  std::string labels;
  for (int i = 0; i < 50; ++i) labels += static_cast<char>((i + 1) % 10);
  folder.write("t10k-labels-idx1-ubyte", idx_bytes({50}, labels));
  EXPECT_NE(open("?split=test")->content_hash(), pixels);
}

TEST_F(FashionMnist, images_have_names_and_labels) {
  const auto test = open("?split=test");
  EXPECT_EQ(test->id(42), "t10k/00042");
  EXPECT_EQ(test->label(42), 2);
  EXPECT_EQ(test->class_names().at(9), "Ankle boot");
  const auto image = test->image(42);
  ASSERT_TRUE(image.ok());
  EXPECT_EQ(image->height, 28);
  EXPECT_EQ(image->channels, 1);
  EXPECT_EQ(image->pixels[783], 2);
}

TEST_F(FashionMnist, limit_is_balanced_and_nested) {
  const auto small = open("?split=train&limit=25");
  const auto large = open("?split=train&limit=40");
  EXPECT_EQ(small->size(), 25U);
  std::map<std::int64_t, int> counts;
  for (std::size_t i = 0; i < small->size(); ++i) ++counts[small->label(i)];
  for (const auto& [label, count] : counts) EXPECT_EQ(count, label < 5 ? 3 : 2) << label;
  const auto outer = ids(*large);
  for (const auto& id : ids(*small)) EXPECT_TRUE(outer.contains(id)) << id;
  EXPECT_EQ(open("?limit=100000")->size(), 290U);
}

TEST_F(FashionMnist, a_missing_file_names_the_package) {
  std::filesystem::remove(folder.str() + "/train-labels-idx1-ubyte");
  EXPECT_EQ(problem().code, ErrorCode::kNotFound);
  EXPECT_NE(problem().hint.find("dataset-fashion-mnist"), std::string::npos);
}

TEST_F(FashionMnist, rejects_files_that_do_not_fit_together) {
  folder.write("train-labels-idx1-ubyte", idx_bytes({3}, "abc"));
  EXPECT_EQ(problem().code, ErrorCode::kBadFormat);
  write_half(folder, "train", 24, 0);
  folder.write("train-labels-idx1-ubyte", idx_bytes({240}, std::string(240, '\x0A')));
  EXPECT_EQ(problem().code, ErrorCode::kBadFormat) << "label 10";
  folder.write("train-images-idx3-ubyte.gz", gzip(idx_bytes({240, 14, 56}, std::string(240 * 784, 'x'))));
  EXPECT_EQ(problem().code, ErrorCode::kBadFormat) << "another shape";
  folder.write("train-images-idx3-ubyte.gz", gzip(idx_bytes({240, 28, 28}, std::string(240 * 784, 'x'))).substr(0, 100));
  EXPECT_NE(problem().message().find("truncated"), std::string::npos);
}

TEST(FashionMnistInstalled, has_the_documented_splits) {
  if (!testing::has_fashion_mnist()) GTEST_SKIP() << "needs the package dataset-fashion-mnist";
  const auto calibration = open_dataset("fashion-mnist?split=calibration");
  ASSERT_TRUE(calibration.ok()) << calibration.error().message();
  EXPECT_EQ(calibration->dataset->size(), 5000U);
  std::map<std::int64_t, int> counts;
  for (std::size_t i = 0; i < 5000; ++i) ++counts[calibration->dataset->label(i)];
  for (const auto& [label, count] : counts) EXPECT_EQ(count, 500) << label;
  // The recipe of the split is fixed for ever: tables and policies carry this hash.
  EXPECT_EQ(calibration->dataset->content_hash(), "d022982ea0e6a9c9d85050a35fb2a1a8cad24ea10a3ec1c4cfd31d958c41fc1f");
  const auto test = open_dataset("fashion-mnist?split=test");
  ASSERT_TRUE(test.ok()) << test.error().message();
  EXPECT_EQ(test->dataset->size(), 10000U);
  EXPECT_EQ(test->dataset->content_hash(), "79f2888745ca708cba67ff7ccdaf6f0548291283e5c5245be5e28ed8581136f2");
}

}  // namespace
}  // namespace hedge::data

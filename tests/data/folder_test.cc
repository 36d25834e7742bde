#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <set>

#include "data/fixtures.h"
#include "data/loader.h"
#include "data/overlap.h"
#include "hedge/dataset.h"

namespace hedge::data {
namespace {

using testing::add_class;
using testing::png_of;
using testing::TempFolder;

Opened open(const TempFolder& folder, const std::string& query = "", const OpenOptions& options = {}) {
  auto opened = open_dataset("folder:" + folder.str() + query, options);
  EXPECT_TRUE(opened.ok()) << opened.error().message();
  return opened.ok() ? std::move(*opened) : Opened{};
}

Error problem(const TempFolder& folder, const std::string& query = "", const OpenOptions& options = {}) {
  const auto opened = open_dataset("folder:" + folder.str() + query, options);
  EXPECT_FALSE(opened.ok());
  return opened.ok() ? Error{} : opened.error();
}

std::vector<std::string> ids(const Dataset& dataset) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < dataset.size(); ++i) all.push_back(dataset.id(i));
  return all;
}

void add_three_classes(const TempFolder& folder) {
  add_class(folder, "cat", 20, 1);
  add_class(folder, "ant", 30, 2);
  add_class(folder, "bee", 4, 3);
}

TEST(Folder, lists_classes_and_images_sorted) {
  const TempFolder folder;
  add_three_classes(folder);
  folder.write("bee/nested/deep.png", png_of(77));
  folder.write("bee/.hidden", "x");
  folder.write("README.txt", "not in a class");
  const auto opened = open(folder);
  EXPECT_TRUE(opened.skipped.empty());
  EXPECT_EQ(opened.dataset->class_names(), (std::vector<std::string>{"ant", "bee", "cat"}));
  const auto all = ids(*opened.dataset);
  EXPECT_EQ(all.size(), 55U);
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
  EXPECT_EQ(all.front(), "ant/00.png");
  EXPECT_EQ(opened.dataset->label(34), 1);
  EXPECT_EQ(all[34], "bee/nested/deep.png");
  EXPECT_EQ(opened.dataset->image(34)->pixels, testing::noise(77, 5, 6, 3).pixels);
}

TEST(Folder, flat_layout_is_divided_80_10_10_in_each_class) {
  const TempFolder folder;
  add_three_classes(folder);
  std::map<std::string, std::map<std::int64_t, int>> counts;
  std::set<std::string> joined;
  for (const std::string split : {"train", "calibration", "test"}) {
    const auto opened = open(folder, "?split=" + split);
    for (std::size_t i = 0; i < opened.dataset->size(); ++i) {
      ++counts[split][opened.dataset->label(i)];
      EXPECT_TRUE(joined.insert(opened.dataset->id(i)).second) << opened.dataset->id(i);
    }
    EXPECT_EQ(opened.dataset->class_names().size(), 3U);
  }
  EXPECT_EQ(joined.size(), 54U);
  EXPECT_EQ(counts["test"], (std::map<std::int64_t, int>{{0, 3}, {1, 1}, {2, 2}})) << "a class of four gives one";
  EXPECT_EQ(counts["calibration"], counts["test"]);
  EXPECT_EQ(counts["train"], (std::map<std::int64_t, int>{{0, 24}, {1, 2}, {2, 16}}));
}

TEST(Folder, the_split_of_a_path_is_fixed_for_ever) {
  const TempFolder folder;
  add_three_classes(folder);
  EXPECT_EQ(ids(*open(folder, "?split=test").dataset),
            (std::vector<std::string>{"ant/03.png", "ant/05.png", "ant/20.png", "bee/01.png", "cat/03.png", "cat/06.png"}));
}

TEST(Folder, imagenet_layout_takes_the_test_folder_and_a_tenth_of_train) {
  for (const std::string name : {"test", "val", "validation", "valid"}) {
    const TempFolder folder;
    add_class(folder, "train/cat", 20, 1);
    add_class(folder, "train/dog", 10, 2);
    add_class(folder, name + "/cat", 4, 3);
    add_class(folder, name + "/dog", 3, 4);
    EXPECT_EQ(open(folder, "?split=train").dataset->size(), 27U);
    EXPECT_EQ(open(folder, "?split=calibration").dataset->size(), 3U);
    const auto test = open(folder, "?split=test");
    EXPECT_EQ(test.dataset->size(), 7U);
    EXPECT_EQ(test.dataset->id(0), name + "/cat/00.png");
    EXPECT_EQ(test.dataset->class_names(), (std::vector<std::string>{"cat", "dog"}));
    EXPECT_EQ(open(folder).dataset->size(), 37U);
  }
}

TEST(Folder, one_image_a_class_is_divided_over_all_classes_together) {
  const TempFolder folder;
  for (int i = 0; i < 40; ++i) add_class(folder, "class" + std::to_string(i), 1, static_cast<std::uint64_t>(i) + 1);
  std::size_t all = 0;
  for (const auto& [split, images] : {std::pair<const char*, std::size_t>{"test", 16}, {"calibration", 16}, {"train", 8}}) {
    const auto opened = open_dataset("folder:" + folder.str() + "?split=" + split);
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    EXPECT_EQ(opened->dataset->size(), images) << split;
    EXPECT_EQ(opened->dataset->class_names().size(), 40U);
    all += opened->dataset->size();
  }
  EXPECT_EQ(all, 40U);
}

TEST(Folder, a_split_folder_alone_is_not_read_as_classes) {
  for (const std::string part : {"train", "test", "validation"}) {
    const TempFolder folder;
    add_class(folder, part + "/cat", 3, 1);
    add_class(folder, part + "/dog", 3, 2);
    const auto error = problem(folder);
    EXPECT_EQ(error.code, ErrorCode::kBadData) << part;
    EXPECT_NE(error.what.find("train/"), std::string::npos) << error.what;
    EXPECT_NE(error.hint.find("train/CLASS"), std::string::npos) << error.hint;
  }
}

TEST(Folder, train_may_be_a_class_among_others) {
  const TempFolder folder;
  add_class(folder, "train", 4, 1);
  add_class(folder, "tram", 4, 2);
  EXPECT_EQ(open(folder).dataset->class_names(), (std::vector<std::string>{"train", "tram"}));
}

TEST(Folder, a_test_folder_without_classes_gives_way_to_val) {
  const TempFolder folder;
  for (const std::string part : {"train", "val"}) {
    add_class(folder, part + "/cat", 3, 1);
    add_class(folder, part + "/dog", 3, 2);
  }
  folder.write("test/images/1.png", png_of(9));
  EXPECT_EQ(open(folder, "?split=test").dataset->id(0), "val/cat/00.png");
  std::filesystem::remove_all(folder.str() + "/val");
  EXPECT_EQ(problem(folder).code, ErrorCode::kBadData);
}

TEST(Folder, content_hash_sees_content_and_class_but_not_the_place) {
  const TempFolder folder;
  const TempFolder copy;
  add_three_classes(folder);
  add_three_classes(copy);
  const auto before = open(folder).dataset->content_hash();
  EXPECT_EQ(open(folder).dataset->content_hash(), before);
  EXPECT_EQ(open(copy).dataset->content_hash(), before);
  EXPECT_NE(open(folder, "?split=train").dataset->content_hash(), before);
  copy.write("ant/00.png", png_of(4711));
  EXPECT_NE(open(copy).dataset->content_hash(), before);
}

TEST(Folder, files_that_are_no_images_are_skipped_counted_and_listed) {
  const TempFolder folder;
  add_three_classes(folder);
  folder.write("cat/zz.txt", "hello");
  folder.write("ant/empty.jpg", "");
  folder.write("ant/huge.png", encode_png(testing::noise(1, 1, 20000, 1)).value());
  ASSERT_EQ(::mkfifo((folder.str() + "/cat/pipe.png").c_str(), 0600), 0) << "opening it would wait for ever";
  int warnings = 0;
  const auto opened = open(folder, "", {.log = [&](LogLevel level, const std::string&) { warnings += level == LogLevel::kWarning; }});
  EXPECT_EQ(opened.dataset->size(), 54U);
  ASSERT_EQ(opened.skipped.size(), 4U);
  EXPECT_EQ(opened.skipped[0].path, "ant/empty.jpg");
  EXPECT_EQ(opened.skipped[0].reason, "the file is empty");
  EXPECT_EQ(opened.skipped[1].path, "ant/huge.png");
  EXPECT_EQ(opened.skipped[2].path, "cat/pipe.png");
  EXPECT_EQ(opened.skipped[3].reason, "the file is no image");
  EXPECT_EQ(warnings, 4) << "four reasons, a line each";
}

TEST(Folder, strict_refuses_a_file_that_is_no_image) {
  const TempFolder folder;
  add_three_classes(folder);
  folder.write("cat/zz.jpg", "hello");
  const auto error = problem(folder, "", {.strict = true});
  EXPECT_EQ(error.code, ErrorCode::kBadFormat);
  EXPECT_EQ(error.where, "cat/zz.jpg");
}

TEST(Folder, an_image_under_a_wrong_suffix_is_read) {
  const TempFolder folder;
  add_three_classes(folder);
  folder.write("cat/really-a.png", encode_jpeg(testing::noise(1, 8, 8, 3)).value());
  EXPECT_TRUE(open(folder, "", {.strict = true}).dataset->size() == 55U);
}

TEST(Folder, a_truncated_body_is_left_out_by_the_loader_and_an_error_when_strict) {
  const TempFolder folder;
  add_class(folder, "ant", 3, 1);
  add_class(folder, "bee", 3, 2);
  const auto jpeg = encode_jpeg(testing::noise(1, 40, 40, 3)).value();
  folder.write("bee/cut.jpg", jpeg.substr(0, jpeg.size() - 200));
  const auto opened = open(folder);
  ASSERT_EQ(opened.dataset->size(), 7U) << "its header is whole";
  const Preprocess recipe{
      .channels = 3, .height = 5, .width = 6, .resize_shorter = 0, .normalization = {.mean = {0, 0, 0}, .std = {1, 1, 1}}};
  Loader loader(*opened.dataset, recipe, {});
  loader.start(0);
  const auto batch = loader.next();
  ASSERT_TRUE(batch.ok());
  EXPECT_EQ((*batch)->labels.size(), 6U);
  ASSERT_EQ(loader.skipped().size(), 1U);
  EXPECT_EQ(loader.skipped()[0].path, "bee/cut.jpg");
  Loader strict(*opened.dataset, recipe, {.strict = true});
  strict.start(0);
  EXPECT_EQ(strict.next().error().where, "bee/cut.jpg");
}

TEST(Folder, an_empty_folder_is_no_class_and_is_named) {
  const TempFolder folder;
  add_three_classes(folder);
  const auto before = open(folder).dataset->content_hash();
  folder.make_folder("axolotl");
  folder.make_folder("bird/nest");
  std::string said;
  const auto opened = open(folder, "", {.log = [&](LogLevel, const std::string& text) { said += text + "\n"; }});
  EXPECT_EQ(opened.dataset->class_names(), (std::vector<std::string>{"ant", "bee", "cat"}));
  EXPECT_EQ(opened.dataset->content_hash(), before);
  EXPECT_NE(said.find("2 empty folders taken as no class: axolotl/, bird/"), std::string::npos) << said;
}

TEST(Folder, a_class_without_images_in_one_split_keeps_its_number) {
  const TempFolder folder;
  for (const std::string name : {"ant", "bee", "cat"}) add_class(folder, "train/" + name, 5, 1);
  for (const std::string name : {"ant", "cat"}) add_class(folder, "test/" + name, 5, 2);
  folder.make_folder("test/bee");
  const auto opened = open(folder, "?split=test");
  EXPECT_EQ(opened.dataset->class_names(), (std::vector<std::string>{"ant", "bee", "cat"}));
  EXPECT_EQ(opened.dataset->label(5), 2);
  ASSERT_EQ(opened.skipped.size(), 1U);
  EXPECT_EQ(opened.skipped[0].path, "bee");
  const auto error = problem(folder, "?split=test", {.strict = true});
  EXPECT_EQ(error.code, ErrorCode::kBadData);
  EXPECT_EQ(error.got, "bee");
}

TEST(Folder, rejects_a_single_class_and_no_class_and_no_image) {
  const TempFolder folder;
  EXPECT_EQ(problem(folder).code, ErrorCode::kBadData) << "no class folder";
  folder.write("loose.png", png_of(1));
  EXPECT_NE(problem(folder).hint.find("CLASS/"), std::string::npos);
  folder.make_folder("ant");
  EXPECT_EQ(problem(folder).code, ErrorCode::kBadData) << "no image";
  add_class(folder, "bee", 5, 1);
  EXPECT_NE(problem(folder).message().find("single class"), std::string::npos);
  folder.write("ant/a.png", "no image");
  EXPECT_NE(problem(folder).message().find("single class"), std::string::npos);
}

TEST(Folder, rejects_a_place_that_is_no_folder) {
  const TempFolder folder;
  folder.write("file", "x");
  EXPECT_EQ(open_dataset("folder:" + folder.str() + "/file").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(open_dataset("folder:" + folder.str() + "/nowhere").error().code, ErrorCode::kNotFound);
}

TEST(Folder, limit_counts_good_images_class_by_class) {
  const TempFolder folder;
  add_three_classes(folder);
  folder.write("ant/00.png", "broken");
  const auto opened = open(folder, "?limit=5");
  EXPECT_EQ(ids(*opened.dataset), (std::vector<std::string>{"ant/01.png", "ant/02.png", "bee/00.png", "bee/01.png", "cat/00.png"}));
  EXPECT_EQ(opened.skipped.size(), 1U);
  EXPECT_EQ(open(folder, "?limit=50").dataset->size(), 50U);
  EXPECT_EQ(open(folder, "?limit=1").dataset->size(), 1U);
}

TEST(Folder, a_broken_file_moves_no_other_between_splits) {
  const TempFolder folder;
  add_three_classes(folder);
  const auto before = ids(*open(folder, "?split=train").dataset);
  folder.write(before[3], "broken");
  auto expected = before;
  expected.erase(expected.begin() + 3);
  EXPECT_EQ(ids(*open(folder, "?split=train").dataset), expected);
}

TEST(Folder, a_file_that_vanishes_after_opening_is_an_error_of_its_image) {
  const TempFolder folder;
  add_three_classes(folder);
  const auto opened = open(folder);
  std::filesystem::remove(folder.str() + "/ant/00.png");
  EXPECT_EQ(opened.dataset->image(0).error().code, ErrorCode::kNotFound);
}

TEST(SharedImages, finds_the_same_pixels_under_other_names) {
  const TempFolder a;
  const TempFolder b;
  add_class(a, "ant", 4, 1);
  add_class(a, "bee", 4, 2);
  add_class(b, "cat", 4, 3);
  add_class(b, "dog", 4, 4);
  EXPECT_EQ(shared_images(*open(a).dataset, *open(b).dataset), 0U);
  b.write("dog/copy.png", png_of(1002));
  b.write("cat/again.png", png_of(1002));
  EXPECT_EQ(shared_images(*open(a).dataset, *open(b).dataset), 1U);
  EXPECT_EQ(shared_images(*open(b).dataset, *open(a).dataset), 2U);
}

}  // namespace
}  // namespace hedge::data

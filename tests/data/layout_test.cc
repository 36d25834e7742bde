// What people have: split folders in every spelling, junk, links, numbers.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "data/fixtures.h"
#include "data/internal/split_names.h"
#include "data/junk.h"

namespace hedge::data {
namespace {

namespace fs = std::filesystem;
using testing::add_class;
using testing::png_of;
using testing::TempFolder;

/// A data set with everything that was said when it was opened.
struct Found {
  Opened opened;
  std::string said;
  [[nodiscard]] const std::vector<std::string>& classes() const { return opened.dataset->class_names(); }
  [[nodiscard]] std::string hash() const { return opened.dataset->content_hash(); }
  [[nodiscard]] std::vector<std::string> ids() const {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < opened.dataset->size(); ++i) all.push_back(opened.dataset->id(i));
    return all;
  }
};

Found open(const TempFolder& folder, const std::string& query = "") {
  Found found;
  auto opened =
      open_dataset("folder:" + folder.str() + query, {.log = [&](LogLevel, const std::string& text) { found.said += text + "\n"; }});
  if (!opened) {
    ADD_FAILURE() << opened.error().message();
    TempFolder other;
    add_class(other, "a", 3, 1);
    add_class(other, "b", 3, 1);
    opened = open_dataset("folder:" + other.str());
  }
  found.opened = std::move(*opened);
  return found;
}

Error problem(const TempFolder& folder, const std::string& query = "") {
  const auto opened = open_dataset("folder:" + folder.str() + query);
  EXPECT_FALSE(opened.ok());
  return opened.ok() ? Error{} : opened.error();
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(SplitNames, knows_the_spellings_in_use) {
  using internal::split_name;
  using internal::SplitKind;
  for (const auto* name : {"train", "Train", "TRAIN", "training", "seg_train", "training_set", "train_set", "TrainSet", "train-images",
                           "train2017", "Training Data", "trainset", "imgs_train"})
    EXPECT_TRUE(split_name(name) && split_name(name)->kind == SplitKind::kTrain && split_name(name)->rest.empty()) << name;
  for (const auto* name : {"test", "Test", "testing", "seg_test", "test_set", "TestSet", "eval", "Evaluation", "test_images"})
    EXPECT_TRUE(split_name(name) && split_name(name)->kind == SplitKind::kTest && split_name(name)->rest.empty()) << name;
  for (const auto* name : {"val", "Val", "valid", "validation", "validation_set", "dev", "VALIDATION", "val_data", "val2017"})
    EXPECT_TRUE(split_name(name) && split_name(name)->kind == SplitKind::kVal && split_name(name)->rest.empty()) << name;
  for (const auto* name : {"cat", "trainer", "tram", "values", "contest", "trainval", "train_val", "evalanche", "", "2017"})
    EXPECT_FALSE(split_name(name)) << name;
  EXPECT_EQ(split_name("pets-train")->rest, "pets");
  EXPECT_EQ(split_name("train_station")->rest, "station");
}

TEST(Junk, is_told_by_its_name_in_any_capitals) {
  for (const auto* name :
       {"__MACOSX", "@eaDir", "lost+found", "__pycache__", ".ipynb_checkpoints", "$RECYCLE.BIN", "System Volume Information", "Thumbs.db",
        "thumbs.DB", "desktop.ini", ".DS_Store", "._cat.jpg", "cat.jpg:Zone.Identifier", "#recycle", "Icon\r"})
    EXPECT_TRUE(is_junk(name)) << name;
  for (const auto* name : {"cat", "thumbs", "recycle", "found", "_cat.jpg", "MACOSX", "zone", "lost"}) EXPECT_FALSE(is_junk(name)) << name;
}

TEST(Layout, split_folders_are_found_in_every_spelling) {
  const TempFolder plain;
  for (const std::string c : {"cat", "dog"}) {
    add_class(plain, "train/" + c, 10, 1);
    add_class(plain, "test/" + c, 4, 2);
  }
  for (const auto& [train, test] : std::map<std::string, std::string>{{"Train", "Test"},
                                                                      {"training", "testing"},
                                                                      {"seg_train", "seg_test"},
                                                                      {"training_set", "test_set"},
                                                                      {"TRAIN", "VAL"},
                                                                      {"train_set", "validation_set"},
                                                                      {"Training", "Eval"},
                                                                      {"train2017", "val2017"},
                                                                      {"pets_train", "pets_dev"},
                                                                      {"seg_train/seg_train", "seg_test/seg_test"},
                                                                      {"Train/images", "Test/images"},
                                                                      {"images/train", "images/val"},
                                                                      {"Pets/Pets_train", "Pets/Pets_valid"}}) {
    const TempFolder folder;
    for (const std::string c : {"cat", "dog"}) {
      add_class(folder, train + "/" + c, 10, 1);
      add_class(folder, test + "/" + c, 4, 2);
    }
    const auto found = open(folder, "?split=test");
    EXPECT_EQ(found.classes(), (std::vector<std::string>{"cat", "dog"})) << train;
    EXPECT_EQ(found.hash(), open(plain, "?split=test").hash()) << train;
    EXPECT_EQ(open(folder, "?split=train").opened.dataset->size(), 18U) << train;
    EXPECT_EQ(open(folder, "?split=calibration").opened.dataset->size(), 2U) << train;
  }
}

TEST(Layout, folders_that_look_like_splits_but_share_no_class_are_refused) {
  const TempFolder folder;
  add_class(folder, "Training", 5, 1);
  add_class(folder, "Testing", 5, 2);
  EXPECT_EQ(problem(folder).code, ErrorCode::kBadData) << "images directly below: no class is known";
  const TempFolder capitals;
  add_class(capitals, "Train/Cat", 5, 1);
  add_class(capitals, "Train/dog", 5, 1);
  add_class(capitals, "Test/cat", 5, 2);
  add_class(capitals, "Test/dog", 5, 2);
  EXPECT_TRUE(says(problem(capitals).message(), "differ in their capitals"));
  const TempFolder two;
  for (const std::string part : {"Training", "train_set", "Test"})
    for (const std::string c : {"cat", "dog"}) add_class(two, part + "/" + c, 5, 1);
  EXPECT_TRUE(says(problem(two).message(), "several folders may be the train split"));
}

TEST(Layout, names_that_only_begin_like_splits_are_classes) {
  const TempFolder folder;
  add_class(folder, "train_station", 5, 1);
  add_class(folder, "test_tube", 5, 2);
  EXPECT_EQ(open(folder).classes(), (std::vector<std::string>{"test_tube", "train_station"}));
}

TEST(Layout, splits_inside_of_class_folders_are_refused) {
  const TempFolder folder;
  for (const std::string c : {"cat", "dog"})
    for (const std::string part : {"Train", "Test"}) add_class(folder, c + "/" + part, 5, 1);
  const auto error = problem(folder);
  EXPECT_EQ(error.code, ErrorCode::kBadData);
  EXPECT_TRUE(says(error.message(), "inside of the class folders"));
}

TEST(Layout, a_folder_above_the_classes_is_refused_with_the_right_path) {
  const TempFolder folder;
  add_class(folder, "PetImages/Cat", 5, 1);
  add_class(folder, "PetImages/Dog", 5, 2);
  EXPECT_TRUE(says(problem(folder).hint, "folder:" + folder.str() + "/PetImages"));
}

TEST(Layout, images_beside_the_splits_one_level_deeper_are_not_passed_over) {
  const TempFolder folder;
  for (const std::string part : {"images/train", "images/test"})
    for (const std::string c : {"cat", "dog"}) add_class(folder, part + "/" + c, 5, 1);
  folder.write("labels/a.txt", "1");
  EXPECT_EQ(open(folder).classes(), (std::vector<std::string>{"cat", "dog"}));
  folder.write("more/a.png", png_of(1));
  EXPECT_TRUE(says(problem(folder).hint, "/images"));
}

TEST(Layout, val_beside_test_is_said_and_calibrates_where_asked) {
  const TempFolder folder;
  for (const std::string c : {"cat", "dog"}) {
    add_class(folder, "train/" + c, 20, 1);
    add_class(folder, "val/" + c, 5, 2);
    add_class(folder, "test/" + c, 4, 3);
  }
  const auto found = open(folder);
  EXPECT_EQ(found.opened.dataset->size(), 48U);
  EXPECT_TRUE(says(found.said, "not read beside train/ and test/: val/; val=calibration makes val/ the calibration split")) << found.said;
  EXPECT_EQ(open(folder, "?split=calibration&val=calibration").ids().front(), "val/cat/00.png");
  EXPECT_EQ(open(folder, "?split=train&val=calibration").opened.dataset->size(), 40U);
  EXPECT_EQ(open(folder, "?val=calibration").opened.dataset->size(), 58U);
  fs::remove_all(folder.str() + "/test");
  EXPECT_EQ(problem(folder, "?val=calibration").code, ErrorCode::kBadData) << "val/ is the test split now";
}

TEST(Layout, junk_changes_neither_classes_nor_hash_and_is_counted_once) {
  const TempFolder folder;
  for (const std::string c : {"a", "b", "c"}) add_class(folder, c, 12, 1);
  const auto clean = open(folder, "?split=train");
  folder.write("__MACOSX/a/._00.png", "x");
  folder.write("@eaDir/a.png", png_of(9));
  folder.write("a/@eaDir/00.png/SYNOPHOTO_THUMB_M.png", png_of(8));
  folder.write("a/Thumbs.db", "x");
  folder.write("b/.ipynb_checkpoints/00-checkpoint.png", png_of(7));
  folder.write("b/00.png:Zone.Identifier", "x");
  folder.make_folder("lost+found");
  const auto found = open(folder, "?split=train");
  EXPECT_EQ(found.hash(), clean.hash());
  EXPECT_EQ(found.classes(), clean.classes());
  EXPECT_TRUE(found.opened.skipped.empty());
  EXPECT_EQ(std::count(found.said.begin(), found.said.end(), '\n'), 1) << found.said;
  EXPECT_TRUE(says(found.said, "and 4 more")) << found.said;
}

TEST(Layout, a_folder_of_texts_is_no_class) {
  const TempFolder folder;
  for (const std::string c : {"cat", "dog"}) add_class(folder, c, 5, 1);
  const auto before = open(folder).hash();
  folder.write("annotations/cat.xml", "<x/>");
  const auto found = open(folder);
  EXPECT_EQ(found.hash(), before);
  EXPECT_TRUE(says(found.said, "annotations/")) << found.said;
}

TEST(Layout, files_beside_the_classes_are_counted) {
  const TempFolder folder;
  for (const std::string c : {"cat", "dog"}) add_class(folder, c, 5, 1);
  folder.write("README.txt", "x");
  folder.write("loose.png", png_of(1));
  const auto found = open(folder);
  EXPECT_TRUE(says(found.said, "1 file beside the class folders not read: README.txt")) << found.said;
  EXPECT_TRUE(says(found.said, "1 file beside the class folders not read: loose.png")) << found.said;
  ASSERT_EQ(found.opened.skipped.size(), 1U);
  EXPECT_EQ(found.opened.skipped[0].path, "loose.png");
}

TEST(Layout, links_to_folders_are_followed_and_no_folder_twice) {
  const TempFolder folder;
  const TempFolder outside;
  for (const std::string c : {"a", "b"}) add_class(folder, c, 3, 1);
  add_class(outside, "more", 4, 2);
  fs::create_directory_symlink(outside.str() + "/more", folder.str() + "/a/more");
  fs::create_directory_symlink(outside.str(), folder.str() + "/c");
  fs::create_directory_symlink("..", folder.str() + "/a/loop");
  fs::create_directory_symlink(folder.str() + "/b", folder.str() + "/a/of_b");
  const auto found = open(folder);
  const auto ids = found.ids();
  EXPECT_EQ(std::count_if(ids.begin(), ids.end(), [](const auto& id) { return id.starts_with("a/"); }), 7);
  EXPECT_TRUE(std::find(ids.begin(), ids.end(), "a/more/00.png") != ids.end());
  EXPECT_EQ(std::count_if(ids.begin(), ids.end(), [](const auto& id) { return id.starts_with("b/"); }), 3);
  EXPECT_TRUE(says(found.said, "a/loop, a/of_b")) << found.said;
  EXPECT_TRUE(says(found.said, "c/more")) << "read by the first link: " << found.said;
}

TEST(Layout, a_class_folder_may_be_a_link) {
  const TempFolder folder;
  const TempFolder outside;
  add_class(folder, "a", 3, 1);
  add_class(outside, "x", 4, 2);
  fs::create_directory_symlink(outside.str() + "/x", folder.str() + "/b");
  EXPECT_EQ(open(folder).opened.dataset->size(), 7U);
}

TEST(Layout, class_folders_that_are_numbers_are_class_numbers) {
  const TempFolder folder;
  for (int c = 0; c < 12; ++c) add_class(folder, std::to_string(c), 3, static_cast<std::uint64_t>(c));
  const auto found = open(folder);
  EXPECT_EQ(found.classes()[2], "2");
  EXPECT_EQ(found.classes()[10], "10");
  EXPECT_TRUE(says(found.said, "0, 1, 10, 11")) << found.said;
  EXPECT_EQ(open(folder, "?order=name").classes()[2], "10");
  folder.make_folder("12");
  EXPECT_EQ(open(folder).classes().size(), 13U) << "an empty number keeps the place";
}

TEST(Layout, numbers_with_gaps_are_asked_for) {
  const TempFolder folder;
  for (const std::string c : {"0", "1", "3", "10"}) add_class(folder, c, 3, 1);
  const auto error = problem(folder);
  EXPECT_EQ(error.code, ErrorCode::kBadData);
  EXPECT_TRUE(says(error.hint, "order=number")) << error.message();
  const auto numbered = open(folder, "?order=number");
  EXPECT_EQ(numbered.classes().size(), 11U);
  EXPECT_EQ(numbered.opened.dataset->label(numbered.opened.dataset->size() - 1), 3) << "3/02.png is the last path";
  EXPECT_EQ(open(folder, "?order=name").classes(), (std::vector<std::string>{"0", "1", "10", "3"}));
  const TempFolder years;
  for (const std::string c : {"1985", "1999"}) add_class(years, c, 3, 1);
  EXPECT_EQ(open(years).classes(), (std::vector<std::string>{"1985", "1999"})) << "both orders agree";
  const TempFolder padded;
  for (const std::string c : {"00", "02"}) add_class(padded, c, 3, 1);
  EXPECT_EQ(open(padded, "?order=number").classes(), (std::vector<std::string>{"00", "01", "02"}));
  add_class(padded, "2", 3, 2);
  EXPECT_TRUE(says(problem(padded).message(), "one number"));
  add_class(padded, "cat", 3, 2);
  EXPECT_EQ(problem(padded, "?order=number").code, ErrorCode::kInvalidArgument);
}

TEST(Layout, names_with_numbers_in_them_stay_in_byte_order_with_a_word) {
  const TempFolder folder;
  for (const std::string c : {"class1", "class2", "class10"}) add_class(folder, c, 3, 1);
  const auto found = open(folder);
  EXPECT_EQ(found.classes(), (std::vector<std::string>{"class1", "class10", "class2"}));
  EXPECT_TRUE(says(found.said, "class10 comes before class2")) << found.said;
}

TEST(Layout, folders_that_all_classes_have_are_said) {
  const TempFolder folder;
  for (const std::string domain : {"amazon", "webcam"})
    for (const std::string c : {"bike", "mug"}) add_class(folder, domain + "/" + c, 3, 1);
  EXPECT_TRUE(says(open(folder).said, "each of the 2 class folders holds the folders bike, mug"));
}

}  // namespace
}  // namespace hedge::data

// csv:, flat:, idx: and cifar: as they are opened.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>

#include "data/cifar.h"
#include "data/fixtures.h"
#include "data/spec.h"

namespace hedge::data {
namespace {

using testing::add_class;
using testing::gzip;
using testing::idx_bytes;
using testing::png_of;
using testing::TempFolder;

std::unique_ptr<Dataset> open(const std::string& spec) {
  auto opened = open_dataset(spec);
  EXPECT_TRUE(opened.ok()) << opened.error().message();
  return opened.ok() ? std::move(opened->dataset) : std::make_unique<testing::FakeDataset>(1);
}

Error problem(const std::string& spec) {
  const auto opened = open_dataset(spec);
  EXPECT_FALSE(opened.ok()) << spec;
  return opened.ok() ? Error{} : opened.error();
}

/// 40 images, half of each class, with their line in a table.
std::string write_table(const TempFolder& folder, const std::string& columns, const std::function<std::string(int)>& more) {
  std::string table = "path,label" + columns + "\n";
  for (int i = 0; i < 40; ++i) {
    const auto name = "images/" + std::to_string(i) + ".png";
    folder.write(name, png_of(static_cast<std::uint64_t>(i)));
    table += name + (i % 2 == 0 ? ",dog" : ",cat") + more(i) + "\n";
  }
  return table;
}

TEST(CsvSource, divides_images_by_their_labels) {
  const TempFolder folder;
  folder.write("t.csv", write_table(folder, "", [](int) { return ""; }));
  const auto spec = "csv:" + folder.str() + "/t.csv";
  const auto all = open(spec);
  EXPECT_EQ(all->size(), 40U);
  EXPECT_EQ(all->class_names(), (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(all->id(3), "images/3.png") << "in the table's order";
  EXPECT_EQ(all->label(3), 0);
  EXPECT_EQ(all->spec(), spec + "?split=all");
  EXPECT_EQ(open(spec + "?split=test")->size(), 4U);
  EXPECT_EQ(open(spec + "?split=train")->size(), 32U);
  EXPECT_EQ(open(all->spec())->content_hash(), all->content_hash());
}

TEST(CsvSource, its_own_splits_and_groups_count) {
  const TempFolder folder;
  folder.write("t.csv", write_table(folder, ",split,group", [](int i) {
                 return std::string(i < 20 ? ",Train" : i < 30 ? ",val" : ",testing") + ",g" + std::to_string(i / 5);
               }));
  const auto spec = "csv:" + folder.str() + "/t.csv";
  EXPECT_EQ(open(spec + "?split=train")->size(), 20U);
  EXPECT_EQ(open(spec + "?split=calibration")->id(0), "images/20.png");
  const auto test = open(spec + "?split=test");
  EXPECT_EQ(test->id(0), "images/30.png");
  EXPECT_EQ(test->group(0), "g6");
  folder.write("torn.csv", write_table(folder, ",split,group",
                                       [](int i) { return std::string(i < 20 ? ",train" : ",test") + ",g" + std::to_string(i % 7); }));
  const auto torn = problem("csv:" + folder.str() + "/torn.csv");
  EXPECT_EQ(torn.code, ErrorCode::kBadData);
  EXPECT_NE(torn.what.find("7 groups of 7 have images in two splits"), std::string::npos) << torn.message();
  folder.write("words.csv", write_table(folder, ",split", [](int i) { return i == 7 ? ",holiday" : ",train"; }));
  EXPECT_NE(problem("csv:" + folder.str() + "/words.csv").where.find("line 9"), std::string::npos);
}

TEST(CsvSource, root_and_names_may_be_given) {
  const TempFolder folder;
  const TempFolder elsewhere;
  elsewhere.write("t.csv", write_table(folder, "", [](int) { return ""; }));
  elsewhere.write("names.txt", "dog\nbird\ncat\n");
  const auto spec = "csv:" + elsewhere.str() + "/t.csv?root=" + folder.str();
  EXPECT_EQ(open(spec)->size(), 40U);
  EXPECT_EQ(problem("csv:" + elsewhere.str() + "/t.csv").code, ErrorCode::kBadData) << "no file is there";
  const auto named = open(spec + "&names=" + elsewhere.str() + "/names.txt");
  EXPECT_EQ(named->class_names(), (std::vector<std::string>{"dog", "bird", "cat"}));
  EXPECT_EQ(named->label(1), 2);
}

TEST(FlatSource, takes_labels_from_a_list) {
  const TempFolder folder;
  std::string list, from_one;
  for (int i = 0; i < 12; ++i) {
    folder.write("val/v" + std::to_string(10 + i) + ".png", png_of(static_cast<std::uint64_t>(i)));
    list += std::to_string(i % 4) + "\n";
    from_one += std::to_string(i % 4 + 1) + "\n";
  }
  folder.write("list.txt", list);
  folder.write("one.txt", from_one);
  folder.write("names.txt", "a\nb\nc\nd\n");
  folder.write("val/Thumbs.db", "x");
  folder.write("val/readme.txt", "x");
  const auto base = "flat:" + folder.str() + "/val?list=" + folder.str();
  const auto plain = open(base + "/list.txt");
  EXPECT_EQ(plain->size(), 12U);
  EXPECT_EQ(plain->class_names(), (std::vector<std::string>{"0", "1", "2", "3"}));
  EXPECT_EQ(plain->label(5), 1);
  EXPECT_EQ(open(base + "/list.txt&names=" + folder.str() + "/names.txt")->class_names()[2], "c");
  EXPECT_NE(problem(base + "/one.txt").hint.find("first=1"), std::string::npos);
  EXPECT_EQ(open(base + "/one.txt&first=1")->label(5), 1);
  EXPECT_EQ(open(base + "/one.txt&first=1&names=" + folder.str() + "/names.txt")->label(5), 1);
  EXPECT_EQ(open(base + "/one.txt&first=0")->label(5), 2);
  EXPECT_EQ(problem(base + "/one.txt&first=0&names=" + folder.str() + "/names.txt").code, ErrorCode::kBadData) << "label 4 of 4 names";
  EXPECT_EQ(parse_spec("flat:x").error().code, ErrorCode::kInvalidArgument);
}

std::string pixels(std::size_t count, std::size_t each) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) bytes += std::string(each, static_cast<char>(i));
  return bytes;
}

std::string labels_of(std::size_t count, char first = 0) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) bytes += static_cast<char>(first + static_cast<char>(i % 3));
  return bytes;
}

TEST(IdxSource, opens_a_folder_of_two_pairs) {
  const TempFolder folder;
  folder.write("train-images-idx3-ubyte.gz", gzip(idx_bytes({60, 2, 3}, pixels(60, 6))));
  folder.write("train-labels-idx1-ubyte", idx_bytes({60}, labels_of(60)));
  folder.write("t10k-images-idx3-ubyte", idx_bytes({9, 2, 3}, pixels(9, 6)));
  folder.write("t10k-labels-idx1-ubyte.gz", gzip(idx_bytes({9}, labels_of(9))));
  const auto spec = "idx:" + folder.str();
  const auto test = open(spec + "?split=test");
  EXPECT_EQ(test->size(), 9U);
  EXPECT_EQ(test->id(4), "test/00004");
  EXPECT_EQ(test->image(4)->width, 3);
  EXPECT_EQ(test->label(4), 1);
  EXPECT_EQ(open(spec + "?split=calibration")->size(), 6U);
  EXPECT_EQ(open(spec + "?split=train")->size(), 54U);
  EXPECT_EQ(open(spec)->class_names(), (std::vector<std::string>{"0", "1", "2"}));
  ASSERT_TRUE(open(spec)->stored_hash(4).has_value());
  EXPECT_EQ(*open(spec)->stored_hash(4), *open(spec)->stored_hash(64)) << "the same pixels in the test file";
}

TEST(IdxSource, opens_one_pair_and_asks_where_no_label_is_0) {
  const TempFolder folder;
  folder.write("letters-images", idx_bytes({30, 2, 2, 3}, pixels(30, 12)));
  folder.write("letters-labels", idx_bytes({30}, labels_of(30, 1)));
  const auto spec = "idx:" + folder.str() + "/letters-images";
  EXPECT_NE(problem(spec).hint.find("first=1"), std::string::npos);
  EXPECT_EQ(open(spec + "?first=1")->class_names(), (std::vector<std::string>{"1", "2", "3"}));
  EXPECT_EQ(open(spec + "?first=1")->image(0)->channels, 3);
  EXPECT_EQ(open(spec + "?first=0")->class_names().size(), 4U);
  folder.write("other", idx_bytes({29}, labels_of(29)));
  EXPECT_EQ(problem(spec + "?labels=" + folder.str() + "/other").code, ErrorCode::kBadFormat);
  EXPECT_EQ(problem("idx:" + folder.str()).code, ErrorCode::kNotFound) << "no pair by its name";
  EXPECT_EQ(problem("idx:" + folder.str() + "/nothing").code, ErrorCode::kNotFound);
}

std::string cifar_records(std::size_t count, std::size_t label_bytes) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) {
    if (label_bytes == 2) bytes += static_cast<char>(i % 20);
    bytes += static_cast<char>(i % 10);
    bytes += std::string(1024, static_cast<char>(i)) + std::string(1024, '\x01') + std::string(1024, '\x02');
  }
  return bytes;
}

TEST(CifarSource, opens_both_versions) {
  const TempFolder ten;
  for (int batch = 1; batch <= 5; ++batch)
    ten.write("cifar-10-batches-bin/data_batch_" + std::to_string(batch) + ".bin", cifar_records(20, 1));
  ten.write("cifar-10-batches-bin/test_batch.bin", cifar_records(30, 1));
  const auto spec = "cifar:" + ten.str();
  EXPECT_EQ(open(spec + "?split=test")->size(), 30U);
  EXPECT_EQ(open(spec + "?split=calibration")->size(), 10U);
  const auto train = open(spec + "?split=train");
  EXPECT_EQ(train->size(), 90U);
  EXPECT_EQ(train->image(0)->pixels[2], 2) << "blue of the first pixel";
  const TempFolder hundred;
  hundred.write("train.bin", cifar_records(40, 2));
  hundred.write("test.bin", cifar_records(25, 2));
  EXPECT_EQ(open("cifar:" + hundred.str())->class_names().size(), 100U);
  EXPECT_EQ(open("cifar:" + hundred.str() + "?split=test&labels=coarse")->label(19), 19);
  EXPECT_EQ(open("cifar:" + hundred.str() + "?split=test")->label(19), 9);
  hundred.write("test.bin", cifar_records(25, 2) + "x");
  EXPECT_EQ(problem("cifar:" + hundred.str()).code, ErrorCode::kBadFormat);
  const TempFolder python;
  python.write("cifar-10-batches-py/data_batch_1", "x");
  EXPECT_NE(problem("cifar:" + python.str()).what.find("Python"), std::string::npos);
}

TEST(Groups, lie_in_one_split_and_are_named_by_a_regular_expression) {
  const TempFolder folder;
  for (int track = 0; track < 30; ++track)
    for (int frame = 0; frame < 5; ++frame) {
      const std::string c = track % 2 == 0 ? "stop" : "yield";
      folder.write(c + "/" + std::to_string(1000 + track) + "_" + std::to_string(frame) + ".png",
                   png_of(static_cast<std::uint64_t>(track * 10 + frame)));
    }
  const auto spec = "folder:" + folder.str() + "?group=/(\\d+)_";
  std::map<std::string, std::set<std::string>> splits_of;
  std::size_t images = 0;
  for (const std::string split : {"train", "calibration", "test"}) {
    const auto part = open(spec + "&split=" + split);
    images += part->size();
    for (std::size_t i = 0; i < part->size(); ++i) splits_of[part->group(i)].insert(split);
    EXPECT_EQ(part->size(), split == "train" ? 110U : 20U) << split << ": two tracks of five for 7.5 images a class";
  }
  EXPECT_EQ(images, 150U);
  EXPECT_EQ(splits_of.size(), 30U);
  for (const auto& [group, splits] : splits_of) EXPECT_EQ(splits.size(), 1U) << group;
  EXPECT_EQ(open(spec)->content_hash(), open("folder:" + folder.str())->content_hash()) << "the same images in the same order";
  EXPECT_EQ(open("folder:" + folder.str() + "?group=([^_]*?)_")->group(0), "stop/1000") << "a lazy quantifier";
  const auto none = problem("folder:" + folder.str() + "?group=track(\\d+)");
  EXPECT_EQ(none.code, ErrorCode::kBadData);
  EXPECT_NE(none.got.find("stop/1000_0.png"), std::string::npos) << none.message();
  EXPECT_EQ(problem("folder:" + folder.str() + "?group=(").code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(problem("folder:" + folder.str() + "?group=stop").code, ErrorCode::kInvalidArgument) << "no capture";
  EXPECT_EQ(problem("folder:" + folder.str() + "?group=(\\d*)z*").code, ErrorCode::kBadData) << "an empty capture";
}

TEST(Groups, that_hold_several_classes_are_said) {
  const TempFolder folder;
  for (const std::string c : {"a", "b"})
    for (int i = 0; i < 6; ++i) folder.write(c + "/" + std::to_string(i) + "_0.png", png_of(static_cast<std::uint64_t>(i)));
  std::string said;
  const auto opened =
      open_dataset("folder:" + folder.str() + "?group=/(\\d+)_", {.log = [&](LogLevel, const std::string& text) { said += text; }});
  ASSERT_TRUE(opened.ok());
  EXPECT_NE(said.find("6 groups of 6 hold images of several classes"), std::string::npos) << said;
}

}  // namespace
}  // namespace hedge::data

#include "data/label_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/fixtures.h"

namespace hedge::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Names = std::vector<std::string>;

Result<Names> read(const std::string& text) {
  const testing::TempFolder folder;
  folder.write("names", text);
  return read_class_names(folder.str() + "/names");
}

TEST(ClassNames, are_read_from_lines_an_array_or_an_object) {
  EXPECT_THAT(read("cat\r\ndog \nhen\n\n").value(), ElementsAre("cat", "dog", "hen"));
  EXPECT_THAT(read(R"(["cat", "dog"])").value(), ElementsAre("cat", "dog"));
  EXPECT_THAT(read(R"({"dog": 3, "cat": 1})").value(), ElementsAre("", "cat", "", "dog")) << "outputs without a name are no classes";
}

TEST(ClassNames, refuse_what_cannot_be_a_map) {
  EXPECT_EQ(read("").error().code, ErrorCode::kBadData);
  EXPECT_EQ(read("cat\n").error().code, ErrorCode::kBadData);
  EXPECT_EQ(read("cat\ncat\n").error().code, ErrorCode::kBadData);
  EXPECT_EQ(read(R"({"cat": 1, "dog": 1})").error().code, ErrorCode::kBadData);
  EXPECT_EQ(read(R"({"cat": -1, "dog": 1})").error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(read(R"({"cat": 1e30, "dog": 1})").error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(read(R"({"cat": 9999999999, "dog": 1})").error().code, ErrorCode::kBadFormat) << "memory for as many names";
  EXPECT_EQ(read(R"(["cat", 1])").error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(read(R"(["cat")").error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(read_class_names("/nowhere").error().code, ErrorCode::kNotFound);
}

TEST(MapClasses, without_names_the_data_sets_classes_are_the_models) {
  const auto maps = map_classes({"cat", "dog"}, {.outputs = 2}, {.outputs = 2});
  ASSERT_TRUE(maps.ok());
  EXPECT_THAT(maps->space.names, ElementsAre("cat", "dog"));
  EXPECT_THAT(maps->space.of_dataset, ElementsAre(0, 1));
  EXPECT_THAT(maps->base_columns, IsEmpty());
  EXPECT_THAT(maps->notes, IsEmpty());
}

TEST(MapClasses, a_folder_of_some_classes_meets_models_of_more_in_another_order_and_with_a_background) {
  const Names wide = {"ant", "bee", "cat", "dog"};
  const auto maps = map_classes({"bee", "dog"}, {.names = wide, .outputs = 4}, {.names = {"dog", "cat", "bee", "ant"}, .outputs = 5});
  ASSERT_TRUE(maps.ok()) << maps.error().message();
  EXPECT_EQ(maps->space.names, wide);
  EXPECT_THAT(maps->space.of_dataset, ElementsAre(1, 3));
  EXPECT_THAT(maps->base_columns, IsEmpty()) << "its own order";
  EXPECT_THAT(maps->global_columns, ElementsAre(4, 3, 2, 1));
  ASSERT_THAT(maps->notes, SizeIs(1));
  EXPECT_THAT(maps->notes[0], HasSubstr("background"));
}

TEST(MapClasses, a_base_with_a_background_has_a_class_less_than_outputs) {
  const auto maps = map_classes({"bee", "ant"}, {.names = {"ant", "bee"}, .outputs = 3}, {});
  ASSERT_TRUE(maps.ok());
  EXPECT_THAT(maps->space.names, ElementsAre("ant", "bee"));
  EXPECT_THAT(maps->base_columns, ElementsAre(1, 2));
  EXPECT_THAT(maps->space.of_dataset, ElementsAre(1, 0));
  EXPECT_THAT(maps->global_columns, IsEmpty());
}

TEST(MapClasses, a_model_without_names_is_taken_in_the_others_order_and_that_is_said) {
  const auto maps = map_classes({"ant", "bee"}, {.names = {"ant", "bee"}, .outputs = 2}, {.outputs = 3});
  ASSERT_TRUE(maps.ok());
  EXPECT_THAT(maps->global_columns, ElementsAre(1, 2));
  EXPECT_THAT(maps->notes, SizeIs(2));
}

TEST(MapClasses, names_that_all_differ_are_taken_by_position_where_the_numbers_agree) {
  const auto maps = map_classes({"0", "1"}, {.names = {"ant", "bee"}, .outputs = 2}, {});
  ASSERT_TRUE(maps.ok());
  EXPECT_THAT(maps->space.names, ElementsAre("0", "1"));
  EXPECT_THAT(maps->space.of_dataset, ElementsAre(0, 1));
  EXPECT_THAT(maps->notes, SizeIs(1));
}

TEST(MapClasses, refuses_what_would_be_counted_wrongly) {
  const Names names = {"ant", "bee", "cat"};
  const auto code = [&](const Names& dataset, const ModelClasses& base, const ModelClasses& global) {
    return map_classes(dataset, base, global).error().code;
  };
  EXPECT_EQ(code({"ant", "hen"}, {.names = names, .outputs = 3}, {}), ErrorCode::kMismatch) << "a class that the model does not have";
  EXPECT_EQ(code({"hen", "cow"}, {.names = names, .outputs = 3}, {}), ErrorCode::kMismatch);
  EXPECT_EQ(code({"ant"}, {.names = names, .outputs = 5}, {}), ErrorCode::kMismatch) << "two outputs more";
  EXPECT_EQ(code({"ant"}, {.names = names, .outputs = 3}, {.names = {"ant", "bee", "dog"}, .outputs = 3}), ErrorCode::kMismatch);
  EXPECT_EQ(code({"ant"}, {.names = {"ant", "ant"}, .outputs = 2}, {}), ErrorCode::kBadData);
  const auto error = map_classes({"hen", "ant", "cow"}, {.names = names, .outputs = 3, .where = "base.onnx"}, {}).error();
  EXPECT_THAT(error.message(), HasSubstr("hen and 1 more"));
  EXPECT_THAT(error.message(), HasSubstr("base.onnx"));
}

}  // namespace
}  // namespace hedge::data

#include "model/class_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hedge::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Names = std::vector<std::string>;

TEST(MapClasses, without_names_the_data_sets_classes_are_the_models) {
  const auto maps = map_classes({"cat", "dog"}, {.outputs = 2}, {.outputs = 2});
  ASSERT_TRUE(maps.ok());
  EXPECT_THAT(maps->space.names, ElementsAre("cat", "dog"));
  EXPECT_THAT(maps->space.of_dataset, ElementsAre(0, 1));
  EXPECT_THAT(maps->base_columns, IsEmpty());
  EXPECT_EQ(maps->decided, Decided::kByPosition);
  ASSERT_EQ(maps->notes.size(), 1U) << "what is taken for granted is said";
  EXPECT_THAT(maps->notes[0], ::testing::HasSubstr("in their order (cat first)"));
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

TEST(MapClasses, names_that_differ_in_capitals_and_separators_are_the_same) {
  const auto maps = map_classes({"Big_Cat", "hen", "small-dog"}, {.names = {"small dog", "big cat", "hen"}, .outputs = 3},
                                {.names = {"Hen", "Small Dog", "Big Cat"}, .outputs = 3});
  ASSERT_TRUE(maps.ok()) << maps.error().message();
  EXPECT_THAT(maps->space.names, ElementsAre("small dog", "big cat", "hen"));
  EXPECT_THAT(maps->space.of_dataset, ElementsAre(1, 2, 0));
  EXPECT_THAT(maps->global_columns, ElementsAre(1, 2, 0));
  EXPECT_EQ(maps->decided, Decided::kByName);
  ASSERT_THAT(maps->notes, SizeIs(2)) << "once for the global, once for the data set";
  EXPECT_THAT(maps->notes[1], HasSubstr("Big_Cat"));
}

TEST(MapClasses, names_that_are_alike_twice_are_not_guessed) {
  const auto code = [](const Names& dataset, const Names& model) {
    return map_classes(dataset, {.names = model, .outputs = static_cast<std::int64_t>(model.size())}, {}).error().code;
  };
  EXPECT_EQ(code({"Cat", "dog"}, {"cat", "CAT", "dog"}), ErrorCode::kMismatch) << "which of the two?";
  EXPECT_EQ(code({"Cat", "cat", "dog"}, {"cat", "cow", "dog"}), ErrorCode::kMismatch) << "two classes would become one";
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

TEST(MapOutputs, places_a_permuted_global_by_name) {
  const auto map = map_outputs({.names = {"a", "b", "c", "d"}, .outputs = 4}, {.names = {"c", "a", "d", "b"}, .outputs = 4});
  ASSERT_TRUE(map.ok()) << map.error().message();
  EXPECT_THAT(map->names, ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(map->base_columns, IsEmpty());
  EXPECT_THAT(map->global_columns, ElementsAre(1, 3, 0, 2));
  EXPECT_EQ(map->decided, Decided::kByName);
  EXPECT_THAT(map->notes, IsEmpty());
  EXPECT_TRUE(check_by_name(*map).ok());
}

TEST(MapOutputs, leaves_out_classes_that_only_the_global_has_and_outputs_that_are_no_class) {
  const auto map = map_outputs({.names = {"a", "b"}, .outputs = 2}, {.names = {"", "b", "x", "a"}, .outputs = 4});
  ASSERT_TRUE(map.ok()) << map.error().message();
  EXPECT_THAT(map->global_columns, ElementsAre(3, 1));
}

TEST(MapOutputs, leaves_the_bases_background_out_of_the_hybrid) {
  const auto map = map_outputs({.names = {"a", "b"}, .outputs = 3, .where = "base.onnx"}, {.names = {"a", "b"}, .outputs = 2});
  ASSERT_TRUE(map.ok()) << map.error().message();
  EXPECT_THAT(map->names, ElementsAre("a", "b"));
  EXPECT_THAT(map->base_columns, ElementsAre(1, 2));
  EXPECT_THAT(map->global_columns, IsEmpty());
  EXPECT_THAT(map->notes, SizeIs(1));
}

TEST(MapOutputs, refuses_a_global_with_a_class_less_and_says_what_to_do) {
  const auto error =
      map_outputs({.names = {"a", "b", "c"}, .outputs = 3}, {.names = {"c", "a"}, .outputs = 2, .where = "global.onnx"}).error();
  EXPECT_EQ(error.code, ErrorCode::kMismatch);
  EXPECT_EQ(error.got, "b");
  EXPECT_EQ(error.where, "global.onnx");
  EXPECT_THAT(error.hint, HasSubstr("use a global that knows every class of the base"));
}

TEST(MapOutputs, refuses_names_that_all_differ_and_points_to_the_flags) {
  const auto error =
      map_outputs({.names = {"a", "b"}, .outputs = 2}, {.names = {"n01", "n02"}, .outputs = 2, .where = "global.onnx"}).error();
  EXPECT_EQ(error.code, ErrorCode::kMismatch);
  EXPECT_THAT(error.hint, HasSubstr("--base-labels, --global-labels"));
}

TEST(MapOutputs, takes_missing_names_by_position_and_strict_callers_refuse_that) {
  const auto map = map_outputs({.names = {"a", "b"}, .outputs = 2}, {.outputs = 2, .where = "global.onnx"});
  ASSERT_TRUE(map.ok()) << map.error().message();
  EXPECT_EQ(map->decided, Decided::kByPosition);
  EXPECT_THAT(map->global_columns, IsEmpty());
  ASSERT_THAT(map->notes, SizeIs(1));
  const auto strict = check_by_name(*map);
  ASSERT_FALSE(strict.ok());
  EXPECT_EQ(strict.error().code, ErrorCode::kMismatch);
  EXPECT_THAT(strict.error().got, HasSubstr(map->notes[0]));
}

TEST(MapOutputs, takes_a_global_without_names_and_one_output_more_after_a_background) {
  const auto map = map_outputs({.names = {"a", "b"}, .outputs = 2}, {.outputs = 3, .where = "global.onnx"});
  ASSERT_TRUE(map.ok()) << map.error().message();
  EXPECT_THAT(map->global_columns, ElementsAre(1, 2));
  EXPECT_THAT(map->notes, SizeIs(2));
}

TEST(MapOutputs, refuses_a_global_without_names_and_with_other_numbers_of_outputs) {
  for (const std::int64_t outputs : {1, 4, 1001})
    EXPECT_EQ(map_outputs({.names = {"a", "b"}, .outputs = 2}, {.outputs = outputs, .where = "global.onnx"}).error().code,
              ErrorCode::kMismatch)
        << outputs;
}

TEST(MapOutputs, refuses_two_models_without_names) {
  const auto error = map_outputs({.outputs = 2, .where = "base.onnx"}, {.outputs = 2, .where = "global.onnx"}).error();
  EXPECT_EQ(error.code, ErrorCode::kNotFound);
  EXPECT_THAT(error.hint, HasSubstr("--labels"));
}

}  // namespace
}  // namespace hedge::model

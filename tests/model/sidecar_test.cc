#include "model/sidecar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing.h"

namespace hedge::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Sidecar, says_what_the_model_does_not) {
  const auto sidecar = parse_sidecar(
      R"({"schema": 1, "recipe": "channels=1,crop=8", "labels": ["a", "b"], "features": "pool", "macs": 12, "parameters": 3})", "s.json");
  ASSERT_TRUE(sidecar.ok()) << sidecar.error().message();
  EXPECT_EQ(sidecar->recipe->height, 8);
  EXPECT_THAT(sidecar->labels, ElementsAre("a", "b"));
  EXPECT_EQ(sidecar->features, "pool");
  EXPECT_EQ(sidecar->macs, 12);
  EXPECT_EQ(sidecar->parameters, 3);
}

TEST(Sidecar, names_a_file_of_class_names_beside_it) {
  const hedge::testing::TemporaryFolder folder("sidecar");
  ASSERT_TRUE(write_file_atomic(folder / "names.txt", "ant\nbee\n").ok());
  ASSERT_TRUE(write_file_atomic(folder / "m.tflite.hedge.json", R"({"schema": 1, "labels": "names.txt"})").ok());
  const auto sidecar = read_sidecar(folder / "m.tflite");
  ASSERT_TRUE(sidecar.ok()) << sidecar.error().message();
  EXPECT_THAT(sidecar->labels, ElementsAre("ant", "bee"));
}

TEST(Sidecar, is_empty_where_there_is_no_file) {
  const auto sidecar = read_sidecar("/nowhere/model.onnx");
  ASSERT_TRUE(sidecar.ok());
  EXPECT_FALSE(sidecar->recipe.has_value());
}

TEST(Sidecar, is_changed_without_losing_its_other_fields) {
  const hedge::testing::TemporaryFolder folder("sidecar_change");
  const auto model = folder / "m.onnx";
  const auto recipe = data::Preprocess{.channels = 1, .height = 8, .width = 8, .normalization = {.mean = {0.5F}, .std = {0.5F}}};
  const auto made = change_sidecar(model, {.recipe = recipe});
  ASSERT_TRUE(made.ok()) << made.error().message();
  EXPECT_EQ(*made, folder / "m.onnx.hedge.json");
  EXPECT_EQ(read_sidecar(model)->recipe, recipe);
  ASSERT_TRUE(write_file_atomic(*made, R"({"schema": 1, "features": "pool", "macs": 7, "labels": ["a", "b"]})").ok());
  ASSERT_TRUE(change_sidecar(model, {.recipe = recipe, .labels = {"b", "a"}}).ok());
  const auto changed = read_sidecar(model);
  ASSERT_TRUE(changed.ok()) << changed.error().message();
  EXPECT_EQ(changed->features, "pool");
  EXPECT_EQ(changed->macs, 7);
  EXPECT_EQ(changed->recipe, recipe);
  EXPECT_THAT(changed->labels, ElementsAre("b", "a"));
}

TEST(Sidecar, that_cannot_be_read_is_not_changed) {
  const hedge::testing::TemporaryFolder folder("sidecar_stays");
  const std::string newer = R"({"schema": 2, "labels": ["a", "b"]})";
  ASSERT_TRUE(write_file_atomic(folder / "m.onnx.hedge.json", newer).ok());
  EXPECT_EQ(change_sidecar(folder / "m.onnx", {.labels = {"b", "a"}}).error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(read_file(folder / "m.onnx.hedge.json").value(), newer);
}

TEST(Sidecar, refuses_what_may_be_a_mistake) {
  const auto code = [](const char* text) {
    const auto sidecar = parse_sidecar(text, "s.json");
    return sidecar ? ErrorCode::kInternal : sidecar.error().code;
  };
  EXPECT_EQ(code(R"({"schema": 1, "lables": []})"), ErrorCode::kBadFormat);
  EXPECT_EQ(code(R"({"schema": 2})"), ErrorCode::kUnsupported);
  EXPECT_EQ(code(R"({"recipe": "crop=8"})"), ErrorCode::kBadFormat);
  EXPECT_EQ(code(R"({"schema": 1, "labels": [1]})"), ErrorCode::kBadFormat);
  EXPECT_EQ(code(R"({"schema": 1, "recipe": 7})"), ErrorCode::kBadFormat);
  EXPECT_EQ(code(R"({"schema": 1, "macs": -1})"), ErrorCode::kBadFormat);
  EXPECT_EQ(code("[1]"), ErrorCode::kBadFormat);
  EXPECT_EQ(code("{"), ErrorCode::kBadFormat);
  EXPECT_THAT(parse_sidecar(R"({"schema": 1, "lables": []})", "s.json").error().message(), HasSubstr("lables"));
}

}  // namespace
}  // namespace hedge::model

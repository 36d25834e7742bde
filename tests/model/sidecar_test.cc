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

#include "data/label_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/fixtures.h"

namespace hedge::data {
namespace {

using ::testing::ElementsAre;

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
  EXPECT_EQ(read(R"({"cat": 1048576, "dog": 1})").error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(read(R"({"cat": 9999999999, "dog": 1})").error().code, ErrorCode::kBadFormat) << "memory for as many names";
  EXPECT_EQ(read(R"(["cat", 1])").error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(read(R"(["cat")").error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(read_class_names("/nowhere").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace hedge::data

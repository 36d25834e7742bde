#include "core/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "core/testing.h"

namespace hedge {
namespace {

using ::testing::HasSubstr;

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(ParseJson, keeps_the_order_of_the_fields) {
  const auto json = parse_json(R"({"b": 1, "a": [true, null, "x"]})", "test");
  ASSERT_TRUE(json.ok());
  EXPECT_EQ(json->dump(), R"({"b":1,"a":[true,null,"x"]})");
}

TEST(ParseJson, refuses_garbage_and_says_where) {
  for (const char* text : {"", "{", "{\"a\":}", "[1,]", "nope", "{} {}", "\"\xff\"", "\x01", "[1e999]"}) {
    const auto json = parse_json(text, "a/file.json");
    ASSERT_FALSE(json.ok()) << text;
    EXPECT_EQ(json.error().code, ErrorCode::kBadFormat);
    EXPECT_EQ(json.error().where, "a/file.json");
  }
}

TEST(ParseJson, refuses_every_truncation) {
  const std::string text = R"({"name": "base", "sizes": [1, 2.5, -3], "more": {"yes": true}})";
  ASSERT_TRUE(parse_json(text, "").ok());
  for (std::size_t n = 0; n < text.size(); ++n) EXPECT_FALSE(parse_json(text.substr(0, n), "").ok()) << n;
}

TEST(ParseJson, limits_the_depth) {
  EXPECT_TRUE(parse_json(nested(64), "").ok());
  const auto deep = parse_json(nested(65), "");
  ASSERT_FALSE(deep.ok());
  EXPECT_EQ(deep.error().code, ErrorCode::kBadFormat);
  EXPECT_FALSE(parse_json(nested(1000000), "").ok());
  EXPECT_FALSE(parse_json(std::string(1000000, '['), "").ok());
  EXPECT_TRUE(parse_json("[\"" + std::string(100, '[') + "\\\"" + std::string(100, '{') + "\", []]", "").ok())
      << "brackets in a string are text";
  EXPECT_TRUE(parse_json("[[]" + std::string(3, ' ') + ",[],[]]", "").ok());
}

TEST(GetField, gives_a_field_of_the_type_asked_for) {
  const auto json =
      parse_json(R"({"i": -4, "u": 4, "d": 2.5, "b": true, "s": "text", "v": [1, 2], "big": 18446744073709551615})", "").value();
  EXPECT_EQ(get_field<std::int64_t>(json, "i", "").value(), -4);
  EXPECT_EQ(get_field<std::uint64_t>(json, "u", "").value(), 4U);
  EXPECT_EQ(get_field<std::uint64_t>(json, "big", "").value(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(get_field<double>(json, "d", "").value(), 2.5);
  EXPECT_EQ(get_field<double>(json, "i", "").value(), -4.0);
  EXPECT_TRUE(get_field<bool>(json, "b", "").value());
  EXPECT_EQ(get_field<std::string>(json, "s", "").value(), "text");
  EXPECT_EQ(get_field<std::vector<std::int64_t>>(json, "v", "").value(), (std::vector<std::int64_t>{1, 2}));
}

TEST(GetField, refuses_missing_fields_and_what_is_no_object) {
  const auto error = get_field<bool>(Json::object(), "flag", "bundle").error();
  EXPECT_EQ(error.code, ErrorCode::kBadFormat);
  EXPECT_EQ(error.where, "bundle");
  EXPECT_THAT(error.what, HasSubstr("\"flag\""));
  EXPECT_FALSE(get_field<bool>(Json::array({1}), "flag", "").ok());
  EXPECT_FALSE(get_field<bool>(Json(), "flag", "").ok());
}

// The library's own conversions cut 1.5 to 1, wrap large numbers and take 1 for true.
TEST(GetField, never_converts_with_a_loss) {
  const auto json =
      parse_json(
          R"({"d": 1.5, "huge": 1e300, "neg": -1, "big": 18446744073709551615, "wide": 4294967296, "one": 1, "v": [1, 1.5], "w": [-1], "s": ["a", 1]})",
          "")
          .value();
  EXPECT_FALSE(get_field<std::int64_t>(json, "d", "").ok());
  EXPECT_FALSE(get_field<std::int64_t>(json, "huge", "").ok());
  EXPECT_FALSE(get_field<std::uint64_t>(json, "neg", "").ok());
  EXPECT_FALSE(get_field<std::int64_t>(json, "big", "").ok());
  EXPECT_FALSE(get_field<std::int32_t>(json, "wide", "").ok());
  EXPECT_FALSE(get_field<bool>(json, "one", "").ok());
  EXPECT_FALSE(get_field<std::string>(json, "one", "").ok());
  EXPECT_FALSE(get_field<std::vector<std::int64_t>>(json, "v", "").ok());
  EXPECT_FALSE(get_field<std::vector<std::uint64_t>>(json, "w", "").ok());
  EXPECT_FALSE(get_field<std::vector<std::string>>(json, "s", "").ok());
  EXPECT_FALSE(get_field<std::vector<std::int64_t>>(json, "one", "").ok());
}

TEST(WriteJson, is_read_back_and_writes_null_for_what_is_not_finite) {
  const testing::TemporaryFolder folder("json");
  Json json;
  json["z"] = 0.1;
  json["a"] = std::numeric_limits<double>::quiet_NaN();
  json["bytes"] = "bad \xff utf-8";
  ASSERT_TRUE(write_json(folder / "f.json", json).ok());
  const auto read = read_json(folder / "f.json");
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ((*read)["z"].get<double>(), 0.1);
  EXPECT_TRUE((*read)["a"].is_null());
  EXPECT_EQ(read_json(folder / "none.json").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace hedge

#include "edge/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "edge/testing.h"

namespace hedge::edge {
namespace {

using ::testing::HasSubstr;

Manifest sound_manifest() {
  Manifest manifest{.created_by = "hedge 0.0.0", .router_macs = 7};
  manifest.parts = {{Role::kBase, {"base.onnx", std::string(64, 'a'), 10}},
                    {Role::kRouter, {"models/router.onnx", std::string(64, 'b'), 20}},
                    {Role::kPolicy, {"policy.json", std::string(64, 'c'), 30}},
                    {Role::kLabels, {"labels.json", std::string(64, '0'), 40}}};
  manifest.base = {.preprocess = testing::tiny_recipe(), .features = "auto", .macs = 5};
  manifest.global = {
      .name = "global",
      .preprocess = testing::tiny_recipe(),
      .macs = 9,
      .sha256 = std::string(64, 'd'),
      .classes = {"", "b", "a"},
      .outputs = 3,
      .columns = {2, 1},
      .also = {
          {.sha256 = std::string(64, 'e'), .preprocess = testing::tiny_recipe(), .classes = {"a", "b"}, .outputs = 2, .columns = {0, 1}}}};
  manifest.classes_by = ClassesBy::kName;
  manifest.class_notes = {"the global has one output more"};
  return manifest;
}

/// The sound manifest as JSON, changed, parsed.
Result<Manifest> parse_changed(const std::function<void(Json&)>& change) {
  Json json = parse_json(to_json(sound_manifest()), "sound").value();
  change(json);
  return parse_manifest(json.dump(), "manifest.json");
}

TEST(Manifest, reads_what_it_wrote) {
  const auto manifest = sound_manifest();
  const auto read = parse_manifest(to_json(manifest), "manifest.json");
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(*read, manifest);
}

TEST(Manifest, a_handshake_has_two_parts_or_none) {
  auto manifest = sound_manifest();
  manifest.parts[Role::kHandshake] = {"handshake.json", std::string(64, '1'), 50};
  const auto half = parse_manifest(to_json(manifest), "manifest.json");
  ASSERT_FALSE(half.ok());
  EXPECT_EQ(half.error().code, ErrorCode::kBadFormat);
  manifest.parts[Role::kHandshakeImages] = {"handshake.png", std::string(64, '2'), 60};
  const auto whole = parse_manifest(to_json(manifest), "manifest.json");
  ASSERT_TRUE(whole.ok()) << whole.error().message();
  EXPECT_EQ(*whole, manifest);
}

TEST(Manifest, costs_may_be_absent) {
  const auto read = parse_changed([](Json& json) {
    json["base"].erase("macs");
    json["router"].erase("macs");
    json["global"].erase("macs");
  });
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(read->base.macs + read->router_macs + read->global.macs, 0);
}

TEST(Manifest, forms_may_be_absent) {
  const auto read = parse_changed([](Json& json) {
    json["base"].erase("form");
    json["global"].erase("form");
  });
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(read->global.form, ModelForm());
}

TEST(Manifest, ignores_fields_it_does_not_know) {
  EXPECT_TRUE(parse_changed([](Json& json) { json["note"] = "of a later minor version"; }).ok());
}

TEST(Manifest, refuses_every_truncation) {
  const std::string text = to_json(sound_manifest());
  for (std::size_t length = 0; length + 2 < text.size(); ++length)
    EXPECT_EQ(parse_manifest(std::string_view(text).substr(0, length), "manifest.json").error().code, ErrorCode::kBadFormat) << length;
}

struct Unsafe {
  const char* name;
  std::string path;
};
class UnsafePathTest : public ::testing::TestWithParam<Unsafe> {};

TEST_P(UnsafePathTest, is_refused_by_name) {
  const auto read = parse_changed([](Json& json) {
    json["parts"][GetParam().path] = json["parts"]["base.onnx"];
    json["parts"].erase("base.onnx");
    json["roles"]["base"] = GetParam().path;
  });
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, ErrorCode::kBadFormat);
  EXPECT_THAT(read.error().what, HasSubstr("leads out of the bundle"));
  EXPECT_EQ(read.error().got, GetParam().path);
}

INSTANTIATE_TEST_SUITE_P(Manifest, UnsafePathTest,
                         ::testing::Values(Unsafe{"parent", "../base.onnx"}, Unsafe{"parent_inside", "a/../../base.onnx"},
                                           Unsafe{"parent_at_the_end", "a/.."}, Unsafe{"absolute", "/etc/passwd"}, Unsafe{"empty", ""},
                                           Unsafe{"here", "./base.onnx"}, Unsafe{"empty_name", "a//base.onnx"}, Unsafe{"a_folder", "a/"},
                                           Unsafe{"backslash", "..\\base.onnx"}, Unsafe{"drive", "C:base.onnx"},
                                           Unsafe{"zero_byte", std::string("base\0.onnx", 10)}, Unsafe{"the_manifest", "manifest.json"},
                                           Unsafe{"too_long", std::string(300, 'a')}),
                         [](const auto& info) { return info.param.name; });

struct Broken {
  const char* name;
  std::function<void(Json&)> change;
  ErrorCode code;
  const char* says;
};
class BrokenManifestTest : public ::testing::TestWithParam<Broken> {};

TEST_P(BrokenManifestTest, is_refused_with_a_reason) {
  const auto read = parse_changed(GetParam().change);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, GetParam().code) << read.error().message();
  EXPECT_THAT(read.error().message(), HasSubstr(GetParam().says));
  EXPECT_THAT(read.error().where, HasSubstr("manifest.json"));
}

constexpr auto kBad = ErrorCode::kBadFormat;
INSTANTIATE_TEST_SUITE_P(
    Manifest, BrokenManifestTest,
    ::testing::
        Values(
            Broken{"newer_schema", [](Json& j) { j["schema"] = 4; }, ErrorCode::kUnsupported, "got 4, expected at most 3"},
            Broken{"schema_zero", [](Json& j) { j["schema"] = 0; }, kBad, "schema"},
            Broken{"no_schema", [](Json& j) { j.erase("schema"); }, kBad, "schema"},
            Broken{"no_object", [](Json& j) { j = Json::array({1}); }, kBad, "schema"},
            Broken{"accepted_without_identity", [](Json& j) { j["global"]["also"][0]["sha256"] = ""; }, kBad, "no SHA-256"},
            Broken{"accepted_column_twice",
                   [](Json& j) {
                     j["global"]["also"][0]["columns"] = {1, 1};
                   },
                   kBad, "one column"},
            Broken{"accepted_no_array", [](Json& j) { j["global"]["also"] = Json::object(); }, kBad, "also"},
            Broken{"unknown_role", [](Json& j) { j["roles"]["teacher"] = "base.onnx"; }, ErrorCode::kUnsupported, "got teacher"},
            Broken{"missing_role", [](Json& j) { j["roles"].erase("labels"); }, kBad, "\"labels\" is missing"},
            Broken{"role_without_part", [](Json& j) { j["roles"]["labels"] = "names.json"; }, kBad, "names.json"},
            Broken{"two_roles", [](Json& j) { j["roles"]["router"] = "base.onnx"; }, kBad, "has two roles"},
            Broken{"part_without_role", [](Json& j) { j["parts"]["extra.bin"] = j["parts"]["base.onnx"]; }, kBad,
                   "\"extra.bin\" has no role"},
            Broken{"short_hash", [](Json& j) { j["parts"]["base.onnx"]["sha256"] = "abc"; }, kBad, "part \"base.onnx\""},
            Broken{"upper_case_hash", [](Json& j) { j["parts"]["base.onnx"]["sha256"] = std::string(64, 'A'); }, kBad, "lower-case"},
            Broken{"negative_size", [](Json& j) { j["parts"]["base.onnx"]["bytes"] = -1; }, kBad, "bytes"},
            Broken{"huge_size", [](Json& j) { j["parts"]["base.onnx"]["bytes"] = std::uint64_t{1} << 60; }, kBad, "too large"},
            Broken{"parts_no_object", [](Json& j) { j["parts"] = Json::array(); }, kBad, "parts"},
            Broken{"part_no_object", [](Json& j) { j["parts"]["base.onnx"] = 1; }, kBad, "base.onnx"},
            Broken{"roles_no_object", [](Json& j) { j["roles"] = "base"; }, kBad, "roles"},
            Broken{"no_served_name", [](Json& j) { j["global"]["name"] = ""; }, kBad, "served model's name"},
            Broken{"no_recipe", [](Json& j) { j["global"].erase("preprocess"); }, kBad, "preprocess"},
            Broken{"bad_recipe", [](Json& j) { j["base"]["preprocess"]["channels"] = 0; }, kBad, "base: preprocess"},
            Broken{"no_columns", [](Json& j) { j["global"].erase("columns"); }, kBad, "columns"},
            Broken{"unknown_kind", [](Json& j) { j["global"]["form"]["kind"] = "odds"; }, kBad, "kind"},
            Broken{"unknown_layout", [](Json& j) { j["base"]["form"]["layout"] = "nchw"; }, kBad, "layout"},
            Broken{"range_backwards", [](Json& j) { j["global"]["form"]["most"] = -2; }, kBad, "range"},
            Broken{"columns_no_numbers", [](Json& j) { j["global"]["columns"] = {"a"}; }, kBad, "columns"},
            Broken{"negative_column", [](Json& j) { j["global"]["columns"] = {-1, 1}; }, kBad, "a column is no output"},
            Broken{"column_beyond_the_outputs", [](Json& j) { j["global"]["columns"] = {0, 3}; }, kBad, "got 3, expected 0 to 2"},
            Broken{"huge_column", [](Json& j) { j["base"]["columns"] = {std::int64_t{1} << 40}; }, kBad, "a column is no output"},
            Broken{"column_twice", [](Json& j) { j["global"]["columns"] = {1, 1}; }, kBad, "two classes have one column"},
            Broken{"negative_outputs", [](Json& j) { j["base"]["outputs"] = -3; }, kBad, "outputs"},
            Broken{"no_global_identity", [](Json& j) { j["global"]["sha256"] = "abc"; }, kBad, "global"},
            Broken{
                "classes_no_names",
                [](Json& j) {
                  j["global"]["classes"] = {1, 2};
                },
                kBad, "classes"},
            Broken{"classes_by_luck", [](Json& j) { j["classes"]["by"] = "luck"; }, kBad, "luck"},
            Broken{"no_decision", [](Json& j) { j.erase("classes"); }, kBad, "classes"},
            Broken{"router_no_object", [](Json& j) { j["router"] = 1; }, kBad, "router"},
            Broken{"negative_cost", [](Json& j) { j["base"]["macs"] = -5; }, kBad, "macs"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace hedge::edge

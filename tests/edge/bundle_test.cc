#include "edge/bundle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/testing.h"
#include "edge/served_model.h"
#include "edge/testing.h"

namespace hedge::edge {
namespace {

namespace fs = std::filesystem;
using hedge::testing::TemporaryFolder;
using ::testing::HasSubstr;
using testing::tiny_parts;

void spit(const fs::path& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }
std::string slurp(const fs::path& path) { return read_file(path).value(); }

class BundleTest : public ::testing::Test {
 protected:
  void write() {
    const auto status = write_bundle(folder_, tiny_parts());
    ASSERT_TRUE(status.ok()) << status.error().message();
  }
  /// The error of reading the bundle now.
  [[nodiscard]] Error refusal() const {
    const auto bundle = read_bundle(folder_);
    return bundle ? Error{.what = "it was read"} : bundle.error();
  }
  [[nodiscard]] std::size_t neighbours() const { return scratch_.entries(); }

  TemporaryFolder scratch_{"bundle"};
  fs::path folder_ = scratch_ / "bundle";
};

TEST_F(BundleTest, reads_what_it_wrote) {
  write();
  const auto bundle = read_bundle(folder_);
  ASSERT_TRUE(bundle.ok()) << bundle.error().message();
  EXPECT_EQ(bundle->labels, testing::kLabels);
  EXPECT_EQ(bundle->policy.chosen.threshold, 0.1F);
  EXPECT_EQ(bundle->manifest.base, tiny_parts().base);
  EXPECT_EQ(bundle->manifest.global, tiny_parts().global);
  EXPECT_EQ(bundle->manifest.router_macs, 10);
  EXPECT_EQ(slurp(bundle->path(Role::kBase)), "base bytes");
  EXPECT_EQ(slurp(bundle->path(Role::kRouter)), "router bytes");
  EXPECT_EQ(neighbours(), 1U) << "nothing temporary is left";
}

TEST_F(BundleTest, takes_a_name_with_a_slash_behind_and_folders_that_are_not_there_yet) {
  ASSERT_TRUE(write_bundle(scratch_.path() / "new" / "bundle" / "", tiny_parts()).ok());
  EXPECT_TRUE(read_bundle(scratch_.path() / "new" / "bundle").ok());
}

TEST_F(BundleTest, refuses_a_changed_byte_in_every_part) {
  for (const char* part : {"base.onnx", "router.onnx", "policy.json", "labels.json"}) {
    write();
    std::string bytes = slurp(folder_ / part);
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    spit(folder_ / part, bytes);
    const auto error = refusal();
    EXPECT_EQ(error.code, ErrorCode::kMismatch) << part;
    EXPECT_THAT(error.where, HasSubstr(part));
    EXPECT_EQ(error.got, sha256_hex(bytes));
    EXPECT_EQ(error.expected.size(), 64U);
    fs::remove_all(folder_);
  }
}

TEST_F(BundleTest, refuses_a_truncated_and_a_longer_part_with_both_sizes) {
  write();
  spit(folder_ / "base.onnx", "base");
  EXPECT_EQ(refusal().code, ErrorCode::kMismatch);
  EXPECT_THAT(refusal().message(),
              HasSubstr("base.onnx: the base has another size than the manifest says (got 4 bytes, expected 10 bytes)"));
  spit(folder_ / "base.onnx", "base bytes and more");
  EXPECT_THAT(refusal().message(), HasSubstr("got 19 bytes"));
}

TEST_F(BundleTest, refuses_a_missing_part) {
  write();
  fs::remove(folder_ / "router.onnx");
  EXPECT_EQ(refusal().code, ErrorCode::kNotFound);
  EXPECT_THAT(refusal().where, HasSubstr("router.onnx"));
}

TEST_F(BundleTest, refuses_a_folder_in_a_parts_place) {
  write();
  fs::remove(folder_ / "base.onnx");
  fs::create_directory(folder_ / "base.onnx");
  EXPECT_EQ(refusal().code, ErrorCode::kBadFormat);
}

TEST_F(BundleTest, refuses_a_file_that_the_manifest_does_not_list) {
  write();
  spit(folder_ / "extra.bin", "x");
  EXPECT_EQ(refusal().code, ErrorCode::kMismatch);
  EXPECT_THAT(refusal().where, HasSubstr("extra.bin"));
}

TEST_F(BundleTest, refuses_a_symbolic_link_that_leads_out) {
  write();
  spit(scratch_ / "outside.onnx", "base bytes");
  fs::remove(folder_ / "base.onnx");
  fs::create_symlink(scratch_ / "outside.onnx", folder_ / "base.onnx");
  EXPECT_EQ(refusal().code, ErrorCode::kBadFormat);
  EXPECT_THAT(refusal().message(), HasSubstr("lies outside the bundle"));
}

TEST_F(BundleTest, a_bundle_may_itself_be_reached_through_a_link) {
  write();
  fs::create_directory_symlink(folder_, scratch_ / "current");
  EXPECT_TRUE(read_bundle(scratch_ / "current").ok());
}

TEST_F(BundleTest, refuses_a_manifest_whose_part_lies_outside) {
  write();
  std::string manifest = slurp(folder_ / kManifestName);
  for (std::size_t at = 0; (at = manifest.find("\"base.onnx\"", at)) != std::string::npos;) manifest.replace(at, 11, "\"../base.onnx\"");
  spit(folder_ / kManifestName, manifest);
  EXPECT_EQ(refusal().code, ErrorCode::kBadFormat);
  EXPECT_THAT(refusal().message(), HasSubstr("../base.onnx"));
}

TEST_F(BundleTest, says_what_a_bundle_is_where_there_is_none) {
  EXPECT_EQ(refusal().code, ErrorCode::kNotFound);
  EXPECT_THAT(refusal().message(), HasSubstr("hedge bundle"));
}

/// Replaces a part and its entry in the manifest: sound as files, wrong in what they say.
void forge(const fs::path& folder, const std::string& part, const std::string& bytes) {
  spit(folder / part, bytes);
  Json manifest = parse_json(slurp(folder / kManifestName), "manifest").value();
  manifest["parts"][part] = {{"sha256", sha256_hex(bytes)}, {"bytes", bytes.size()}};
  spit(folder / kManifestName, manifest.dump());
}

TEST_F(BundleTest, refuses_a_policy_of_another_base_or_router) {
  write();
  forge(folder_, "base.onnx", "another base");
  EXPECT_EQ(refusal().code, ErrorCode::kMismatch);
  EXPECT_EQ(refusal().got, sha256_hex("base bytes"));
  EXPECT_EQ(refusal().expected, sha256_hex("another base"));
  EXPECT_THAT(refusal().message(), HasSubstr("calibrated with another base"));
  forge(folder_, "base.onnx", "base bytes");
  forge(folder_, "router.onnx", "another router");
  EXPECT_THAT(refusal().message(), HasSubstr("calibrated with another router"));
}

TEST_F(BundleTest, refuses_labels_and_policies_that_are_none) {
  for (const char* labels : {"{}", "[\"cat\", 1]", "[\"cat\"]", "[\"cat\", \"\"]", "[", ""}) {
    write();
    forge(folder_, "labels.json", labels);
    EXPECT_EQ(refusal().code, ErrorCode::kBadFormat) << labels;
    EXPECT_THAT(refusal().where, HasSubstr("labels.json"));
    fs::remove_all(folder_);
  }
  write();
  forge(folder_, "policy.json", "{}");
  EXPECT_FALSE(read_bundle(folder_).ok());
  EXPECT_THAT(refusal().where, HasSubstr("policy.json"));
}

TEST_F(BundleTest, keeps_which_output_is_which_label) {
  auto parts = tiny_parts();
  parts.base.outputs = 4;
  parts.base.columns = {1, 2, 3};
  parts.global.sha256 = parts.policy.global_sha256;
  parts.global.classes = {"owl", "cat", "cow", "dog"};
  parts.global.outputs = 4;
  parts.global.columns = {1, 3, 0};
  parts.classes_by = ClassesBy::kPosition;
  parts.class_notes = {"taken for granted"};
  ASSERT_TRUE(write_bundle(folder_, parts).ok());
  const auto bundle = read_bundle(folder_);
  ASSERT_TRUE(bundle.ok()) << bundle.error().message();
  EXPECT_EQ(bundle->manifest.base, parts.base);
  EXPECT_EQ(bundle->manifest.global, parts.global);
  EXPECT_EQ(bundle->manifest.classes_by, ClassesBy::kPosition);
  EXPECT_EQ(bundle->manifest.class_notes, parts.class_notes);
}

/// Four images of the recipe's form, and logits of three labels.
Handshake tiny_handshake() {
  Handshake handshake{.dataset = "fashion-mnist?split=calibration", .globals = {{.sha256 = sha256_hex("global bytes")}}};
  for (std::uint8_t i = 0; i < 4; ++i) {
    handshake.images.push_back(testing::image_of(i));
    handshake.globals[0].logits.push_back({1, static_cast<float>(i), 0.5F});
  }
  return handshake;
}

TEST_F(BundleTest, keeps_the_handshake_and_the_accepted_globals) {
  auto parts = tiny_parts();
  parts.handshake = tiny_handshake();
  parts.policy.accepted_globals = {
      {.sha256 = std::string(64, 'c'), .dataset = "x?split=test", .content_hash = "h", .images = 9, .coverage = 0.7, .accuracy = 0.8}};
  parts.global.also = {{.sha256 = std::string(64, 'c'), .preprocess = testing::tiny_recipe(), .outputs = 4, .columns = {3, 0, 1}}};
  const auto status = write_bundle(folder_, parts);
  ASSERT_TRUE(status.ok()) << status.error().message();
  const auto bundle = read_bundle(folder_);
  ASSERT_TRUE(bundle.ok()) << bundle.error().message();
  ASSERT_TRUE(bundle->handshake.has_value());
  EXPECT_EQ(bundle->handshake->globals, parts.handshake->globals);
  EXPECT_EQ(bundle->handshake->images[3].pixels, parts.handshake->images[3].pixels);
  EXPECT_EQ(bundle->manifest.global.also, parts.global.also);
  EXPECT_EQ(bundle->policy.accepted_globals[0].accuracy, 0.8);
  fs::remove(folder_ / "handshake.png");
  EXPECT_EQ(refusal().code, ErrorCode::kNotFound);
}

TEST_F(BundleTest, refuses_a_handshake_of_other_images_or_labels) {
  auto parts = tiny_parts();
  parts.handshake = tiny_handshake();
  for (auto& row : parts.handshake->globals[0].logits) row.push_back(0);
  EXPECT_EQ(write_bundle(folder_, parts).error().code, ErrorCode::kInvalidArgument);
  parts.handshake = tiny_handshake();
  for (auto& image : parts.handshake->images) image = {.height = 1, .width = 4, .channels = 1, .pixels = image.pixels};
  EXPECT_EQ(write_bundle(folder_, parts).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(BundleTest, refuses_a_policy_that_accepts_other_globals_than_the_manifest) {
  auto parts = tiny_parts();
  parts.global.also = {{.sha256 = std::string(64, 'c'), .preprocess = testing::tiny_recipe()}};
  const auto status = write_bundle(folder_, parts);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kMismatch);
}

TEST_F(BundleTest, an_older_bundles_global_is_that_of_its_policy) {
  write();
  EXPECT_TRUE(read_bundle(folder_)->manifest.global.sha256.empty());
  EXPECT_EQ(judged_global(read_bundle(folder_).value()).info.sha256, sha256_hex("global bytes"));
}

TEST_F(BundleTest, refuses_columns_that_are_not_one_a_label) {
  write();
  const auto refuse = [this](const char* model, const Json& outputs, const Json& columns) {
    Json manifest = parse_json(slurp(folder_ / kManifestName), "manifest").value();
    manifest[model]["outputs"] = outputs;
    manifest[model]["columns"] = columns;
    spit(folder_ / kManifestName, manifest.dump());
    const auto error = refusal();
    manifest[model]["outputs"] = 0;
    manifest[model]["columns"] = Json::array();
    spit(folder_ / kManifestName, manifest.dump());
    return error;
  };
  EXPECT_EQ(refuse("base", 5, {0, 1}).code, ErrorCode::kBadFormat);
  EXPECT_THAT(refuse("global", 5, {0, 1, 2, 3}).message(), HasSubstr("the global does not have a column for each label"));
  EXPECT_THAT(refuse("global", 5, Json::array()).message(), HasSubstr("5 outputs"));
  EXPECT_EQ(refuse("base", 3, {0, 1, 2}).what, "it was read");
}

TEST_F(BundleTest, refuses_another_global_than_the_policy_was_calibrated_with) {
  auto parts = tiny_parts();
  parts.global.sha256 = std::string(64, 'f');
  const auto status = write_bundle(folder_, parts);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kMismatch);
  EXPECT_THAT(status.error().message(), HasSubstr("another global"));
}

TEST_F(BundleTest, labels_are_read_from_a_file_of_their_own) {
  const auto path = scratch_ / "labels.json";
  EXPECT_EQ(read_labels(path).error().code, ErrorCode::kNotFound);
  spit(path, "[\"cat\", \"dog\"]");
  EXPECT_THAT(read_labels(path).value(), ::testing::ElementsAre("cat", "dog"));
  spit(path, "{\"0\": \"cat\"}");
  EXPECT_EQ(read_labels(path).error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(read_labels(path).error().where, path.string());
}

TEST_F(BundleTest, writes_no_bundle_that_it_would_not_read) {
  const auto refused = [this](auto change) {
    auto parts = tiny_parts();
    change(parts);
    const auto status = write_bundle(folder_, parts);
    return status ? ErrorCode::kInternal : status.error().code;
  };
  EXPECT_EQ(refused([](BundleParts& p) { p.base_onnx = "another base"; }), ErrorCode::kMismatch);
  EXPECT_EQ(refused([](BundleParts& p) { p.policy.router_sha256.clear(); }), ErrorCode::kMismatch);
  EXPECT_EQ(refused([](BundleParts& p) { p.router_onnx.clear(); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused([](BundleParts& p) { p.labels = {"cat"}; }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused([](BundleParts& p) { p.global.name.clear(); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused([](BundleParts& p) { p.base.preprocess.height = 0; }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(neighbours(), 0U);
}

TEST_F(BundleTest, replaces_an_older_bundle_as_a_whole) {
  write();
  auto parts = tiny_parts("a newer base");
  ASSERT_TRUE(write_bundle(folder_, parts).ok());
  EXPECT_EQ(slurp(folder_ / "base.onnx"), "a newer base");
  EXPECT_TRUE(read_bundle(folder_).ok());
  EXPECT_EQ(neighbours(), 1U);
}

TEST_F(BundleTest, fills_an_empty_folder) {
  fs::create_directory(folder_);
  write();
  EXPECT_TRUE(read_bundle(folder_).ok());
}

TEST_F(BundleTest, overwrites_nothing_that_is_no_bundle) {
  fs::create_directory(folder_);
  spit(folder_ / "thesis.txt", "years of work");
  EXPECT_EQ(write_bundle(folder_, tiny_parts()).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(slurp(folder_ / "thesis.txt"), "years of work");
  const auto file = scratch_ / "file";
  spit(file, "mine");
  EXPECT_EQ(write_bundle(file, tiny_parts()).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(slurp(file), "mine");
}

TEST_F(BundleTest, overwrites_no_bundle_that_holds_more) {
  write();
  spit(folder_ / "notes.txt", "mine");
  const auto status = write_bundle(folder_, tiny_parts("a newer base"));
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message(), HasSubstr("notes.txt"));
  EXPECT_EQ(slurp(folder_ / "base.onnx"), "base bytes");
}

TEST_F(BundleTest, a_failing_disk_leaves_the_old_bundle_as_it_was) {
  write();
  for (const std::size_t room : {std::size_t{0}, std::size_t{5}, std::size_t{200}}) {
    const auto status = write_bundle(folder_, tiny_parts("a newer base"), hedge::testing::full_after(room));
    ASSERT_FALSE(status.ok()) << room;
    EXPECT_EQ(status.error().code, ErrorCode::kIo);
  }
  EXPECT_EQ(write_bundle(folder_, tiny_parts("a newer base"), hedge::testing::failing_flush()).error().code, ErrorCode::kIo);
  ASSERT_TRUE(read_bundle(folder_).ok());
  EXPECT_EQ(slurp(folder_ / "base.onnx"), "base bytes");
  EXPECT_EQ(neighbours(), 1U) << "the half-written bundle is gone";
}

}  // namespace
}  // namespace hedge::edge

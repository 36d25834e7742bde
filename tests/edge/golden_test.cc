// What schema 1 wrote stays readable: this file is never written again.
#include <gtest/gtest.h>

#include <string>

#include "core/file.h"
#include "edge/bundle.h"
#include "edge/manifest.h"

namespace hedge::edge {
namespace {

TEST(Golden, a_manifest_of_schema_1_reads_as_it_was_written) {
  const auto text = read_file(HEDGE_SOURCE_DIR "/tests/golden/manifest_v1.json");
  ASSERT_TRUE(text.ok()) << text.error().message();
  const auto manifest = parse_manifest(*text, "manifest_v1.json");
  ASSERT_TRUE(manifest.ok()) << manifest.error().message();
  EXPECT_EQ(manifest->created_by, "hedge 0.1.0");
  EXPECT_EQ(manifest->part(Role::kBase), (Part{.path = "base.onnx", .sha256 = std::string(64, 'b'), .bytes = 1000}));
  EXPECT_EQ(manifest->part(Role::kRouter), (Part{.path = "router.onnx", .sha256 = std::string(64, 'c'), .bytes = 2000}));
  EXPECT_EQ(manifest->part(Role::kPolicy), (Part{.path = "policy.json", .sha256 = std::string(64, 'd'), .bytes = 3000}));
  EXPECT_EQ(manifest->part(Role::kLabels), (Part{.path = "labels.json", .sha256 = std::string(64, 'e'), .bytes = 4000}));
  const data::Preprocess gray{
      .channels = 1, .height = 28, .width = 28, .resize_shorter = 0, .normalization = {.mean = {0.286F}, .std = {0.353F}}};
  EXPECT_EQ(manifest->base, (BaseInfo{.preprocess = gray, .features = "features", .macs = 450000}));
  EXPECT_EQ(manifest->router_macs, 12000);
  EXPECT_EQ(manifest->global.name, "global");
  EXPECT_EQ(manifest->global.preprocess.normalization.std, (std::vector<float>{0.229F, 0.224F, 0.225F}));
  EXPECT_EQ(manifest->global.preprocess.resize_shorter, 256);
  EXPECT_EQ(manifest->global.macs, 38000000);
  EXPECT_EQ(manifest->classes_by, ClassesBy::kUnknown);
  EXPECT_TRUE(manifest->global.columns.empty() && manifest->base.columns.empty()) << "the outputs are the labels";
}

TEST(Golden, a_bundle_of_schema_1_is_read_and_its_outputs_are_its_labels) {
  const auto bundle = read_bundle(HEDGE_SOURCE_DIR "/tests/golden/bundle_v1");
  ASSERT_TRUE(bundle.ok()) << bundle.error().message();
  EXPECT_EQ(bundle->labels, (std::vector<std::string>{"a", "b", "c", "d"}));
  EXPECT_EQ(bundle->policy.router, "margin");
  EXPECT_EQ(bundle->manifest.classes_by, ClassesBy::kUnknown);
  EXPECT_TRUE(bundle->manifest.base.columns.empty() && bundle->manifest.global.columns.empty());
}

TEST(Golden, a_bundle_of_schema_2_says_which_output_of_a_permuted_global_is_which_label) {
  const auto bundle = read_bundle(HEDGE_SOURCE_DIR "/tests/golden/bundle_v2");
  ASSERT_TRUE(bundle.ok()) << bundle.error().message();
  EXPECT_EQ(bundle->labels, (std::vector<std::string>{"a", "b", "c", "d"}));
  EXPECT_EQ(bundle->manifest.classes_by, ClassesBy::kName);
  const auto& global = bundle->manifest.global;
  EXPECT_EQ(global.classes, (std::vector<std::string>{"c", "a", "d", "b"}));
  EXPECT_EQ(global.columns, (std::vector<std::int64_t>{1, 3, 0, 2}));
  EXPECT_EQ(global.outputs, 4);
  EXPECT_EQ(global.sha256, bundle->policy.global_sha256);
  EXPECT_TRUE(bundle->manifest.base.columns.empty());
  EXPECT_TRUE(global.also.empty());
  EXPECT_FALSE(bundle->handshake.has_value());
  EXPECT_FALSE(bundle->policy.classes.has_value());
}

}  // namespace
}  // namespace hedge::edge

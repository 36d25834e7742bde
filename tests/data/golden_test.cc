// What versions 1 and 2 wrote stays readable: these files are never written again.
#include <gtest/gtest.h>

#include "core/file.h"
#include "hedge/preprocess.h"

namespace hedge::data {
namespace {

TEST(Golden, a_recipe_of_version_1_reads_as_it_was_written) {
  const auto text = read_file(HEDGE_SOURCE_DIR "/tests/golden/preprocess_v1.json");
  ASSERT_TRUE(text.ok()) << text.error().message();
  const auto recipe = Preprocess::from_json(*text);
  ASSERT_TRUE(recipe.ok()) << recipe.error().message();
  EXPECT_EQ(*recipe, (Preprocess{.version = 1,
                                 .channels = 3,
                                 .height = 224,
                                 .width = 192,
                                 .resize_shorter = 256,
                                 .normalization = {.mean = {0.485F, 0.456F, 0.406F}, .std = {0.229F, 0.224F, 0.225F}}}));
}

TEST(Golden, a_recipe_of_version_2_reads_as_it_was_written) {
  const auto text = read_file(HEDGE_SOURCE_DIR "/tests/golden/preprocess_v2.json");
  ASSERT_TRUE(text.ok()) << text.error().message();
  const auto recipe = Preprocess::from_json(*text);
  ASSERT_TRUE(recipe.ok()) << recipe.error().message();
  EXPECT_EQ(*recipe, (Preprocess{.version = 2,
                                 .channels = 3,
                                 .height = 224,
                                 .width = 192,
                                 .resize_shorter = 256,
                                 .normalization = {.mean = {0.5F, 0.25F, 0.125F}, .std = {1.0F, 0.5F, 0.25F}},
                                 .channel_order = ChannelOrder::kBgr,
                                 .fit = Fit::kSquash,
                                 .filter = Filter::kBicubic,
                                 .antialias = false}));
  EXPECT_EQ(recipe->to_json(), *text);
}

}  // namespace
}  // namespace hedge::data

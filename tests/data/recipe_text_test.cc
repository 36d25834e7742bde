#include "data/recipe_text.h"

#include <gtest/gtest.h>

namespace hedge::data {
namespace {

TEST(RecipeText, says_in_short_what_a_recipe_says) {
  const auto recipe = parse_recipe("resize=201,crop=176,mean=imagenet,std=imagenet");
  ASSERT_TRUE(recipe.ok()) << recipe.error().message();
  const Preprocess expected{.version = 2,
                            .channels = 3,
                            .height = 176,
                            .width = 176,
                            .resize_shorter = 201,
                            .normalization = {.mean = {0.485F, 0.456F, 0.406F}, .std = {0.229F, 0.224F, 0.225F}}};
  EXPECT_EQ(*recipe, expected);
  EXPECT_EQ(parse_recipe("crop=176,resize=201,mean=0.485,0.456,0.406,std=0.229,0.224,0.225").value(), expected)
      << "lists go on, the order is free";
  const Preprocess gray{.version = 2, .channels = 1, .height = 20, .width = 30, .normalization = {.mean = {0}, .std = {1}}};
  EXPECT_EQ(parse_recipe("channels=1,crop=20x30").value(), gray);
  EXPECT_EQ(parse_recipe("crop=8,mean=0.5,std=0.25").value().normalization,
            (Normalization{.mean = {0.5F, 0.5F, 0.5F}, .std = {0.25F, 0.25F, 0.25F}}));
}

TEST(RecipeText, has_items_for_all_that_version_2_knows) {
  const auto recipe = parse_recipe("crop=224,resize=256,order=bgr,fit=squash,filter=bicubic,antialias=off");
  ASSERT_TRUE(recipe.ok()) << recipe.error().message();
  EXPECT_EQ(recipe->channel_order, ChannelOrder::kBgr);
  EXPECT_EQ(recipe->fit, Fit::kSquash);
  EXPECT_EQ(recipe->filter, Filter::kBicubic);
  EXPECT_FALSE(recipe->antialias);
  EXPECT_EQ(parse_recipe("crop=8").value().version, 2) << "the newest, unless it says otherwise";
  EXPECT_EQ(parse_recipe("crop=8,version=1").value().version, 1);
}

class BadRecipe : public testing::TestWithParam<const char*> {};

TEST_P(BadRecipe, is_refused) {
  const auto recipe = parse_recipe(GetParam());
  ASSERT_FALSE(recipe.ok());
  EXPECT_EQ(recipe.error().code, ErrorCode::kInvalidArgument);
}

INSTANTIATE_TEST_SUITE_P(Texts, BadRecipe,
                         testing::Values("", "crop", "resize=256", "crop=0", "crop=-5", "crop=12y12", "crop=1x", "crop=224,crop=224",
                                         "crop=224,zoom=2", "crop=8,mean=a", "crop=8,mean=1,2", "crop=8,std=0", "crop=8,mean=nan",
                                         "channels=2,crop=8", "channels=1,crop=8,mean=imagenet", "crop=99999999", "crop=8,resize=1,2",
                                         "7,crop=8", "crop=8,order=grb", "crop=8,fit=stretch", "crop=8,filter=lanczos",
                                         "crop=8,antialias=yes", "crop=8,version=0", "crop=8,version=3", "crop=8,version=1,order=bgr",
                                         "crop=8,filter=nearest,bicubic", "channels=1,crop=8,order=bgr"));

}  // namespace
}  // namespace hedge::data

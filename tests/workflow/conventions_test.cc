#include "workflow/internal/conventions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "data/recipe_text.h"
#include "workflow/internal/findings.h"

namespace hedge::workflow::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

InputConvention stated(const std::string& recipe) {
  return {.key = "stated", .name = "as stated", .recipe = data::parse_recipe(recipe).value(), .layout = model::Layout::kNchw};
}

std::set<std::string> keys(const std::vector<InputConvention>& conventions) {
  std::set<std::string> keys;
  for (const auto& one : conventions) keys.insert(one.key);
  return keys;
}

std::vector<std::string> keys(const std::vector<ClassConvention>& conventions) {
  std::vector<std::string> keys;
  for (const auto& one : conventions) keys.push_back(one.key);
  return keys;
}

TEST(InputConventions, hold_each_usual_one_once_and_the_stated_one_first) {
  const auto all = input_conventions(stated("resize=256,crop=224,mean=imagenet,std=imagenet"), {}, false);
  EXPECT_EQ(all.front().key, "stated");
  EXPECT_EQ(keys(all), (std::set<std::string>{"stated", "mean=0,std=1", "mean=0.5,std=0.5", "mean=0,std=1/255", "order=bgr", "caffe",
                                              "resize=224", "fit=squash,resize=0", "filter=bicubic", "filter=nearest", "antialias=off"}));
  for (const auto& one : all) EXPECT_TRUE(one.recipe.validate().ok()) << one.key;
}

TEST(InputConventions, means_stay_with_their_colours) {
  const auto all = input_conventions(stated("crop=224,mean=imagenet,std=imagenet"), {}, true);
  const auto bgr = std::find_if(all.begin(), all.end(), [](const auto& one) { return one.key == "order=bgr"; });
  ASSERT_NE(bgr, all.end());
  EXPECT_THAT(bgr->recipe.normalization.mean, ElementsAre(0.406F, 0.456F, 0.485F));
  EXPECT_TRUE(std::any_of(all.begin(), all.end(), [](const auto& one) { return one.several; }));
}

TEST(InputConventions, of_gray_images_have_no_order_of_channels) {
  for (const auto& one : input_conventions(stated("crop=28,channels=1,mean=0.3,std=0.3"), {}, true)) {
    EXPECT_EQ(one.recipe.channels, 1);
    EXPECT_EQ(one.recipe.channel_order, data::ChannelOrder::kRgb) << one.key;
    EXPECT_TRUE(one.recipe.validate().ok()) << one.key;
  }
}

TEST(InputConventions, of_a_quantised_input_leave_its_numbers_alone) {
  const auto all = input_conventions(stated("resize=146,crop=128"), {.normalised = false}, true);
  EXPECT_EQ(keys(all).count("order=bgr"), 1U);
  for (const auto& one : all) EXPECT_EQ(one.recipe.normalization, all.front().recipe.normalization) << one.key;
}

TEST(InputConventions, have_the_other_layout_where_the_shape_leaves_it_open) {
  const auto all = input_conventions(stated("crop=32"), {.both_layouts = true}, false);
  EXPECT_EQ(all.back().layout, model::Layout::kNhwc);
  EXPECT_EQ(all.back().recipe, all.front().recipe);
}

TEST(ShortForm, is_what_a_flag_takes) {
  for (const std::string text : {"resize=201,crop=176,mean=0.5,std=0.5", "crop=8x12,channels=1,mean=0.1,std=0.3,version=1",
                                 "crop=224,mean=imagenet,std=imagenet,order=bgr", "resize=256,crop=224,filter=bicubic,antialias=off",
                                 "crop=224,fit=squash,filter=nearest"}) {
    const auto recipe = data::parse_recipe(text).value();
    const auto again = data::parse_recipe(short_form(recipe));
    ASSERT_TRUE(again.ok()) << short_form(recipe) << ": " << again.error().message();
    EXPECT_EQ(*again, recipe) << short_form(recipe);
  }
  EXPECT_EQ(short_form(data::parse_recipe("resize=201,crop=176,mean=0.5,std=0.5").value()), "resize=201,crop=176,mean=0.5,std=0.5");
}

TEST(ClassConventions, are_as_the_names_say) {
  const ClassFacts facts{.dataset = {"ant", "bee"}, .model = {.names = {"", "bee", "ant", "cat"}, .outputs = 4, .where = "m"}};
  const auto stated = stated_classes(facts);
  ASSERT_TRUE(stated.ok()) << stated.error().message();
  EXPECT_THAT(stated->output_of, ElementsAre(2, 1));
  EXPECT_THAT(stated->excluded, ElementsAre(0));
  EXPECT_THAT(stated->labels, ElementsAre("", "bee", "ant", "cat"));
}

TEST(ClassConventions, without_names_are_shifted_or_in_the_order_of_numbers) {
  const ClassFacts facts{.dataset = {"1", "10", "2"}, .model = {.outputs = 3, .where = "m"}};
  const auto stated = stated_classes(facts);
  ASSERT_TRUE(stated.ok()) << stated.error().message();
  const auto others = other_classes(facts, &*stated);
  EXPECT_THAT(keys(others), UnorderedElementsAre("shift=+1", "shift=-1", "dataset=number"));
  for (const auto& one : others) {
    if (one.key == "shift=+1") {
      EXPECT_THAT(one.labels, ElementsAre("2", "1", "10"));
    }
    if (one.key == "dataset=number") {
      EXPECT_THAT(one.output_of, ElementsAre(0, 2, 1));
    }
  }
}

TEST(ClassConventions, one_output_more_than_classes_has_a_background_first) {
  const ClassFacts facts{.dataset = {"a", "b"}, .model = {.outputs = 3, .where = "m"}};
  EXPECT_FALSE(stated_classes(facts).ok());
  const auto others = other_classes(facts, nullptr);
  ASSERT_FALSE(others.empty());
  EXPECT_THAT(others[0].output_of, ElementsAre(1, 2));
  EXPECT_THAT(others[0].excluded, ElementsAre(0));
}

TEST(ClassConventions, that_were_learned_keep_the_other_names) {
  const ClassFacts facts{.dataset = {"ant", "bee"}, .model = {.names = {"bee", "ant", "cat"}, .outputs = 3, .where = "m"}};
  EXPECT_THAT(classes_as(facts, {0, 1}, "k", "n").labels, ElementsAre("ant", "bee", "cat"));
}

TEST(Permuted, is_the_same_names_in_another_order) {
  EXPECT_TRUE(permuted({"a", "b"}, {"b", "a"}));
  EXPECT_FALSE(permuted({"a", "b"}, {"a", "b"}));
  EXPECT_FALSE(permuted({"a", "b"}, {"a", "c"}));
}

TEST(Probabilities, are_told_by_their_rows) {
  const std::vector<float> rows = {0.25F, 0.75F, 1.0F, 0.0F};
  EXPECT_TRUE(are_probabilities(rows, 2));
  EXPECT_DOUBLE_EQ(mean_confidence(rows, 2), 0.875);
  const std::vector<float> logits = {0.25F, 0.75F, 2.0F, -1.0F};
  EXPECT_FALSE(are_probabilities(logits, 2));
  EXPECT_FALSE(are_probabilities({}, 2));
}

}  // namespace
}  // namespace hedge::workflow::internal

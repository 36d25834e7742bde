#include "eval/answers.h"

#include <gtest/gtest.h>

#include <vector>

namespace hedge::eval {
namespace {

using Classes = std::vector<std::int64_t>;

/// `count` images of each class, all answered by `answer`.
template <typename Answer>
std::pair<Classes, Classes> images(std::int64_t classes, int count, const Answer& answer) {
  Classes labels, answers;
  for (std::int64_t c = 0; c < classes; ++c)
    for (int i = 0; i < count; ++i) {
      labels.push_back(c);
      answers.push_back(answer(c, i));
    }
  return {labels, answers};
}

TEST(SignTest, is_the_exact_one_sided_tail) {
  EXPECT_DOUBLE_EQ(sign_test(0, 0), 1);
  EXPECT_NEAR(sign_test(5, 0), 1.0 / 32, 1e-12);
  EXPECT_NEAR(sign_test(4, 1), 6.0 / 32, 1e-12);
  EXPECT_NEAR(sign_test(0, 5), 1, 1e-12);
  EXPECT_LT(sign_test(76, 9), 1e-12) << "RGB against BGR, measured on a published network";
}

TEST(CheckAnswers, a_constant_answer_is_not_above_chance_however_common_its_class) {
  Classes labels(100, 0);
  for (int i = 0; i < 20; ++i) labels[static_cast<std::size_t>(i)] = 1;
  const auto check = check_answers(labels, Classes(100, 0), 2);
  EXPECT_DOUBLE_EQ(check.accuracy.value, 0.8);
  EXPECT_DOUBLE_EQ(check.by_chance, 0.8);
  EXPECT_FALSE(check.above_chance());
  EXPECT_EQ(check.constant, 0);
}

TEST(CheckAnswers, a_weak_model_is_above_chance_on_enough_images) {
  const auto [labels, answers] = images(4, 50, [](std::int64_t c, int i) { return i % 5 < 2 ? c : (c + i) % 4; });
  const auto check = check_answers(labels, answers, 4);
  EXPECT_NEAR(check.by_chance, 0.25, 0.01);
  EXPECT_TRUE(check.enough);
  EXPECT_TRUE(check.above_chance());
  EXPECT_FALSE(check.constant.has_value());
}

TEST(CheckAnswers, says_where_there_are_too_few_images) {
  const auto [labels, answers] = images(3, 4, [](std::int64_t c, int) { return (c + 1) % 3; });
  EXPECT_FALSE(check_answers(labels, answers, 3).enough);
  const auto [more_labels, more_answers] = images(3, 40, [](std::int64_t c, int) { return (c + 1) % 3; });
  EXPECT_TRUE(check_answers(more_labels, more_answers, 3).enough);
  EXPECT_FALSE(check_answers(more_labels, more_answers, 3).above_chance());
}

TEST(CheckAnswers, an_output_that_is_no_class_is_a_wrong_answer) {
  const auto check = check_answers(Classes{0, 1, 0, 1}, Classes{-1, 1, 7, 1}, 2);
  EXPECT_DOUBLE_EQ(check.accuracy.value, 0.5);
  EXPECT_DOUBLE_EQ(check.by_chance, 0.25);
}

/// Logits of 10 outputs, in the classes' order: 2 for the answer, 1 for the second best, 0 for the others.
std::vector<float> logits_of(const Classes& answers, const Classes& seconds) {
  std::vector<float> logits(10 * answers.size(), 0.0F);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    logits[10 * i + static_cast<std::size_t>(seconds[i])] = 1;
    logits[10 * i + static_cast<std::size_t>(answers[i])] = 2;
  }
  return logits;
}

std::vector<ExchangedClasses> exchanged(const Classes& labels, const Classes& answers, const Classes& seconds) {
  const Classes in_order = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  const auto logits = logits_of(answers, seconds);
  return exchanged_classes({.labels = labels, .logits = logits, .outputs = 10, .output_of = in_order});
}

std::int64_t three_for_five(std::int64_t c) { return c == 3 ? 5 : c == 5 ? 3 : c; }

TEST(ExchangedClasses, finds_the_two_with_thirty_images_each) {
  const auto [labels, answers] = images(10, 30, [](std::int64_t c, int i) { return i >= 24 ? (c + i) % 10 : three_for_five(c); });
  const auto found = exchanged(labels, answers, answers);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].a, 3);
  EXPECT_EQ(found[0].b, 5);
  EXPECT_EQ(found[0].a_images, 30);
  EXPECT_GE(found[0].a_as_b, 24);
  // 24 and 24 images are answered with the other, and one of the others with 3; where both logits are alike, the own one counts as larger.
  EXPECT_DOUBLE_EQ(found[0].p, 5 * sign_test(49, 11));
}

TEST(ExchangedClasses, finds_two_that_are_often_taken_for_others) {
  // Half of their images is answered with a third class; the second best of these tells the two apart all the same.
  const auto [labels, answers] = images(10, 30, [](std::int64_t c, int i) {
    if (c != 3 && c != 5) return c;
    return i % 2 == 0 ? three_for_five(c) : std::int64_t{i % 3 == 0 ? 0 : 7};
  });
  Classes seconds;
  for (const auto label : labels) seconds.push_back(three_for_five(label));
  ASSERT_EQ(exchanged(labels, answers, seconds).size(), 1U);
}

TEST(ExchangedClasses, two_that_are_mixed_up_are_not_exchanged) {
  const auto [labels, answers] = images(10, 30, [](std::int64_t c, int i) {
    if (c == 3) return std::int64_t{i % 2 == 0 ? 5 : 3};  // as often right as not
    return c == 5 && i % 3 == 0 ? std::int64_t{3} : c;
  });
  EXPECT_TRUE(exchanged(labels, answers, answers).empty());
  const auto [all_labels, one_class] = images(10, 30, [](std::int64_t, int) { return std::int64_t{5}; });
  EXPECT_TRUE(exchanged(all_labels, one_class, one_class).empty()) << "one that swallows the other";
}

TEST(ExchangedClasses, few_images_show_nothing) {
  const auto [labels, answers] = images(10, 2, [](std::int64_t c, int) { return three_for_five(c); });
  EXPECT_TRUE(exchanged(labels, answers, answers).empty());
}

TEST(MostAnswered, gives_each_class_one_output) {
  const Classes labels = {0, 0, 0, 1, 1, 1, 2};
  const Classes answers = {2, 2, 1, 1, 1, 2, 0};
  EXPECT_EQ(most_answered(labels, answers, {}, {0, 1, 2}, 3), (Classes{2, 1, 0}));
}

TEST(MostAnswered, keeps_the_stated_output_where_the_images_do_not_say) {
  EXPECT_EQ(most_answered(Classes{0, 0}, Classes{0, 0}, {}, {0, 1, 2}, 3), (Classes{0, 1, 2}));
  EXPECT_EQ(most_answered(Classes{0, 0}, Classes{1, 1}, {}, {0, 1, 2}, 3), (Classes{1, -1, 2})) << "its output is taken";
  EXPECT_EQ(most_answered(Classes{0, 1}, Classes{1, 1}, {}, {0, 1, -1}, 3), (Classes{0, 1, -1})) << "of equal numbers the stated one";
  EXPECT_EQ(most_answered(Classes{0, 0}, Classes{1, 2}, {false, true}, {0, 1}, 3), (Classes{2, 1})) << "only what is used counts";
}

}  // namespace
}  // namespace hedge::eval

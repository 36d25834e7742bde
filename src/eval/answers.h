#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "eval/statistics.h"

namespace hedge::eval {

/// P(X >= better) for X ~ Binomial(better + worse, 1/2): how probable so many images for the better one are, were two answerers alike.
/// One-sided; images on which both are right or both are wrong do not count (McNemar's test, exact). 1 where there is none.
/// Preconditions: both >= 0.
double sign_test(std::int64_t better, std::int64_t worse);

/// What labelled images say of a model's answers.
struct AnswerCheck {
  std::int64_t images = 0;
  Interval accuracy;     ///< Wilson
  double by_chance = 0;  ///< 0..1: the accuracy of the same answers, dealt to the images at random: sum over classes of share of the label
                         ///< times share of the answer. A model that always answers one class is right on no more than that
  double p = 1;          ///< P(Binomial(images, by_chance) >= the right ones)
  bool enough = false;   ///< a model that is right on a quarter of the images more than by chance would have shown it here, with 95 %
  std::optional<std::int64_t> constant;  ///< the only class that is ever answered

  /// Whether the images show, at 5 %, that the answers have to do with them.
  [[nodiscard]] bool above_chance() const { return p <= 0.05; }
};

/// `labels` and `answers`: classes 0..classes-1, an element an image; an answer outside of them (an output that is no class) is wrong.
/// Preconditions: equal lengths, not empty, labels inside.
AnswerCheck check_answers(std::span<const std::int64_t> labels, std::span<const std::int64_t> answers, std::int64_t classes);

/// What a model says of labelled images; borrowed.
struct LabelledLogits {
  std::span<const std::int64_t> labels;  ///< a class an image
  std::span<const float> logits;         ///< [images, outputs]
  std::int64_t outputs = 0;
  const std::vector<std::int64_t>& output_of;  ///< the output of each class; -1: it has none
};

/// Two classes, each of which is answered with the other's name.
struct ExchangedClasses {
  std::int64_t a = 0, b = 0;
  std::int64_t a_images = 0, b_images = 0;
  std::int64_t a_as_a = 0, a_as_b = 0, b_as_a = 0, b_as_b = 0;  ///< images by label and answer
  double p = 1;  ///< sign test: of the images of both, those whose other class has the larger logit of the two against the rest; times half
                 ///< the number of classes, because each has one class that it can be exchanged with
};

/// The pairs of classes that look exchanged: each one's images are answered with the other more often than with any class, the majority of
/// each one's images has the larger logit for the other, and p <= 0.01. In ascending order of the first class.
/// Preconditions: a row of logits an image; labels inside output_of.
std::vector<ExchangedClasses> exchanged_classes(const LabelledLogits& images);

/// The output that each class is answered with most, one output a class: pairs of a class and an output are taken in descending number of
/// images; of equal numbers the one that `stated` has, then the lower class and output. A class without an answer left, or without images,
/// keeps the output of `stated` where that is free, else -1. Only images with use[i] are counted; an answer below 0 counts nowhere.
/// `answers`: outputs 0..outputs-1. Preconditions: equal lengths; stated has one output (or -1) a class.
std::vector<std::int64_t> most_answered(std::span<const std::int64_t> labels, std::span<const std::int64_t> answers,
                                        const std::vector<bool>& use, const std::vector<std::int64_t>& stated, std::int64_t outputs);

}  // namespace hedge::eval

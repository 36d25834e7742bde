#include "eval/answers.h"

#include <algorithm>
#include <cassert>
#include <map>
#include <tuple>
#include <utility>

#include "routing/binomial.h"

namespace hedge::eval {
namespace {

constexpr double kShown = 0.05;      // a model above chance is told at this level
constexpr double kOfUse = 0.25;      // so much above chance a model must be to be told by few images
constexpr double kExchanged = 0.01;  // family-wise, over the pairs that can be exchanged

/// P(X >= hits) for X ~ Binomial(n, p).
double upper_tail(std::int64_t hits, std::int64_t n, double p) { return hits <= 0 ? 1.0 : 1.0 - routing::binomial_cdf(hits - 1, n, p); }

/// Whether n images tell a model of accuracy chance + kOfUse from one at chance, with a power of 95 %.
bool enough_images(std::int64_t n, double chance) {
  const auto least = std::max<std::int64_t>(1, routing::fewest_hits(n, chance, kShown));
  return least <= n && upper_tail(least, n, std::min(1.0, chance + kOfUse)) >= 0.95;
}

/// Images by label and answer; only the pairs that occur.
using Confusion = std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t>;

Confusion count_confusion(std::span<const std::int64_t> labels, std::span<const std::int64_t> answers, const std::vector<bool>& use) {
  Confusion confusion;
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (use.empty() || use[i]) ++confusion[{labels[i], answers[i]}];
  return confusion;
}

std::int64_t at(const Confusion& confusion, std::int64_t label, std::int64_t answer) {
  const auto found = confusion.find({label, answer});
  return found == confusion.end() ? 0 : found->second;
}

/// The class of the largest logit of each image; -1 where that output is no class.
std::vector<std::int64_t> answers_of(const LabelledLogits& images) {
  std::vector<std::int64_t> class_of(static_cast<std::size_t>(images.outputs), -1), answers;
  for (std::size_t c = 0; c < images.output_of.size(); ++c)
    if (images.output_of[c] >= 0) class_of[static_cast<std::size_t>(images.output_of[c])] = static_cast<std::int64_t>(c);
  for (auto row = images.logits.begin(); row != images.logits.end(); row += images.outputs)
    answers.push_back(class_of[static_cast<std::size_t>(std::max_element(row, row + images.outputs) - row)]);
  return answers;
}

/// The answer that each class gets most; -1 where it has no image, or none that is a class.
std::vector<std::int64_t> most_frequent(const Confusion& confusion, std::size_t classes) {
  std::vector<std::int64_t> answer(classes, -1), images(classes, 0);
  for (const auto& [key, count] : confusion) {
    const auto label = static_cast<std::size_t>(key.first);
    if (count <= images[label]) continue;
    images[label] = count;
    answer[label] = key.second;
  }
  return answer;
}

/// How many images of `label` have a larger logit for `other` than for it, and how many have not.
std::pair<std::int64_t, std::int64_t> other_against_own(const LabelledLogits& images, std::int64_t label, std::int64_t other) {
  std::pair<std::int64_t, std::int64_t> counts{0, 0};
  const auto output = [&](std::int64_t c) { return static_cast<std::size_t>(images.output_of[static_cast<std::size_t>(c)]); };
  for (std::size_t i = 0; i < images.labels.size(); ++i) {
    if (images.labels[i] != label) continue;
    const auto row = images.logits.subspan(i * static_cast<std::size_t>(images.outputs), static_cast<std::size_t>(images.outputs));
    ++(row[output(other)] > row[output(label)] ? counts.first : counts.second);
  }
  return counts;
}

}  // namespace

double sign_test(std::int64_t better, std::int64_t worse) {
  assert(better >= 0 && worse >= 0);
  return upper_tail(better, better + worse, 0.5);
}

AnswerCheck check_answers(std::span<const std::int64_t> labels, std::span<const std::int64_t> answers, std::int64_t classes) {
  assert(!labels.empty() && labels.size() == answers.size());
  std::vector<double> of_label(static_cast<std::size_t>(classes)), of_answer(static_cast<std::size_t>(classes));
  std::int64_t right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    ++of_label[static_cast<std::size_t>(labels[i])];
    if (answers[i] >= 0 && answers[i] < classes) ++of_answer[static_cast<std::size_t>(answers[i])];
    right += answers[i] == labels[i] ? 1 : 0;
  }
  const auto n = static_cast<std::int64_t>(labels.size());
  AnswerCheck check{.images = n, .accuracy = wilson_interval(right, n)};
  for (std::size_t c = 0; c < of_label.size(); ++c)
    check.by_chance += of_label[c] / static_cast<double>(n) * of_answer[c] / static_cast<double>(n);
  check.by_chance = std::clamp(check.by_chance, 0.0, 1.0);
  check.p = upper_tail(right, n, check.by_chance);
  check.enough = enough_images(n, check.by_chance);
  const bool constant = std::all_of(answers.begin(), answers.end(), [&](std::int64_t a) { return a == answers[0]; });
  if (constant && n > 1) check.constant = answers[0];
  return check;
}

std::vector<ExchangedClasses> exchanged_classes(const LabelledLogits& images) {
  const auto confusion = count_confusion(images.labels, answers_of(images), {});
  const auto answer = most_frequent(confusion, images.output_of.size());
  const double pairs = static_cast<double>(images.output_of.size()) / 2;
  std::vector<ExchangedClasses> found;
  for (std::size_t c = 0; c < answer.size(); ++c) {
    const auto a = static_cast<std::int64_t>(c), b = answer[c];
    if (b <= a || answer[static_cast<std::size_t>(b)] != a) continue;
    if (images.output_of[c] < 0 || images.output_of[static_cast<std::size_t>(b)] < 0) continue;
    const auto [a_other, a_own] = other_against_own(images, a, b);
    const auto [b_other, b_own] = other_against_own(images, b, a);
    if (a_other <= a_own || b_other <= b_own) continue;
    const double p = std::min(1.0, pairs * sign_test(a_other + b_other, a_own + b_own));
    if (p > kExchanged) continue;
    found.push_back({.a = a,
                     .b = b,
                     .a_images = a_other + a_own,
                     .b_images = b_other + b_own,
                     .a_as_a = at(confusion, a, a),
                     .a_as_b = at(confusion, a, b),
                     .b_as_a = at(confusion, b, a),
                     .b_as_b = at(confusion, b, b),
                     .p = p});
  }
  return found;
}

std::vector<std::int64_t> most_answered(std::span<const std::int64_t> labels, std::span<const std::int64_t> answers,
                                        const std::vector<bool>& use, const std::vector<std::int64_t>& stated, std::int64_t outputs) {
  struct Pair {
    std::int64_t count, label, answer;
    bool stated;
  };
  std::vector<Pair> pairs;
  for (const auto& [key, count] : count_confusion(labels, answers, use))
    if (key.second >= 0 && key.second < outputs)
      pairs.push_back({count, key.first, key.second, stated[static_cast<std::size_t>(key.first)] == key.second});
  std::sort(pairs.begin(), pairs.end(), [](const Pair& x, const Pair& y) {
    return std::tuple(-x.count, !x.stated, x.label, x.answer) < std::tuple(-y.count, !y.stated, y.label, y.answer);
  });
  std::vector<std::int64_t> output_of(stated.size(), -1);
  std::vector<bool> taken(static_cast<std::size_t>(outputs), false);
  const auto take = [&](std::int64_t label, std::int64_t output) {
    if (output < 0 || output_of[static_cast<std::size_t>(label)] >= 0 || taken[static_cast<std::size_t>(output)]) return;
    output_of[static_cast<std::size_t>(label)] = output;
    taken[static_cast<std::size_t>(output)] = true;
  };
  for (const auto& pair : pairs) take(pair.label, pair.answer);
  for (std::size_t c = 0; c < stated.size(); ++c) take(static_cast<std::int64_t>(c), stated[c]);
  return output_of;
}

}  // namespace hedge::eval

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "routing/table_view.h"

namespace hedge::eval {

/// How often a model gives the answer that it gives most often.
struct MostAnswered {
  std::string name;        ///< the class's, or its number
  double share = 0;        ///< of its answers, 0..1
  double label_share = 0;  ///< of the labels that are this class

  /// It knows no other class, or hardly any: 95 % of its answers, of which labels are no more than three quarters.
  [[nodiscard]] bool constant() const { return share >= 0.95 && label_share <= 0.75; }
};

/// What a table's classes and answers look like as counts: what a verdict should not be silent about.
struct AnswerCounts {
  MostAnswered base;
  std::optional<MostAnswered> global;
  std::int64_t classes = 0;       ///< that have images
  std::int64_t tiny_classes = 0;  ///< of these, with fewer than kTinyClass images
  std::string smallest, largest;  ///< classes with the fewest and the most images, of those that have any
  std::int64_t smallest_images = 0, largest_images = 0;
};
inline constexpr std::int64_t kTinyClass = 10;

AnswerCounts count_answers(const routing::TableView& table);

/// Sentences about what makes the figures of a table worth less, each beginning with a space; empty where there is nothing.
/// `base_accuracy`: on the same images, 0..1.
std::string doubts_about(const AnswerCounts& counts, std::int64_t images, double base_accuracy);
/// A sentence where a model always gives one answer, with a space behind it; empty where none does.
std::string constant_models(const AnswerCounts& counts);

}  // namespace hedge::eval

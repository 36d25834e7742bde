#include "eval/answer_counts.h"

#include <algorithm>
#include <cstdio>

namespace hedge::eval {
namespace {

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", 100 * share);
  return text;
}

std::string name_of(const routing::TableView& table, std::size_t label) {
  const auto& names = table.info.class_names;
  return label < names.size() && !names[label].empty() ? names[label] : std::to_string(label);
}

MostAnswered most_answered(const routing::TableView& table, const TensorView& logits, const std::vector<std::int64_t>& labels) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(table.classes()), 0);
  for (const auto answer : routing::argmax_rows(logits)) ++counts[static_cast<std::size_t>(answer)];
  const auto most = static_cast<std::size_t>(std::max_element(counts.begin(), counts.end()) - counts.begin());
  const auto images = static_cast<double>(table.size());
  return {.name = name_of(table, most),
          .share = static_cast<double>(counts[most]) / images,
          .label_share = static_cast<double>(labels[most]) / images};
}

std::string constant_model(const char* model, const MostAnswered& most) {
  if (!most.constant()) return "";
  const std::string how = most.share >= 1 ? "always answers \"" + most.name + "\""
                                          : "answers \"" + most.name + "\" for " + percent(most.share) + " of the images";
  return std::string("The ") + model + " " + how + ", which is right for " + percent(most.label_share) +
         " of them: its weights, its preprocessing or the order of its classes are wrong, or it has learned nothing. ";
}

}  // namespace

AnswerCounts count_answers(const routing::TableView& table) {
  std::vector<std::int64_t> labels(static_cast<std::size_t>(table.classes()), 0);
  for (const auto label : table.labels.data<std::int64_t>()) ++labels[static_cast<std::size_t>(label)];
  AnswerCounts counts{.base = most_answered(table, table.base_logits, labels)};
  if (table.has_global()) counts.global = most_answered(table, table.global_logits, labels);
  for (std::size_t c = 0; c < labels.size(); ++c) {
    if (labels[c] == 0) continue;
    ++counts.classes;
    counts.tiny_classes += labels[c] < kTinyClass ? 1 : 0;
    if (counts.classes == 1 || labels[c] < counts.smallest_images) {
      counts.smallest = name_of(table, c);
      counts.smallest_images = labels[c];
    }
    if (labels[c] > counts.largest_images) {
      counts.largest = name_of(table, c);
      counts.largest_images = labels[c];
    }
  }
  return counts;
}

std::string doubts_about(const AnswerCounts& counts, std::int64_t images, double base_accuracy) {
  constexpr double kMajority = 0.5;
  std::string text;
  if (images <= 0 || counts.classes < 2) return text;
  const double largest = static_cast<double>(counts.largest_images) / static_cast<double>(images);
  if (largest >= kMajority && largest * static_cast<double>(counts.classes) >= 1.5) {
    text +=
        " The classes are out of balance: " + percent(largest) + " of the images are \"" + counts.largest + "\", so always answering that ";
    text += base_accuracy > largest
                ? "would be right that often; compare the balanced accuracies as well."
                : "would be right at least as often as the base (" + percent(base_accuracy) + "); look at the balanced accuracies instead.";
  }
  if (counts.tiny_classes == counts.classes)
    text += " Each of the " + std::to_string(counts.classes) + " classes has fewer than " + std::to_string(kTinyClass) +
            " images here: only figures over all classes mean something.";
  else if (counts.tiny_classes > 0)
    text += " " + std::to_string(counts.tiny_classes) + " of the " + std::to_string(counts.classes) + " classes have fewer than " +
            std::to_string(kTinyClass) + " images here (\"" + counts.smallest + "\": " + std::to_string(counts.smallest_images) +
            "): figures of those classes are chance.";
  return text;
}

std::string constant_models(const AnswerCounts& counts) {
  std::string text = constant_model("base", counts.base);
  if (counts.global) text += constant_model("global", *counts.global);
  return text;
}

}  // namespace hedge::eval

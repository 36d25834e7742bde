#include "eval/copies.h"

#include <cassert>
#include <cstdio>

namespace hedge::eval {
namespace {

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", 100 * share);
  return text;
}

}  // namespace

CopyReport judge_copies(const CopiedRows& copied, const routing::Outcomes& outcomes, const std::vector<std::uint8_t>& hybrid_right,
                        std::span<const std::int64_t> groups) {
  const auto rows = outcomes.size();
  assert(copied.in_train.size() == rows && copied.in_calibration.size() == rows);
  CopyReport report;
  std::vector<std::size_t> others;
  for (std::size_t i = 0; i < rows; ++i) {
    report.in_train += copied.in_train[i];
    report.in_calibration += copied.in_calibration[i];
    if (copied.in_train[i] == 0 && copied.in_calibration[i] == 0)
      others.push_back(i);
    else
      ++report.images;
  }
  const auto accuracy = [&](const std::vector<std::uint8_t>& right) -> std::optional<Interval> {
    if (right.empty() || others.empty()) return std::nullopt;
    std::vector<std::uint8_t> kept;
    std::vector<std::int64_t> kept_groups;
    for (const auto row : others) {
      kept.push_back(right[row]);
      if (!groups.empty()) kept_groups.push_back(groups[row]);
    }
    return share_interval(kept, kept_groups);
  };
  report.base = accuracy(outcomes.base_right);
  report.global = accuracy(outcomes.global_right);
  report.hybrid = accuracy(hybrid_right);
  return report;
}

std::string say_copies(const CopyReport& copies, std::int64_t images, double base_accuracy) {
  if (copies.images == 0) return "";
  std::string text = std::to_string(copies.images) + " of the " + std::to_string(images) +
                     " images are exact copies of images in other splits (" + std::to_string(copies.in_train) + " of train, " +
                     std::to_string(copies.in_calibration) + " of calibration)";
  if (!copies.base) return text + ": there is no other image to judge on.";
  text += "; without them the base's accuracy is " + percent(copies.base->value) + " instead of " + percent(base_accuracy);
  if (copies.global) text += ", the global's " + percent(copies.global->value);
  if (copies.hybrid) text += ", the hybrid's " + percent(copies.hybrid->value);
  return text + ".";
}

}  // namespace hedge::eval

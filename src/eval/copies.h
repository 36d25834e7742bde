#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "eval/statistics.h"
#include "hedge/router.h"

namespace hedge::eval {

/// Which rows of a table are exact copies of images in other splits of their data set.
struct CopiedRows {
  std::vector<std::uint8_t> in_train, in_calibration;  ///< [N], 0 or 1
};

/// Exact copies of judged images in other splits, and the accuracies without these images.
struct CopyReport {
  std::int64_t images = 0;                       ///< rows with a copy in either split
  std::int64_t in_train = 0;                     ///< with a copy in the train split
  std::int64_t in_calibration = 0;               ///< with a copy in the calibration split
  std::optional<Interval> base, global, hybrid;  ///< accuracy on the other rows (Wilson); nothing where there is none or it is not known
};

/// `hybrid_right`: whether the hybrid's answer is right, a row each; empty: not known. `groups`: of the rows, or empty.
CopyReport judge_copies(const CopiedRows& copied, const routing::Outcomes& outcomes, const std::vector<std::uint8_t>& hybrid_right,
                        std::span<const std::int64_t> groups);

/// One sentence, "" where there are none. `base_accuracy`: with the copies.
std::string say_copies(const CopyReport& copies, std::int64_t images, double base_accuracy);

}  // namespace hedge::eval

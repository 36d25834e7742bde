#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "data/corrupt.h"
#include "eval/operate.h"
#include "hedge/workflow.h"

namespace hedge::workflow {

/// Whether a promise stands on images that it was not made for.
enum class Standing {
  kKept,    ///< the measured value meets the target
  kMissed,  ///< it does not, but its interval reaches the target: so few images may show that of a promise that holds
  kBroken,  ///< the whole interval misses the target
};
/// "kept", "missed", "broken"
const char* to_string(Standing standing);

struct ShiftOptions {
  std::string data = {};  ///< a data set without a split: its test split judges, its calibration split recalibrates
  PairOptions pair = {};
  /// Folders of `fit`, calibrated on images as they are; `table` is not used.
  std::vector<MethodSource> methods = {};
  std::vector<data::Corruption> corruptions = {};  ///< empty: each kind at each strength
  /// So many images of the calibration split, corrupted as the field is, give each policy's target a threshold anew; 0: none.
  std::size_t recalibrate = 500;

  /// Errors: kInvalidArgument.
  [[nodiscard]] Status validate() const;
};

/// A method on images with one corruption.
struct ShiftedMethod {
  std::string name;                  ///< "NAME", or "NAME_fused" where its policy fuses answers
  eval::OperatingReport unchanged;   ///< at the policy's own threshold
  std::optional<Standing> standing;  ///< of its promise; nothing: the policy promises nothing
  /// The accuracy of the method's order of these images where as large a share of them stays on the device as of the calibration images:
  /// what the shift costs besides moving the coverage.
  double at_same_coverage = 0;
  double margin_at_same_coverage = 0;                 ///< the same of the free score margin, with the same answers to queries
  std::optional<eval::OperatingReport> recalibrated;  ///< nothing: not asked for, or `not_recalibrated` says why
  std::optional<Standing> recalibrated_standing;
  std::string not_recalibrated;
};

/// All methods on images with one corruption.
struct ShiftRow {
  std::optional<data::Corruption> corruption;  ///< nothing: the images as they are
  eval::Interval base, global;                 ///< accuracies
  std::vector<ShiftedMethod> methods;
};

struct ShiftReport {
  std::string data;
  std::size_t images = 0;                 ///< of the test split
  std::size_t recalibration = 0;          ///< images asked for
  std::vector<routing::Policy> policies;  ///< of the methods, in their order
  std::vector<ShiftRow> rows;             ///< the images as they are first
};

/// Judges policies on corrupted images of the test split: how coverage and accuracy move, whether promises stand, and what recalibrating
/// on a few images of the new kind brings. Nothing is fitted anew. Models that fail on corrupted images raise no alarm here.
/// Errors: kInvalidArgument; those of predict and evaluate; kUnsupported (no global).
Result<ShiftReport> measure_shift(const ShiftOptions& options, const RunContext& context = {});

/// docs/formats/shift_json.md
Json to_json(const ShiftReport& report);

}  // namespace hedge::workflow

#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "eval/answers.h"
#include "eval/statistics.h"
#include "hedge/model.h"
#include "hedge/preprocess.h"
#include "hedge/result.h"
#include "hedge/workflow.h"

namespace hedge::workflow {

/// How much a finding weighs. The values appear in files as text.
enum class Weight {
  kNote,     ///< worth knowing
  kWarning,  ///< probably costs accuracy, or makes the figures less sure
  kAlarm,    ///< wrong, as far as these images can show it: going on needs --accept-risk
};
/// "note", "warning", "alarm"
const char* to_string(Weight weight);

/// One thing that was found.
struct Finding {
  Weight weight = Weight::kNote;
  std::string kind;     ///< stable, lower case with dashes: "better-convention", "at-chance", … (docs/formats/check_json.md)
  std::string text;     ///< a sentence with the figures
  std::string way_out;  ///< what to do; may be empty
  std::vector<std::string> examples = {};  ///< all that `text` names the first of, at most 100: pairs of copies, the likest first
};

/// How a convention does beside the stated one.
enum class Compared {
  kStated,          ///< it is the stated one
  kNotBetter,       ///< not told apart from the stated one, or worse
  kProbablyBetter,  ///< better at 5 %, taken alone
  kClearlyBetter,   ///< better by 3 points or more, at 1 % after the correction for the number of conventions tried
  kNoDifference,    ///< it changes no pixel of these images
  kImpossible,      ///< the model cannot be run so
};
/// "stated", "not-better", "probably-better", "clearly-better", "no-difference", "impossible"
const char* to_string(Compared compared);

/// A convention that was tried.
struct TriedConvention {
  std::string key;   ///< "mean=0.5,std=0.5", "order=bgr", "shift=+1", …
  std::string name;  ///< for people
  Compared compared = Compared::kNotBetter;
  std::int64_t images = 0;  ///< fewer than the stated one's where it was clearly behind early
  eval::Interval accuracy;  ///< Wilson
  std::int64_t better = 0;  ///< images that it has right and the stated one wrong
  std::int64_t worse = 0;   ///< the reverse
  double p = 1;             ///< exact sign test, one-sided, times the number of conventions tried
};

/// What a check says of one model.
struct CheckedModel {
  std::filesystem::path path;
  std::string sha256;
  std::string recipe;  ///< the stated one, in short (docs/formats/preprocess.md)
  eval::AnswerCheck as_stated;
  double confidence = 0;                                  ///< mean of the largest probability, as stated
  std::vector<TriedConvention> tried;                     ///< the stated one first
  std::vector<Finding> findings;                          ///< alarms first
  std::optional<data::Preprocess> better_recipe;          ///< of the convention that is clearly better
  model::Layout better_layout = model::Layout::kUnknown;  ///< likewise; kUnknown: the stated one
  std::vector<std::string> better_labels;                 ///< the outputs' names that are; empty: the stated ones
  std::string fixed;                                      ///< what was written into the sidecar; empty: nothing
  double seconds = 0;
};

/// What `check` looks at.
struct CheckOptions {
  std::vector<ModelOptions> models = {};
  std::string data = {};     ///< labelled images; best ones that the models were not trained on
  std::size_t images = 300;  ///< at most so many, balanced over the classes; >= 1; more find smaller differences and take longer
  bool alternatives = true;  ///< also try other conventions
  bool data_too = true;      ///< also look at the data set itself: classes, files left out, copies across its splits
  bool fix = false;          ///< write what is clearly better into the sidecar MODEL.hedge.json
  int threads = 0;           ///< >= 0; 0: a thread a core
  bool strict = false;       ///< a file that is no image is an error
};

/// What was found of models and data.
struct CheckReport {
  std::string data;  ///< canonical specification
  std::int64_t images = 0, classes = 0;
  std::vector<CheckedModel> models;
  std::vector<Finding> data_findings;

  /// Everything that weighs kAlarm and was not mended by `fix`, a sentence each.
  [[nodiscard]] std::vector<std::string> alarms() const;
};

/// Runs each model on labelled images as its card says, and under the other conventions in use: mean and std, order of channels, layout,
/// resizing, order of classes. Compares each with the stated one on the same images (exact sign test, corrected for their number), so that
/// "clearly better" is no chance. Alarms are in the report; none of them is an error.
/// Errors: kInvalidArgument (no model, no image wanted); those of opening models and data sets; kNotFound (a recipe); kBadData (no image
/// can be decoded); kCancelled; kIo (a sidecar).
Result<CheckReport> check(const CheckOptions& options, const RunContext& context = {});

/// The error that alarms are where no risk is accepted: kAlarm, with the first and the number of the others. Success without any.
Status alarm_status(const std::vector<std::string>& alarms, const std::string& where);

/// docs/formats/check_json.md.
Json to_json(const CheckReport& report);

}  // namespace hedge::workflow

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hedge/api.h"
#include "hedge/fusion.h"
#include "hedge/predictions.h"
#include "hedge/promise.h"
#include "hedge/result.h"
#include "hedge/threshold.h"

namespace hedge::routing {

/// One of the routers that an automatic choice compared.
struct RouterCandidate {
  std::string name;
  std::int64_t macs = 0;
  Estimate gap_closed_percent;  ///< on held-out predictions: of the area between entropy and the upper bound
};

/// What was chosen among several routers, and why.
struct RouterChoice {
  std::string chosen;
  std::string why;  ///< one sentence
  std::vector<RouterCandidate> candidates;
};

/// Another global that may answer a device's queries: a new version, judged with the same base, router and threshold.
struct AcceptedGlobal {
  std::string sha256;   ///< its weights' identity
  std::string dataset;  ///< what it was judged on: the table's specification and content hash
  std::string content_hash;
  std::int64_t images = 0;
  double coverage = 0;         ///< at the policy's threshold, of those images
  double accuracy = 0;         ///< the hybrid's with it
  double global_accuracy = 0;  ///< its own
};

/// What a device needs to decide, and where it comes from (docs/formats/policy.md).
struct HEDGE_API Policy {
  std::string router;         ///< "gain", "linear", "selective_query", "entropy", "margin", "max_probability", "energy"
  std::string router_sha256;  ///< of the router's ONNX file
  std::string base_sha256;
  std::string global_sha256;
  std::string executor;           ///< runner and precision of the calibration's predictions
  std::string protocol;           ///< how the router's data were made: "training-set predictions, evaluation mode"
  std::string features = "auto";  ///< the base's tensor that the router reads: its name, or "auto": the runner finds it; "": none
  double temperature = 1;         ///< of the logits that a free score is computed from; it stands in the router's graph
  std::string fit_hash;           ///< content hash of the split the router was fitted on; empty for a free score
  std::string fit_dataset;        ///< that split's specification; empty for a free score, and in files older than this field
  std::string held_out_hash;      ///< of the split that the router, a temperature or a fusion was chosen on besides; empty: none
  std::string held_out_dataset;   ///< its specification
  std::string calibration_dataset;
  std::string calibration_hash;
  std::int64_t calibration_size = 0;
  OperatingPoint chosen;
  std::vector<OperatingPoint> table;     ///< the other coverages, so that an operator can move along it
  std::optional<PromisedPoint> promise;  ///< what `chosen` promises; its point is `chosen`
  std::optional<Fusion> fusion;          ///< how a query's answer is made; nothing: it is the global's. Accuracies above refer to it
  std::optional<RouterChoice> choice;    ///< nothing where the router was named
  std::optional<JudgedClasses> classes;  ///< which outputs the classes are; nothing: it does not say, as those older than this
  std::vector<AcceptedGlobal> accepted_globals;  ///< besides global_sha256
  std::vector<std::string> accepted_risks = {};  ///< alarms of `hedge check` and its kin that the user accepted, a sentence each
  /// Groups of images that depend on each other (a track, a patient) in the calibration split; 0: its images are independent. Intervals and
  /// promises then rest on so many, not on calibration_size.
  std::int64_t calibration_groups = 0;

  [[nodiscard]] std::string to_json() const;
  /// Thresholds survive bit for bit. Errors: kBadFormat, kUnsupported (a newer schema).
  static Result<Policy> from_json(std::string_view text, std::string_view where);
};

/// Sets `chosen` and `promise` so that the policy keeps `promise`. Errors: those of threshold_for_promise.
HEDGE_API Status keep_promise(Policy& policy, std::span<const float> scores, const Outcomes& outcomes, const Promise& promise,
                              const PromiseOptions& options = {});

}  // namespace hedge::routing

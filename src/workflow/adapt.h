#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/json.h"
#include "eval/baselines.h"
#include "eval/statistics.h"
#include "hedge/result.h"
#include "hedge/workflow.h"
#include "workflow/adapt_rounds.h"

namespace hedge::workflow {

struct AdaptOptions {
  std::string data;                            ///< a data set; without a split its train split, of which a part is held out
  std::string judge;                           ///< images that nothing is chosen by; empty: the same data set's test split
  std::filesystem::path base, global, router;  ///< trained networks and the router's graph for the first round (.onnx)
  std::filesystem::path out;                   ///< a folder: adapt.json, a folder of networks and tables for each arm, and the rounds
  double held_share = 0.1;                     ///< in (0, 0.5]: of the training images; stops early
  int seeds = 3;                               ///< >= 1; routers fitted to judge each arm
  int resamples = 1000;                        ///< >= 100; of the bootstrap
  train::TrainOptions training{.epochs = 1, .learning_rate = 5e-4};  ///< of both networks in each round
  double global_rate = 0;                                            ///< the global's peak learning rate; 0: the training's
  RoundOptions rounds;  ///< base, global and the folders are set from the above, as are the router's coverage and threads
};

/// A line a hybrid that was judged, beside the control and what there was before; differences are paired.
struct AdaptedRow {
  std::string name;
  double base_accuracy = 0, global_accuracy = 0;
  std::size_t router_seeds = 0;
  eval::Interval area, to_control, to_before;
  /// The same without a router: by the free score that has the hybrid's largest area on the held-out images, against the control by its
  /// own.
  std::string free_score;
  eval::AreaComparison free;  ///< at kFreeCoverages
};
inline constexpr std::array kFreeCoverages = {0.5, 0.6, 0.7, 0.8, 0.9, 0.95};

struct ArmSummary {
  std::string name;
  std::int64_t best_round = 0;
  std::vector<double> areas;  ///< on the held-out images, a round
  double mean_share = 0;
};

/// What adapting brought (docs/formats/adapt_json.md).
struct AdaptReport {
  std::string trained_on, judged_on;  ///< specifications
  std::size_t held_out = 0;           ///< images
  std::size_t images = 0;             ///< judged on
  train::AdaptMethod method = train::AdaptMethod::kReweight;
  double strength = 0;
  train::RouterShare share = train::RouterShare::kSoft;
  train::RouterKind router = train::RouterKind::kGain;
  double coverage = 0;
  std::int64_t epochs_a_round = 0;
  double teacher_weight = 0;
  int resamples = 0;
  std::vector<ArmSummary> arms;
  std::vector<AdaptedRow> hybrids;
};
Json to_json(const AdaptReport& report);

/// Trains base and global for each other (adapt_rounds), then judges every hybrid - before, each arm, end to end also with routers fitted
/// anew - on images that nothing was chosen by. Errors: kInvalidArgument (options); kMismatch (the images to judge by were used for
/// training); those of the data sets, models and adapt_rounds; kCancelled; kIo.
Result<AdaptReport> adapt(const AdaptOptions& options, const RunContext& context = {});

}  // namespace hedge::workflow

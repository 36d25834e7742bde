#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "hedge/dataset.h"
#include "hedge/preprocess.h"
#include "hedge/result.h"
#include "hedge/workflow.h"
#include "train/adapt_method.h"
#include "train/adapt_weights.h"
#include "train/router_fit.h"
#include "train/trainer.h"

namespace hedge::workflow {

/// A hybrid's three networks.
struct Hybrid {
  graph::Graph base, global, router;
};

/// How a hybrid is adapted.
struct RoundOptions {
  train::AdaptMethod method = train::AdaptMethod::kReweight;  ///< all others leave the global as it is
  std::optional<double> strength;                             ///< of the method's own term, 0..1; nothing: what default_strength says
  train::RouterShare share = train::RouterShare::kSoft;       ///< r, where the method needs it
  double coverage = 0.8;              ///< t of soft and hard r leaves this share of the training images on the device; end to end: c
  double penalty = 1.0;               ///< end to end: of (c - mean(1 - r))_+
  std::int64_t rounds = 3;            ///< of training, then fitting the router anew, >= 1
  std::int64_t patience = 2;          ///< rounds without a better area after which both arms stop, >= 1
  train::TrainOptions base, global;   ///< epochs: of a round; one schedule goes over all rounds. checkpoint and csv are set for each round
  double teacher_weight = 0;          ///< of distilling the global into the base, in both arms, 0..1; 0: none
  double temperature = 4;             ///< of that
  train::RouterFitOptions router;     ///< of each round's router
  std::filesystem::path folder;       ///< ARM/round-K/… is written here, and gone on from where it stands
  std::filesystem::path predictions;  ///< each network's are kept here, so that a global that stays predicts once; empty: nowhere

  [[nodiscard]] bool end_to_end() const { return method == train::AdaptMethod::kEndToEnd; }
  [[nodiscard]] double own_strength() const { return strength.value_or(train::default_strength(method)); }
  /// Errors: kInvalidArgument, naming the field.
  [[nodiscard]] Status validate() const;
};

/// What one arm reached. Its networks are those of `best_round`.
struct ArmResult {
  std::string name;  ///< "adapted" where the networks were weighted, else the method's name; and "control"
  Hybrid hybrid;
  std::int64_t best_round = 0;  ///< 1 …
  std::vector<double> areas;    ///< on the held-out images, a round
  double mean_share = 0;        ///< mean r of the last round; 0 for the control, and where the method needs no r
};

/// The images and how each model's are prepared; borrowed.
struct RoundData {
  const data::Dataset* fit = nullptr;   ///< trained on
  const data::Dataset* held = nullptr;  ///< stops early; disjoint from `fit`, and from every calibration and test split
  data::Preprocess base_recipe, global_recipe;
};

/// Trains two arms round by round, from the same networks, with the same seeds, order of images, schedule and number of rounds: the one
/// by the method, the other, the control, by its cross entropy alone (a network that the method leaves as it is stays in both; end to end:
/// the control's base learns alone). After each round the router is fitted anew (end to end: it is what was trained; where there is nothing
/// to learn any more, it is kept, with a warning) and the hybrid's area on the held-out images measured; each arm keeps the round of its
/// best area. Optimiser state begins anew each round, in both arms alike. Source: the paper's L_base = sum (2 - r) l(b, y), L_global = sum
/// (1 + r) l(g, y), alternating; weights are per sample, [N] times [N]. Resumable: rounds that stand in the folder are not trained again,
/// the one that was cut goes on from its checkpoints. Errors: kInvalidArgument, kMismatch (a folder of another run), kCancelled, and those
/// of trainings, fits and predictions.
Result<std::vector<ArmResult>> adapt_rounds(const Hybrid& start, const RoundData& data, const RoundOptions& options,
                                            const RunContext& context = {});

}  // namespace hedge::workflow

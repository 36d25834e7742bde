#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "codegen/kernels.h"
#include "core/json.h"
#include "hedge/result.h"
#include "hedge/workflow.h"
#include "plan/profiles.h"
#include "search/pair.h"
#include "search/tournament.h"
#include "train/recipe.h"
#include "train/trainer.h"

namespace hedge::workflow {

/// What a pair may cost on average, an image. One of the four.
struct MeanCost {
  enum class Kind {
    kCoverage,  ///< `value`: the least coverage, 0..1
    kMacs,      ///< of both, on one device
    kLatency,   ///< ms, in `setting`
    kEnergy,    ///< mJ, in `setting`
  };
  Kind kind = Kind::kCoverage;
  double value = 0.8;
  plan::Setting setting = {};  ///< kLatency, kEnergy: a query carries the global's image, a byte a value
};

struct SearchOptions {
  std::string data;                                       ///< a data set; without a split its train split
  std::filesystem::path out;                              ///< a folder: trials/, search.json, search.html, base.onnx, global.onnx
  std::vector<search::Space> base_spaces, global_spaces;  ///< no global spaces: bases alone, the most accurate one
  search::Limits base_limits, global_limits;
  /// How much is tried; spaces, limits and all_costs are set from the rest.
  search::TournamentOptions base, global;
  MeanCost mean_cost = {};                              ///< of a pair
  double held_share = 0.1;                              ///< in (0, 0.5]: of the images, not trained on; all choices are made on them
  codegen::Target target = codegen::Target::kCortexM7;  ///< of RAM, flash and instructions
  std::filesystem::path latency_table;                  ///< of limited latencies (LatencyTable, one thread); empty: OUT/latency.json
  train::TrainOptions training;                         ///< epochs, seed and checkpoint are set by the search
  train::Recipe recipe = train::Recipe::kAuto;
  std::function<void(train::TrainOptions&)> insist = {};  ///< as in workflow::TrainOptions

  /// Errors: kInvalidArgument, naming the field.
  [[nodiscard]] Status validate() const;
};

/// A training of a search: of a base or of a global.
struct SearchTrial {
  bool global = false;
  search::Trial trial;

  /// "base mobile:8,expand=4@28 2 epochs seed 1".
  [[nodiscard]] std::string to_string() const;
};

/// A network at the end of a search.
struct FoundModel {
  search::Entrant entrant;
  std::filesystem::path path;  ///< its longest training's model
};

/// What a search in a supernet says of its predictor.
struct PredictorFacts {
  std::int64_t judged = 0;          ///< networks that it learned from
  double kendall_tau = 0;           ///< of its leave-one-out predictions with their accuracies
  std::int64_t considered = 0;      ///< networks within the limits that it was asked about
  double kendall_tau_proposed = 0;  ///< of what it said of the proposed ones, which lie close together
};

struct SearchReport {
  std::vector<search::Entrant> bases, globals;
  FoundModel base;                         ///< the chosen one
  std::optional<FoundModel> global;        ///< where there are global spaces
  std::optional<search::PairChoice> pair;  ///< `front` and pairs refer to the finalists, in the order of base_names, global_names
  std::vector<std::string> base_names, global_names;
  std::optional<PredictorFacts> predictor;    ///< of a search in a supernet; its networks have epochs 0
  std::optional<search::Judged> base_judged;  ///< there: the base on the half of the held-out images that it was not chosen by
};

/// The trainings that the search waits for now; empty: the rest needs none. Trains nothing.
/// Errors: those of search::advance; kMismatch (the folder is another search's).
Result<std::vector<SearchTrial>> pending_trials(const SearchOptions& options, const RunContext& context = {});

/// Does one of them, unless its result is there: safe to repeat, and to do in another process or on another host that shares the folder.
/// Errors: those of pending_trials and train; kNotFound: no such training (the names there are).
Status run_trial(const SearchOptions& options, const std::string& trial, const RunContext& context = {});

/// Searches to the end: trains what is pending, one after the other, chooses, and writes search.json, search.html and the models found.
/// A stopped search goes on where it was. Errors: those of the above; kUnreachable.
Result<SearchReport> search_networks(const SearchOptions& options, const RunContext& context = {});

/// docs/formats/search_json.md.
Json to_json(const SearchReport& report);
/// A page with both fronts and the pair's.
std::string to_html(const SearchReport& report);

}  // namespace hedge::workflow

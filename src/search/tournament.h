#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "hedge/result.h"
#include "search/costs.h"
#include "search/fitting.h"
#include "search/space.h"

namespace hedge::search {

/// How much is tried. An evolution of short trainings finds candidates; then the better third of them is trained three times as long, and
/// so on up to the full length (successive halving, Jamieson and Talwalkar 2016, with 3 instead of 2).
struct TournamentOptions {
  std::vector<Space> spaces;  ///< at least one
  Limits limits;
  std::int64_t population = 12;   ///< >= 2; networks of the first generation
  std::int64_t generations = 2;   ///< >= 0; further ones, of half as many children each
  std::int64_t first_epochs = 2;  ///< >= 1; of the short trainings
  std::int64_t epochs = 18;       ///< >= first_epochs; of the full ones
  std::int64_t finalists = 2;     ///< >= 1; that are trained in full length
  std::int64_t seeds = 1;         ///< >= 1; full trainings of each finalist
  double mutation = 0.2;          ///< 0..1; probability that a gene changes
  /// Go on with networks of all costs, those of the Pareto fronts, instead of the most accurate: for choosing pairs.
  bool all_costs = false;
  std::uint64_t seed = 1;

  /// Errors: kInvalidArgument, naming the field.
  [[nodiscard]] Status validate() const;
};

/// One training.
struct Trial {
  Candidate candidate;
  std::int64_t epochs = 0;
  std::uint64_t seed = 1;

  /// "mobile:8,expand=4@28 2 epochs seed 1".
  [[nodiscard]] std::string to_string() const;
};

/// A network that was trained.
struct Entrant {
  Trial trial;  ///< its longest
  Costs costs;
  double accuracy = 0;  ///< of that length, the mean over seeds where there are several; 0..1
};

/// How far a tournament is.
struct Standing {
  std::string stage;             ///< for people: "generation 2 of 3", "9 of 27 epochs", …
  std::vector<Trial> pending;    ///< to be trained before it goes on, in any order; empty: it is over
  std::vector<Entrant> entered;  ///< all that were trained, those that came furthest first, then the most accurate
  [[nodiscard]] bool over() const { return pending.empty(); }
};

/// A training's accuracy, 0..1, where it is known.
using AccuracyOf = std::function<std::optional<double>(const Trial&)>;

/// Where the tournament stands, given what is known. It keeps no state: everything follows from options, costs and accuracies, so that a
/// stopped search goes on, and trainings may run anywhere in any order.
/// Errors: those of validate() and `cost_of`; kUnreachable (no network of the spaces keeps the limits; with the nearest).
Result<Standing> advance(const TournamentOptions& options, const CostOf& cost_of, const AccuracyOf& accuracy_of);

}  // namespace hedge::search

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "hedge/result.h"
#include "search/costs.h"
#include "search/fitting.h"
#include "search/space.h"

namespace hedge::search {

/// How networks are sought by what is said of them, without judging each.
struct EvolutionOptions {
  Space space;
  Limits limits;
  std::int64_t population = 100;  ///< >= 4
  std::int64_t generations = 30;  ///< >= 0
  double mutation = 0.1;          ///< 0..1; probability that a gene changes
  std::uint64_t seed = 1;

  /// Errors: kInvalidArgument, naming the field.
  [[nodiscard]] Status validate() const;
};

/// A network that was looked at.
struct Proposal : Fitted {
  double score = 0;
};

/// `count` different networks within the limits, drawn at random. Those that break one are made cheaper gene by gene; fewer come back where
/// the space has no more. Errors: those of `cost_of`; kUnreachable, with the nearest.
Result<std::vector<Proposal>> draw_networks(const EvolutionOptions& options, std::size_t count, const CostOf& cost_of);

/// The networks with the highest score within the limits, best first: of a population the best quarter has children, half of them changed,
/// half crossed (the evolution of Cai et al. 2020). Errors: those of validate() and draw_networks.
Result<std::vector<Proposal>> evolve(const EvolutionOptions& options, const CostOf& cost_of,
                                     const std::function<double(const Genotype&)>& score_of);

}  // namespace hedge::search

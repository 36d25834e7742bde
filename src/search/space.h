#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/rng.h"
#include "hedge/result.h"

namespace hedge::search {

/// One thing that is free in a family of networks, and what it may be, cheapest first.
struct Gene {
  std::string name;
  std::vector<std::string> values;
};

/// An index into the values of each gene of a space.
using Genotype = std::vector<std::uint8_t>;

/// A network that could be trained.
struct Candidate {
  std::string net;        ///< specification of graph::build_zoo
  std::int64_t size = 0;  ///< its images are size x size pixels; 0: as the data set's are

  auto operator<=>(const Candidate&) const = default;
  /// "mobile:8,expand=4@28"; without a size the network alone.
  [[nodiscard]] std::string to_string() const;
};

/// A family of networks with genes. Immutable.
class Space {
 public:
  /// "FAMILY[:GENE=VALUE|VALUE…[,GENE=…]]": a family (mobile, pooled, resnet, mobilenetv2, mobilenetv3-small, mobilenetv3-large, ofa-mbv3)
  /// with its usual values, those of the named genes replaced. Every family has the gene `size`, images' side in pixels ("data": as the
  /// data set's are, its usual value). Errors: kInvalidArgument, naming the families or the family's genes.
  static Result<Space> parse(const std::string& text);

  [[nodiscard]] const std::string& family() const { return family_; }
  [[nodiscard]] const std::vector<Gene>& genes() const { return genes_; }
  /// How many networks there are, as a double because some spaces have more than 2^64.
  [[nodiscard]] double count() const;

  /// A network is described by its genes alone: what nothing looks at (blocks beyond a stage's depth in ofa-mbv3) is its first value.
  [[nodiscard]] Genotype canonical(Genotype genotype) const;
  /// Of a canonical genotype a number, 0..1, for each gene that is free, larger for what costs more; two where a block may be left out.
  [[nodiscard]] std::vector<double> describe(const Genotype& genotype) const;

  /// Precondition: a genotype of this space.
  [[nodiscard]] Candidate candidate(const Genotype& genotype) const;
  [[nodiscard]] Genotype smallest() const { return Genotype(genes_.size(), 0); }
  [[nodiscard]] Genotype random(Rng& rng) const;
  /// Draws each gene anew with probability `rate`, and at least one of those that have a choice.
  [[nodiscard]] Genotype mutate(Genotype genotype, double rate, Rng& rng) const;
  /// Each gene from one of the two; canonical, as are random and mutate.
  [[nodiscard]] Genotype cross(const Genotype& a, const Genotype& b, Rng& rng) const;

 private:
  Space() = default;
  [[nodiscard]] bool unused(const Genotype& genotype, std::size_t gene) const;

  std::string family_, pattern_;
  std::vector<Gene> genes_;
};

}  // namespace hedge::search

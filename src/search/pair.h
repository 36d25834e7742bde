#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "hedge/result.h"
#include "hedge/tensor.h"

namespace hedge::search {

/// A trained network, and what it says of held-out images that all models of a search share.
struct Model {
  std::string name;
  double cost = 0;  ///< > 0: of a base for every image, of a global for a query; in one unit (MACs, ms, mJ)
  Tensor logits;    ///< f32 [N, C]
};

/// A base and a global, with as many queries as a mean cost allows. The base's margin decides who queries.
struct Pair {
  std::size_t base = 0, global = 0;  ///< indices
  double coverage = 0;               ///< 0..1
  double cost = 0;                   ///< of an image, the mean
  double accuracy = 0;               ///< on the images that pairs are chosen by
};

/// Accuracy on other images, with its 95 % interval (bootstrap over images).
struct Judged {
  double value = 0, low = 0, high = 0;
};

/// `value` with the 2.5 and 97.5 % points of its bootstrap samples. Precondition: there are samples.
Judged interval_of(double value, std::vector<double> samples);

/// A choice of pair, held against the obvious one.
struct PairChoice {
  Pair chosen;    ///< the most accurate hybrid
  Pair separate;  ///< the most accurate base that the mean cost allows, and the most accurate global
  Judged chosen_judged, separate_judged;
  Judged difference;        ///< chosen - separate, paired
  std::vector<Pair> front;  ///< of each mean cost the best pair, cheapest first; those that another pair beats at less cost are left out
};

/// Images without a common one, as indices.
struct PairImages {
  std::span<const std::uint32_t> choose, judge;
};

/// The pair of one of `bases` and one of `globals` whose hybrid is right most often at a mean cost of at most `most`. A global is worth
/// what it knows that the base does not, so the correctness of both on each image decides, not their separate accuracies. `labels`: the
/// right class of each image. Errors: kInvalidArgument (no models, no images, a cost); kMismatch (logits of other shapes); kUnreachable (no
/// base is cheap enough, with the cheapest).
Result<PairChoice> choose_pair(std::span<const Model> bases, std::span<const Model> globals, std::span<const std::int64_t> labels,
                               const PairImages& images, double most);

}  // namespace hedge::search

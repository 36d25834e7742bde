#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/rng.h"
#include "graph/graph.h"

/// Networks that share weights. A *supernet* is the largest network of the OFA-MobileNetV3 space (Cai et al. 2020, "Once-for-All"); each
/// smaller one, a *sub-network*, takes the leading channels of its weights, and the centre of its larger kernels times a matrix.
namespace hedge::graph {

/// One network of the space: five stages of up to four inverted residuals.
struct OfaNetwork {
  double width = 1.0;         ///< 0.1..4, scales all channels
  std::string kernel = "7";   ///< 3, 5 or 7: one digit for all blocks, or 20 (four a stage, those beyond the depth are not looked at)
  std::string expand = "6";   ///< 3, 4 or 6; likewise
  std::string depth = "4";    ///< 2, 3 or 4: one digit, or 5, a digit a stage
  std::int64_t halvings = 0;  ///< 1..5, how often the image is halved; 0: by its size

  /// For build_zoo.
  [[nodiscard]] std::string spec() const;
};

/// "ofa-mbv3[:width=1.0][,kernel=7][,expand=6][,depth=4][,halvings=5]"; what is left out is as in `otherwise`. Errors: kInvalidArgument.
Result<OfaNetwork> parse_ofa(const std::string& spec, OfaNetwork otherwise = {});

/// A width as specifications spell it.
std::string width_text(double width);

/// What the sub-networks of one supernet may be: one of these in each block and stage.
struct OfaChoices {
  std::vector<double> widths = {1.0};
  std::string kernels = "357", expands = "346", depths = "234";
  std::int64_t halvings = 0;

  [[nodiscard]] OfaNetwork largest() const;
  [[nodiscard]] OfaNetwork smallest() const;
  [[nodiscard]] OfaNetwork random(Rng& rng) const;
  /// Errors: kInvalidArgument, naming the field.
  [[nodiscard]] Status validate() const;
};

/// The matrix that makes a depthwise kernel of `side` out of the centre of the next larger one: [side^2, side^2], named after the weight.
std::string kernel_matrix_name(const std::string& weight, std::int64_t side);
inline constexpr std::int64_t kOfaKernels[] = {7, 5, 3};

/// The choices of a supernet: the largest network's digits and the space's smaller ones, its width and the smaller `widths`.
/// Errors: kInvalidArgument (a digit for each block, a width above the largest network's).
Result<OfaChoices> choices_below(const OfaNetwork& largest, const std::vector<double>& widths = {});

/// Makes the largest network of `choices` a supernet: adds the kernel matrices, as the identity, and metadata (kSupernetKey,
/// kSupernetWidthsKey). Precondition: built by build_zoo from choices.largest().
void make_supernet(Graph& graph, const OfaChoices& choices);

/// What networks this supernet has. Errors: kInvalidArgument: it is none, or its metadata is damaged.
Result<OfaChoices> supernet_of(const Graph& graph);

/// Orders the hidden channels of every block by importance, the L1 norm of what the projection makes of them, most important first, so
/// that smaller expansions keep what matters. The network computes the same.
void sort_channels(Graph& supernet);

}  // namespace hedge::graph

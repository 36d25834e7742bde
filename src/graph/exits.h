#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace hedge::graph {

/// A tensor that alone carries everything that follows: the network can be cut there and the rest computed elsewhere.
struct CutPoint {
  std::string tensor;
  Shape shape;                     ///< [-1, C, H, W]
  std::int64_t elements = 0;       ///< of one image: C * H * W
  std::int64_t head_macs = 0;      ///< of one image up to there, the tensor included
  std::int64_t pixels_behind = 0;  ///< H * W of the next cut, or of the last convolution
};

/// The feasible cuts of a network for images, along the data's way, up to the last 4-D tensor with pixels (H * W > 1) and
/// multiplications before and behind it. Of several without a multiplication between them, only the smallest tensor (the last of equals).
/// Cuts are found along the order of the nodes: one that only another order would show is not listed.
/// Errors: those of macs_by_node; kUnsupported: none (e.g. a network of one layer).
Result<std::vector<CutPoint>> cut_points(const Graph& graph);

/// Those of `points` that end a stage: the last before the images shrink. The last stage has none, as its end is the network's own.
std::vector<CutPoint> stage_ends(const std::vector<CutPoint>& points);

/// How exit heads look.
struct ExitOptions {
  std::int64_t width = 0;  ///< channels of a 3x3 convolution (stride 2, batch normalisation, ReLU) before the mean; 0: none
  std::uint64_t seed = 1;  ///< of the heads' weights
};

/// Names of what add_exits makes.
inline constexpr const char* kExitPrefix = "exit";       ///< outputs "exit1", "exit2" …; their nodes and weights begin so too
inline constexpr const char* kExitsKey = "hedge.exits";  ///< metadata: JSON array of the tensors that the heads read, in order

/// Adds a classifier head at each tensor (in the data's order): [3x3 convolution ->] mean over the pixels -> Gemm -> output "exitK"
/// f32 [-1, classes], behind the graph's own outputs. Source: BranchyNet (Teerapittayanon, McDanel, Kung 2016); a head without `width` is
/// the pooled linear classifier of later early-exit networks.
/// Errors: kInvalidArgument (no tensor, a negative width); kNotFound; kMismatch (a tensor that is not [-1, C, H, W]); kUnsupported (a graph
/// that has exits).
Result<Graph> add_exits(Graph graph, const std::vector<std::string>& tensors, const ExitOptions& options = {});

/// The tensors that a graph's exit heads read, "exit1" first; empty where it has none. Errors: kBadFormat (the metadata).
Result<std::vector<std::string>> exits_of(const Graph& graph);

/// The device's and the cloud's part of a network with exits, cut where exit `index` (0: "exit1") reads.
struct SplitNetwork {
  Graph device;  ///< image -> the cut tensor, "exit" (the head's logits)
  Graph cloud;   ///< the cut tensor -> "logits"
  std::string tensor;
  std::int64_t elements = 0;  ///< of one image
};
/// The cloud's part holds no exit heads. Errors: kNotFound (no such exit), those of cut_at.
Result<SplitNetwork> split_at_exit(const Graph& graph, std::size_t index);

/// MACs of one image that leaves at exit k: all layers and heads up to there; last of all, that of one that goes through to the end.
/// Errors: those of count_macs and exits_of.
Result<std::vector<std::int64_t>> exit_macs(const Graph& graph);

}  // namespace hedge::graph

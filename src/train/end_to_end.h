#pragma once

#include "graph/graph.h"
#include "hedge/result.h"

namespace hedge::train {

/// Base and router as one network, so that one gradient reaches both: image -> "logits" [N, C], "query" [N, 1], the probability r of a
/// query. r is the selective-query router's score itself, and (1 + score) / 2 of a gain router, whose score lies in -1..1. The router's
/// names get a prefix. Errors: kInvalidArgument (a free score, which has nothing to learn); kMismatch (a router of another base);
/// kUnsupported (features that are not [N, F]); those of find_features and validate.
Result<graph::Graph> join_router(const graph::Graph& base, const graph::Graph& router);

/// Copies the weights that `joined` has learned back into the base and the router it was made of.
struct Unjoined {
  graph::Graph base, router;
};
/// Errors: kNotFound (a weight that `joined` lacks).
Result<Unjoined> unjoin_router(const graph::Graph& joined, graph::Graph base, graph::Graph router);

}  // namespace hedge::train

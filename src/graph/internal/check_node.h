#pragma once

#include <string>

#include "graph/graph.h"

namespace hedge::graph::internal {

/// "node NAME (OP)", for Error::where.
std::string where_of(const Node& node);

/// A node by itself against its table row: known operator, arity, required inputs given, attributes known and of their kind.
/// Errors: kUnsupported the operator or an attribute; kBadFormat the rest.
Status check_node(const Node& node);

}  // namespace hedge::graph::internal

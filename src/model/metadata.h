#pragma once

#include "graph/graph.h"
#include "hedge/model.h"

namespace hedge::model {

/// Puts the card's recipe and class names into the metadata of the model's graph, so that a file written from it says them itself.
void write_metadata(const ModelCard& card, graph::Graph& graph);

}  // namespace hedge::model

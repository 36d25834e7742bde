#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "hedge/model.h"
#include "hedge/result.h"

namespace hedge::model {

/// Puts the card's recipe and class names into the metadata of the model's graph, so that a file written from it says them itself.
void write_metadata(const ModelCard& card, graph::Graph& graph);

/// The outputs' names in an ONNX file's own metadata, whatever flags and sidecar say; empty where it has none, or is no ONNX file.
/// Errors: those of read_file and read_onnx_facts; kBadFormat: names that follow no format.
Result<std::vector<std::string>> names_in_file(const std::filesystem::path& path);

}  // namespace hedge::model

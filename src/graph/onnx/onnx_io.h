#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "core/file.h"
#include "graph/graph.h"

namespace hedge::graph {

/// Reads an ONNX model, opset 11 to 21, into a validated Graph: Constant nodes become initializers, older forms of an
/// operator (attributes that later became inputs, and the reverse) are brought to the form of opset 17.
/// Errors: kBadFormat (not ONNX, truncated, names the node), kUnsupported (operator, opset, element type), kBadData.
Result<Graph> parse_onnx(std::string_view bytes, std::string_view where);
Result<Graph> read_onnx(const std::filesystem::path& path);

/// Writes opset 17, IR version 8.
Result<std::string> serialize_onnx(const Graph& graph);
Status write_onnx(const std::filesystem::path& path, const Graph& graph, const OpenWriter& open = open_file_writer);

}  // namespace hedge::graph

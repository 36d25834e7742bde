#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "core/file.h"
#include "graph/graph.h"

namespace hedge::graph {

/// Reads an ONNX model, opset 7 to 24, into a validated Graph: Constant nodes become initializers, older and newer forms of an
/// operator (attributes that later became inputs, and the reverse) are brought to the form of opset 17.
/// Errors: kBadFormat (not ONNX, truncated, names the node), kUnsupported (operator, opset, element type, weights in other files),
/// kBadData.
Result<Graph> parse_onnx(std::string_view bytes, std::string_view where);
/// The same of the file `path`, whose bytes these are, with the weights that it keeps in other files of its folder.
/// Errors: as above; kBadFormat, kNotFound, kIo (those files).
Result<Graph> parse_onnx_file(std::string_view bytes, const std::filesystem::path& path);
Result<Graph> read_onnx(const std::filesystem::path& path);

/// Writes opset 17, IR version 8.
Result<std::string> serialize_onnx(const Graph& graph);
Status write_onnx(const std::filesystem::path& path, const Graph& graph, const OpenWriter& open = open_file_writer);

}  // namespace hedge::graph

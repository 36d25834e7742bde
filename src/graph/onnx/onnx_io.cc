#include "graph/onnx/onnx_io.h"

#include <onnx/onnx_pb.h>

#include <set>
#include <string>

#include "graph/onnx/internal/decode.h"
#include "graph/onnx/internal/external_data.h"
#include "graph/onnx/internal/reader.h"
#include "graph/operators.h"

namespace hedge::graph {
namespace {

constexpr std::int64_t kLeastOpset = 7;
constexpr std::int64_t kMostOpset = 24;
constexpr std::int64_t kWrittenOpset = 17;
constexpr std::int64_t kWrittenIrVersion = 8;
using internal::kMostBytes;

/// The version of the standard operators. Errors: kUnsupported.
Result<std::int64_t> opset_of(const onnx::ModelProto& model) {
  std::int64_t version = 0;
  for (const auto& opset : model.opset_import())
    if (opset.domain().empty() || opset.domain() == "ai.onnx") version = opset.version();
  if (version >= kLeastOpset && version <= kMostOpset) return version;
  return Error{.code = ErrorCode::kUnsupported,
               .what = "an opset that is not implemented",
               .where = "model",
               .got = std::to_string(version),
               .expected = std::to_string(kLeastOpset) + " to " + std::to_string(kMostOpset),
               .hint = "export the model with opset " + std::to_string(kWrittenOpset)};
}

/// Weights that neither a node nor an output takes.
void drop_unused_weights(Graph& graph) {
  std::set<std::string> taken;
  for (const Node& node : graph.nodes) taken.insert(node.inputs.begin(), node.inputs.end());
  for (const Value& output : graph.outputs) taken.insert(output.name);
  std::erase_if(graph.initializers, [&](const auto& entry) { return !taken.contains(entry.first); });
}

/// `path`: where weights in other files are looked for; nullptr: such weights are refused.
Result<Graph> parse(std::string_view bytes, const std::filesystem::path* path) {
  HEDGE_TRY(onnx::ModelProto model, internal::parse_model(bytes));
  HEDGE_TRY(const std::int64_t opset, opset_of(model));
  if (path != nullptr) HEDGE_CHECK(internal::load_external(model, *path));
  HEDGE_TRY(Graph graph, internal::Reader(model.graph(), opset).read());
  for (const auto& entry : model.metadata_props()) graph.metadata[entry.key()] = entry.value();
  if (!graph.metadata.contains(kSupernetKey)) drop_unused_weights(graph);  // a supernet's kernel matrices are its sub-networks'
  HEDGE_CHECK(validate(graph));
  return graph;
}

/// An error says which file it is about.
Result<Graph> located(Result<Graph> graph, std::string_view where) {
  if (graph) return graph;
  Error error = std::move(graph).error();
  if (error.where.rfind(where, 0) != 0) error.where = std::string(where) + (error.where.empty() ? "" : ": " + error.where);
  return error;
}

}  // namespace

Result<Graph> parse_onnx(std::string_view bytes, std::string_view where) { return located(parse(bytes, nullptr), where); }

Result<Graph> parse_onnx_file(std::string_view bytes, const std::filesystem::path& path) {
  return located(parse(bytes, &path), path.string());
}

Result<Graph> read_onnx(const std::filesystem::path& path) {
  HEDGE_TRY(const std::string bytes, read_file(path, kMostBytes));
  return parse_onnx_file(bytes, path);
}

Result<std::string> with_weights_inside(std::string_view bytes, const std::filesystem::path& path) {
  HEDGE_TRY(onnx::ModelProto model, internal::parse_model(bytes));
  HEDGE_CHECK(internal::load_external(model, path));
  if (model.ByteSizeLong() <= kMostBytes) return model.SerializeAsString();
  return Error{.code = ErrorCode::kUnsupported, .what = "the model is larger than the 2 GiB of an ONNX file", .where = path.string()};
}

Result<std::string> serialize_onnx(const Graph& graph) {
  HEDGE_CHECK(validate(graph));
  onnx::ModelProto model;
  model.set_ir_version(kWrittenIrVersion);
  model.set_producer_name("hedge");
  model.add_opset_import()->set_version(kWrittenOpset);
  for (const auto& [key, value] : graph.metadata) {
    auto* entry = model.add_metadata_props();
    entry->set_key(key);
    entry->set_value(value);
  }
  auto& proto = *model.mutable_graph();
  proto.set_name(graph.name.empty() ? "model" : graph.name);
  for (const Value& input : graph.inputs) internal::encode_value(input, *proto.add_input());
  for (const Value& output : graph.outputs) internal::encode_value(output, *proto.add_output());
  for (const auto& [name, tensor] : graph.initializers) internal::encode_tensor(name, tensor, *proto.add_initializer());
  for (const Node& node : graph.nodes) {
    auto& made = *proto.add_node();
    made.set_name(node.name);
    made.set_op_type(node.op);
    for (const auto& input : node.inputs) made.add_input(input);
    for (const auto& output : node.outputs) made.add_output(output);
    for (const auto& [key, value] : node.attributes) internal::encode_attribute(key, value, *made.add_attribute());
  }
  if (model.ByteSizeLong() > kMostBytes)
    return Error{
        .code = ErrorCode::kUnsupported, .what = "the model is larger than the 2 GiB of an ONNX file", .where = "graph " + graph.name};
  return model.SerializeAsString();
}

Status write_onnx(const std::filesystem::path& path, const Graph& graph, const OpenWriter& open) {
  HEDGE_TRY(const std::string bytes, serialize_onnx(graph));
  return write_file_atomic(path, bytes, open);
}

}  // namespace hedge::graph

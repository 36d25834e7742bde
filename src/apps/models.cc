#include "apps/models.h"

#include "core/file.h"
#include "core/json.h"
#include "core/sha256.h"
#include "graph/graph.h"
#include "graph/onnx/onnx_io.h"
#include "graph/operators.h"
#include "infer/openvino/openvino_executor.h"

namespace hedge::apps {
namespace {

/// What the ONNX file itself says; a file of another format says nothing.
Status read_metadata(OpenedModel& model, const std::string& bytes, bool has_recipe) {
  HEDGE_TRY(const auto graph, graph::parse_onnx(bytes, model.path));
  HEDGE_TRY(model.macs, graph::count_macs(graph));
  model.parameters = graph.num_parameters();
  if (const auto it = graph.metadata.find(graph::kLabelsKey); it != graph.metadata.end()) {
    HEDGE_TRY(const auto json, parse_json(it->second, model.path + ": " + graph::kLabelsKey));
    if (json.is_array())
      for (const auto& label : json)
        if (label.is_string()) model.labels.push_back(label.get<std::string>());
  }
  const auto it = graph.metadata.find(graph::kPreprocessKey);
  if (it == graph.metadata.end() || has_recipe) return {};
  HEDGE_TRY(model.recipe, data::Preprocess::from_json(it->second));
  return {};
}

}  // namespace

Result<OpenedModel> open_model(const std::filesystem::path& path, const OpenModelOptions& options) {
  OpenedModel model;
  model.path = path.string();
  HEDGE_TRY(const auto bytes, read_file(path));
  model.sha256 = sha256_hex(bytes);
  const bool onnx = path.extension() == ".onnx";
  if (onnx) HEDGE_CHECK(read_metadata(model, bytes, !options.recipe.empty()));
  if (!options.recipe.empty()) {
    HEDGE_TRY(const auto text, read_file(options.recipe));
    HEDGE_TRY(model.recipe, data::Preprocess::from_json(text));
  }
  if (model.recipe.normalization.mean.empty())
    return Error{.code = ErrorCode::kNotFound,
                 .what = "the model does not say how its pictures are prepared",
                 .where = model.path,
                 .expected = std::string("metadata \"") + graph::kPreprocessKey + "\"",
                 .hint = "give a recipe file (docs/formats/preprocess.md)"};
  HEDGE_TRY(model.executor, infer::open_openvino(path, {.throughput = options.throughput,
                                                        .threads = options.threads,
                                                        .normalization = model.recipe.normalization,
                                                        .features = options.features}));
  return model;
}

}  // namespace hedge::apps

#include "apps/models.h"

#include "apps/model_metadata.h"
#include "apps/sidecar.h"
#include "core/file.h"
#include "core/sha256.h"
#include "data/label_map.h"
#include "graph/graph.h"
#include "graph/onnx/onnx_io.h"
#include "graph/operators.h"
#include "infer/openvino/openvino_executor.h"

namespace hedge::apps {
namespace {

Status take_metadata(OpenedModel& model, const graph::Graph& graph, bool has_recipe) {
  model.parameters = graph.num_parameters();
  model.trained_on = metadata_of(graph, graph::kTrainedOnKey);
  model.trained_on_hash = metadata_of(graph, graph::kTrainedOnHashKey);
  HEDGE_TRY(model.labels, labels_of(graph, model.path));
  if (has_recipe) return {};
  HEDGE_TRY(auto recipe, recipe_of(graph));
  if (recipe) model.recipe = *std::move(recipe);
  return {};
}

/// What the ONNX file itself says. One that is not of this project's operators says nothing: OpenVINO may still run it as it is.
Status read_metadata(OpenedModel& model, const std::string& bytes, bool has_recipe, const LogSink& sink) {
  const auto warn = [&](const char* what, const Error& error) {
    log(sink, LogLevel::kWarning, model.path + ": " + what + ": " + error.message());
  };
  const auto graph = graph::parse_onnx(bytes, model.path);
  if (!graph && graph.error().code == ErrorCode::kUnsupported) {
    warn("the model's metadata is not used", graph.error());
    return {};
  }
  if (!graph) return graph.error();
  const auto macs = graph::count_macs(*graph);
  if (macs) {
    model.macs = *macs;
  } else if (macs.error().code == ErrorCode::kUnsupported) {
    warn("the model's MACs are not known", macs.error());
  } else {
    return macs.error();
  }
  return take_metadata(model, *graph, has_recipe);
}

/// What is written beside a model holds before what is written in it.
void take_sidecar(OpenedModel& model, const Sidecar& sidecar) {
  if (sidecar.recipe) model.recipe = *sidecar.recipe;
  if (!sidecar.labels.empty()) model.labels = sidecar.labels;
  if (model.features == "auto" && !sidecar.features.empty()) model.features = sidecar.features;
  if (sidecar.macs > 0) model.macs = sidecar.macs;
  if (sidecar.parameters > 0) model.parameters = sidecar.parameters;
}

/// And what the user says holds before both.
Status take_options(OpenedModel& model, const OpenModelOptions& options) {
  if (!options.recipe.empty()) {
    HEDGE_TRY(model.recipe, read_recipe(options.recipe));
  }
  if (!options.labels.empty()) {
    HEDGE_TRY(model.labels, data::read_class_names(options.labels));
  }
  return {};
}

}  // namespace

Result<OpenedModel> open_model(const std::filesystem::path& path, const OpenModelOptions& options) {
  OpenedModel model;
  model.path = path.string();
  HEDGE_TRY(const auto bytes, read_file(path));
  model.sha256 = sha256_hex(bytes);
  model.features = options.features;
  HEDGE_TRY(const auto sidecar, read_sidecar(path));
  if (path.extension() == ".onnx") HEDGE_CHECK(read_metadata(model, bytes, !options.recipe.empty() || sidecar.recipe, options.log));
  take_sidecar(model, sidecar);
  HEDGE_CHECK(take_options(model, options));
  if (model.recipe.normalization.mean.empty())
    return Error{
        .code = ErrorCode::kNotFound,
        .what = "the model does not say how its images are prepared",
        .where = model.path,
        .expected = std::string("metadata \"") + graph::kPreprocessKey + "\" or a file " + path.filename().string() + ".hedge.json",
        .hint =
            "give a recipe with --base-recipe or --global-recipe, such as resize=256,crop=224,mean=imagenet,std=imagenet "
            "(docs/formats/preprocess.md)"};
  HEDGE_TRY(model.executor, infer::open_openvino(path, {.throughput = options.throughput,
                                                        .threads = options.threads,
                                                        .normalization = model.recipe.normalization,
                                                        .features = model.features}));
  return model;
}

}  // namespace hedge::apps

#include "workflow/internal/graph_runs.h"

#include <memory>

#include "core/sha256.h"
#include "eval/predict.h"
#include "graph/onnx/onnx_io.h"
#include "graph/operators.h"
#include "infer/openvino/openvino_executor.h"

namespace hedge::workflow::internal {
namespace {

struct Opened {
  std::unique_ptr<Executor> executor;
  eval::ModelRun run;
};

Result<Opened> open_graph(const GraphModel& model, const char* features, int threads) {
  Opened opened;
  HEDGE_TRY(const auto bytes, graph::serialize_onnx(model.graph));
  HEDGE_TRY(opened.executor,
            infer::make_openvino_executor(
                model.graph,
                {.throughput = threads != 1, .threads = threads, .normalization = model.recipe.normalization, .features = features}));
  HEDGE_TRY(const auto macs, graph::count_macs(model.graph));
  opened.run = {.executor = opened.executor.get(),
                .recipe = model.recipe,
                .sha256 = sha256_hex(bytes),
                .macs = macs,
                .parameters = model.graph.num_parameters()};
  const auto text = [&model](const char* key) {
    const auto found = model.graph.metadata.find(key);
    return found != model.graph.metadata.end() ? found->second : std::string();
  };
  opened.run.trained_on = text(graph::kTrainedOnKey);
  opened.run.trained_on_hash = text(graph::kTrainedOnHashKey);
  return opened;
}

}  // namespace

Result<routing::PredictionTable> predict_graphs(const GraphModel& base, const GraphModel& global, const data::Dataset& dataset,
                                                const GraphRunOptions& options) {
  HEDGE_TRY(const auto b, open_graph(base, "auto", options.threads));
  HEDGE_TRY(const auto g, open_graph(global, "", options.threads));
  return eval::predict({.dataset = &dataset, .base = b.run, .global = g.run, .cache = options.cache, .progress = options.progress});
}

}  // namespace hedge::workflow::internal

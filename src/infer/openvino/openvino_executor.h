#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "graph/graph.h"
#include "hedge/executor.h"
#include "infer/runner.h"
#include "hedge/normalization.h"

namespace hedge::infer {

struct OpenVinoOptions {
  bool throughput = false;  ///< several requests at once instead of the lowest latency of one
  int threads = 0;          ///< 0: OpenVINO's choice
  bool allow_bf16 = false;  ///< f32 unless asked: reduced precision moves scores across thresholds
  /// Folded in: the model then takes u8 [N, H, W, C] and computes (x/255 - mean)/std to its own NCHW input.
  std::optional<Normalization> normalization;
  /// Also give the penultimate tensor [N, F] as the output "features": its name, or "auto" to find it. Empty: not.
  std::string features;
};

/// Opens .onnx, .tflite or OpenVINO IR (.xml) with OpenVINO, as it is. Outputs: the model's own - the first 2-D float one is
/// renamed "logits" where there is just one - and "features" where asked for.
/// Errors: kNotFound; kBadFormat; kUnsupported; kNotFound (the feature tensor, with the candidates); kInternal (OpenVINO's text).
Result<std::unique_ptr<Executor>> open_openvino(const std::filesystem::path& model, const OpenVinoOptions& options = {});
/// The same for a Graph in memory.
Result<std::unique_ptr<Executor>> make_openvino_executor(const graph::Graph& graph, const OpenVinoOptions& options = {});

/// Runs graphs by make_openvino_executor, each with the same options.
class OpenVinoRunner final : public Runner {
 public:
  explicit OpenVinoRunner(OpenVinoOptions options = {}) : options_(std::move(options)) {}
  [[nodiscard]] Result<std::unique_ptr<Executor>> compile(const graph::Graph& graph) const override {
    return make_openvino_executor(graph, options_);
  }

 private:
  OpenVinoOptions options_;
};

/// OpenVINO's own version, e.g. "2026.4.1-…"; empty where it cannot be loaded.
std::string openvino_version();

}  // namespace hedge::infer

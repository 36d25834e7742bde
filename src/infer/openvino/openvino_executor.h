#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "graph/ends.h"
#include "graph/graph.h"
#include "hedge/executor.h"
#include "hedge/normalization.h"
#include "infer/runner.h"

namespace hedge::infer {

/// Where an image input has its channels; kAuto: found by evidence.
enum class ImageLayout { kAuto, kNchw, kNhwc };

/// What a file is opened as.
enum class OpenAs {
  kClassifier,       ///< gives "logits" [N, classes], or is refused
  kClassifierIfAny,  ///< the same where it has such an output; otherwise as it is
  kAsItIs,           ///< a router, or anything else
};

struct OpenVinoOptions {
  bool throughput = false;  ///< several requests at once instead of the lowest latency of one
  int threads = 0;          ///< 0: OpenVINO's choice
  bool allow_bf16 = false;  ///< f32 unless asked: reduced precision moves scores across thresholds
  /// Folded in: the model then takes u8 [N, H, W, C] and computes (x/255 - mean)/std for its own input; an integer one gets the pixels.
  std::optional<Normalization> normalization;
  /// Also give the penultimate tensor [N, F] as the output "features": its name, or "auto" to find it. Empty: not.
  std::string features;
  ImageLayout layout = ImageLayout::kAuto;  ///< of the image input, where `normalization` is folded in
  std::int64_t height = 0, width = 0;       ///< of the images, likewise; 0: not known
  OpenAs as = OpenAs::kClassifierIfAny;     ///< of a file
  std::string output;                       ///< a file's classifying output; empty: "logits", else the only one of that form
  graph::End end = graph::End::kUnknown;    ///< what that output's numbers are; kUnknown: found, by operators and by values
};

/// What a file turned out to be when it was opened.
struct OpenVinoFacts {
  std::string input;                        ///< its first input's name
  std::optional<DType> dtype;               ///< of that input in the file; nothing: a type outside DType
  ImageLayout layout = ImageLayout::kAuto;  ///< kAuto: not looked at
  float least = 0, most = 0;                ///< the reals that a quantised input's range stands for; both 0: not said
  std::string output;                       ///< the classifying output's name in the file; empty: there is none
  graph::End end = graph::End::kUnknown;    ///< what its numbers are in the file
  std::int64_t classes = 0;                 ///< how many logits there are; 0: not known
  std::int64_t macs = 0, parameters = 0;    ///< 0: not known
  std::vector<std::string> notes;           ///< what was cut off, taken back or decided, for people
};

/// An opened file.
struct OpenedFile {
  std::unique_ptr<Executor> executor;
  OpenVinoFacts facts;
};

/// Opens .onnx, .tflite or OpenVINO IR (.xml) with OpenVINO, in any batch. A classifier gives logits whatever its file ends in: a Softmax,
/// LogSoftmax or Sigmoid at its end (also behind reshaping, casts and quantisation) is left out; probabilities that are not made by one of
/// them are known by their values for made-up images and taken back by their logarithm; one sigmoid output becomes two classes, 0 and its
/// logit. Outputs: "logits", the model's others, and "features" where asked for.
/// Errors: kNotFound (the file; the output or feature tensor, with the candidates); kBadFormat; kUnsupported (also several outputs that
/// may classify, a layout that nothing says, a single output that is no sigmoid); kMismatch (images of another size; an end that is not the
/// said one, or a product whose values are probabilities); kInternal (OpenVINO's text).
Result<OpenedFile> open_openvino_file(const std::filesystem::path& model, const OpenVinoOptions& options = {});
/// Its executor alone.
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

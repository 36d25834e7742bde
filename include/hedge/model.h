#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "hedge/api.h"
#include "hedge/log.h"
#include "hedge/preprocess.h"
#include "hedge/result.h"
#include "hedge/tensor.h"

namespace hedge::model {

enum class Format { kOnnx, kTflite, kOpenVinoIr };
/// "ONNX", "TensorFlow Lite", "OpenVINO IR"
HEDGE_API const char* to_string(Format format);

/// Where an image input has its channels.
enum class Layout { kUnknown, kNchw, kNhwc };
/// "unknown", "NCHW", "NHWC"
HEDGE_API const char* to_string(Layout layout);

/// What the numbers of the classifying output are in the file. Whatever they are, an opened model gives logits.
enum class OutputKind {
  kUnknown,
  kLogits,
  kProbabilities,     ///< of one class among all: a softmax
  kLogProbabilities,  ///< their logarithms
  kSigmoid,           ///< a probability for each output alone; where there is just one, it is that of the second of two classes
};
/// "unknown", "logits", "probabilities", "log_probabilities", "sigmoid"
HEDGE_API const char* to_string(OutputKind kind);

/// The model's own image input, as its file has it.
struct CardInput {
  std::string name;  ///< empty: not known
  Layout layout = Layout::kUnknown;
  std::optional<DType> dtype;                        ///< nothing: not known
  std::int64_t channels = 0, height = 0, width = 0;  ///< 0: not known, or dynamic
  std::optional<data::Preprocess> recipe;            ///< how images are prepared for it; nothing: nobody says
  /// Of a quantised (u8 or i8) input whose file says it: the real numbers that the least and the largest integer stand for; both 0: not
  /// known.
  float least = 0, most = 0;
};

/// The model's classifying output: the one that the user or the sidecar names, else the one called "logits", else the only one of that
/// form.
struct CardOutput {
  std::string name;          ///< empty: not known
  std::int64_t classes = 0;  ///< how many logits an opened model gives: its width, 2 where that is 1; 0: not known
  OutputKind kind = OutputKind::kUnknown;
};

/// What a model file is: everything that programs need to know of it besides its weights.
struct ModelCard {
  std::filesystem::path path;
  Format format = Format::kOnnx;
  std::string sha256;                     ///< its weights' identity (model/identity.h)
  std::vector<std::string> weight_files;  ///< files beside it that hold weights, relative to its folder; empty: all is in the file
  CardInput input;
  CardOutput output;
  std::vector<std::string> labels;  ///< names of the outputs, by index; a name "" is no class; empty: nobody says
  std::string features;             ///< the penultimate tensor: its name, "auto" (the runner finds it), or empty: not asked for
  std::int64_t macs = 0;            ///< multiply-accumulates an image; 0: not known
  std::int64_t parameters = 0;      ///< 0: not known
  std::string trained_on;           ///< canonical specification of the training split; empty: not known
  std::string trained_on_hash;      ///< its content hash; empty: not known
  std::vector<std::string> notes;   ///< what is not known or was decided between sources, for people
};

/// What a user says of a model; it holds before the sidecar, and that before the file's metadata.
struct CardOptions {
  std::string recipe = {};            ///< a file with a Preprocess as JSON, or its short form; empty: not said
  std::filesystem::path labels = {};  ///< the outputs' names (data::read_class_names); empty: not said
  std::string features = {};          ///< the penultimate tensor's name, "auto" (the sidecar's name where it gives one), or empty: none
  LogSink log = {};                   ///< a warning where the operators of an ONNX file are not known, so that its cost is not
  std::string input_layout = {};      ///< "nchw" or "nhwc": where the image input has its channels; empty: found by evidence
  std::string output = {};            ///< the classifying output's name; empty: found
  std::string output_kind = {};       ///< what its numbers are, a word of to_string(OutputKind) but "unknown"; empty: found
};

/// Reads what is known of a model file (.onnx, .tflite, or .xml: OpenVINO IR): from `options`, else from the sidecar beside it
/// (model/sidecar.h), else from its metadata. Runs nothing: of a .tflite and of OpenVINO IR only what `options` and sidecar say is known.
/// Errors: kNotFound (the file, a weight file); kUnsupported (another extension); kBadFormat (an ONNX file, sidecar, recipe or names that
/// follow no format; weights outside the folder); those of parse_onnx other than kUnsupported.
HEDGE_API Result<ModelCard> read_card(const std::filesystem::path& path, const CardOptions& options);

/// How the model's images are prepared, where that must be known.
/// Errors: kNotFound, naming the three places to say it; `hint`: what to do; empty: to give a recipe by flag.
HEDGE_API Result<data::Preprocess> required_recipe(const ModelCard& card, const std::string& hint = {});

}  // namespace hedge::model

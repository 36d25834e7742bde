#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "hedge/executor.h"
#include "hedge/log.h"
#include "hedge/preprocess.h"
#include "hedge/result.h"

namespace hedge::apps {

/// A model file, opened to classify u8 images: its recipe's normalisation is folded into the executor.
struct OpenedModel {
  std::string path;
  std::string sha256;
  data::Preprocess recipe;
  std::vector<std::string> labels;  ///< of the outputs: from the flag, the sidecar or the metadata; may be empty
  std::int64_t macs = 0;            ///< 0: not known
  std::int64_t parameters = 0;
  std::string features;                ///< OpenModelOptions::features, as asked for
  std::string trained_on;              ///< canonical specification of the training split, from the metadata; empty: not known
  std::string trained_on_hash;         ///< its content hash; empty: not known
  std::unique_ptr<Executor> executor;  ///< u8 [N, H, W, C] -> "logits" (and "features" where asked for)
};

struct OpenModelOptions {
  std::string recipe;            ///< a file with a Preprocess as JSON, or its short form; empty: the sidecar's, else the metadata's
  std::filesystem::path labels;  ///< the outputs' names (data::read_class_names); empty: the sidecar's, else the metadata's
  std::string features;          ///< the penultimate tensor's name, "auto" (also: what the sidecar says), or empty: none
  bool throughput = true;
  int threads = 0;
  LogSink log;  ///< a warning where the metadata of an ONNX file cannot be read
};

/// What a model is prepared with comes from the options, else from the sidecar beside it (apps/sidecar.h), else from its metadata.
/// An ONNX file with operators or an opset that this project does not know is opened as OpenVINO takes it, and says nothing of itself;
/// nor does a .tflite.
/// Errors: those of reading; kNotFound where nothing says how to prepare images.
Result<OpenedModel> open_model(const std::filesystem::path& path, const OpenModelOptions& options);

}  // namespace hedge::apps

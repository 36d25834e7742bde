#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>

#include "graph/graph.h"
#include "hedge/preprocess.h"
#include "hedge/result.h"
#include "train/trainer.h"

namespace hedge::apps {

/// The flags that every training has. Set the defaults in `options`, add(), and after parsing finish().
struct TrainingFlags {
  train::TrainOptions options;
  std::string optimizer = "adamw";
  std::string precision = "auto";
  std::string layout = "auto";

  void add(CLI::App& app);
  /// Turns the names into options. Errors: those of TrainOptions::validate.
  Status finish();
};

/// A trained network and how its images are prepared.
struct Trainable {
  graph::Graph graph;
  data::Preprocess recipe;
};
/// Errors: those of read_onnx; kNotFound where the model has no recipe; those of Preprocess::from_json.
Result<Trainable> read_trainable(const std::filesystem::path& path);

}  // namespace hedge::apps

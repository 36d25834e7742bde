#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "hedge/result.h"
#include "train/router_fit.h"
#include "train/trainer.h"

namespace hedge::cli {

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

/// How a router is fitted; `options` must outlive the parsing.
void add_router_training_flags(CLI::App& app, train::RouterFitOptions& options);

}  // namespace hedge::cli

#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "cli/pair_flags.h"
#include "hedge/result.h"
#include "hedge/workflow.h"

namespace hedge::cli {

/// The flags of `hedge fit`. add(), and after parsing finish().
struct FitFlags {
  workflow::FitOptions options;
  std::string table, calibration, held_out, out;
  std::string router = "auto";
  std::string promise;
  double delta = 0.05;
  PairFlags pair;

  void add(CLI::App& app);
  /// The options, with names and texts understood. Errors: those of router_kind and parse_promise.
  [[nodiscard]] Result<workflow::FitOptions> finish() const;

 private:
  void add_predictions(CLI::App& app);
  void add_router(CLI::App& app);
  void add_point(CLI::App& app);
};

}  // namespace hedge::cli

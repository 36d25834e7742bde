#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/training_flags.h"
#include "workflow/search.h"
#include "workflow/supernet_search.h"

namespace hedge::cli {

/// What `hedge search` is asked on the command line.
struct SearchFlags {
  workflow::SearchOptions options;
  workflow::SupernetSearchOptions in_supernet;  ///< with --supernet; what both have is in `options`
  TrainingFlags training;
  std::vector<std::string> base_spaces, global_spaces;
  std::string out, trial, recipe = train::to_string(train::Recipe::kAuto), target = "cortex-m7";
  std::optional<double> coverage, macs, latency, energy;
  std::string device = "paper-mcu", link = "paper", cloud = "instant", profiles;
  bool list = false;
  CLI::Option *population = nullptr, *generations = nullptr;
};

/// `flags` must outlive the parsing.
void add_search_flags(CLI::App& app, SearchFlags& flags);

}  // namespace hedge::cli

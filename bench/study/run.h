#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "cli/console.h"
#include "core/json.h"
#include "hedge/result.h"
#include "study/config.h"

namespace hedge::study {

/// Where a study runs, and on what.
struct Options {
  std::filesystem::path out = "out/study";
  std::map<std::string, std::string> data;  ///< what a data name in a configuration stands for: {"cifar10", "folder:PATH"}
  std::int64_t threads = 0;                 ///< of the trainings; 0: all cores
};

/// Runs the public commands for each model seed in OUT/PAIR/seed-N, going on after the last step that ended well, and returns the rows of
/// summary.json (docs/formats/study.md).
/// Errors: those of the steps; kInvalidArgument (a data name that is bound to nothing); kCancelled.
Result<Json> run_study(const Config& config, const Options& options, cli::Console& console, const std::function<bool()>& should_stop);

}  // namespace hedge::study

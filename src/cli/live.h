#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "cli/steps.h"
#include "core/json.h"
#include "core/process.h"
#include "hedge/result.h"

namespace hedge::cli {

/// A hybrid to run for real: a cloud process and an edge process of this machine.
struct LiveSetup {
  std::filesystem::path bundle;
  std::filesystem::path global;  ///< the model the cloud serves
  std::string input;             ///< data-set specification of the images
  std::filesystem::path out;     ///< folder of answers and summary
};

/// A hedge-cloud of this machine; it ends with the child.
struct CloudProcess {
  ChildProcess child;
  std::string address;  ///< HOST:PORT
};

/// Starts hedge-cloud with the model `global` under the name "global"; `folder` gets its port file. Errors: kUnavailable.
Result<CloudProcess> start_cloud(const std::filesystem::path& global, const std::filesystem::path& folder, const Steps& steps,
                                 Console& console);

/// Runs all images through hedge-edge with hedge-cloud beside it; leaves live.jsonl and live.json in `out` and gives the summary.
/// Errors: kUnavailable (the cloud does not start), the edge's own.
Result<Json> run_live(const LiveSetup& setup, const Steps& steps, Console& console);

/// The same, but kills the cloud (SIGKILL) when `kill_after` images are answered; leaves drill.jsonl and drill.json. The summary
/// also says "killed_in_the_middle": whether the edge was still at work then.
Result<Json> run_drill(const LiveSetup& setup, std::size_t kill_after, const Steps& steps, Console& console);

}  // namespace hedge::cli

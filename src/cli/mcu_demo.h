#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>

#include "cli/console.h"
#include "hedge/result.h"

namespace hedge::cli {

/// What the microcontroller's demo runs.
struct McuDemoOptions {
  std::filesystem::path out = "out/mcu";
  std::filesystem::path demo =
      "out/demo";  ///< a finished "hedge demo", for its bundle and global; where there is none, a tiny pair is trained
  std::filesystem::path firmware = "firmware";  ///< the folder of main.cc, build.sh and run.sh
  std::string data = "fashion-mnist";           ///< without a split
  std::size_t images = 200;                     ///< of the test split
  double faults = 0;                            ///< a second pass in which this share of the frames is dropped or corrupted; 0: none
  bool dead_cloud = false;                      ///< a last pass, after the cloud was killed
};

/// Makes C++ of a bundle, builds the firmware around it, runs it on QEMU's M7 board with hedge-gateway and hedge-cloud beside it, and holds
/// its answers against hedge-edge's, which runs the same bundle in floating point. Prints coverage, accuracy and instruction counts, and
/// leaves demo.json, answers.jsonl and the exported folder in `out`.
/// Errors: kNotFound (no firmware folder, no Arm compiler, no QEMU); the first failing step's; kCancelled; kMismatch where an image has no
/// answer.
Status run_mcu_demo(const McuDemoOptions& options, Console& console, const std::function<bool()>& should_stop);

}  // namespace hedge::cli

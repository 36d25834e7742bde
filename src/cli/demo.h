#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "cli/console.h"
#include "core/json.h"
#include "hedge/result.h"

namespace hedge::cli {

/// What the demo trains and on what.
struct DemoOptions {
  std::string data = "fashion-mnist";  ///< without a split
  std::filesystem::path out = "out/demo";
  std::string base_model, global_model;  ///< trained models of one's own; empty: the networks below are trained
  std::string base_net = "mobile:6";
  std::string global_net = "pooled:24,72,96,stem=12";
  std::int64_t base_epochs = 12;
  std::int64_t global_epochs = 5;
  std::int64_t size = 0;  ///< images are brought to size x size; 0: as hedge train decides
  std::int64_t pad_crop = 0;
  bool flip = true;
  double coverage = 0.8;
  int seeds = 3;                   ///< routers fitted a kind
  bool accept_risk = false;        ///< go on where a model looks wrong on the images
  bool resume = false;             ///< go on after the last step that ended well
  std::vector<std::string> notes;  ///< for the report
};

/// Runs the public commands one after the other, each in a process of its own, and prints each so that a person can repeat it.
/// Leaves report.html, report.json, curve.csv, summary.json, the models, the bundle and the live answers in `out`.
/// Errors: kInvalidArgument (data with a split); the first failing step's; kCancelled; kMismatch where the live run does not agree with
/// the table.
Status run_demo(const DemoOptions& options, Console& console, const std::function<bool()>& should_stop);

}  // namespace hedge::cli

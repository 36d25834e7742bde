#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "cli/console.h"
#include "core/json.h"
#include "hedge/result.h"
#include "study/run.h"

namespace hedge::study {

/// One pair of models whose predictions were made elsewhere.
struct TablePair {
  std::string base, global;            ///< put where the import's flags say {base} and {global}
  std::string base_name, global_name;  ///< what the models are called; empty: base and global
  std::vector<std::string> flags;      ///< of hedge table import besides, such as the price
  std::vector<std::string> promises;   ///< kept on redraws of the calibration split, "accuracy>=0.7"; empty: none

  [[nodiscard]] std::string name() const;  ///< "BASE > GLOBAL"
};

/// A way to fit, on the part "fit" with the part "calibration".
struct TableRouter {
  std::string name;                ///< of its row; "auto" and "auto_fused" are those that the findings are about
  std::vector<std::string> flags;  ///< of hedge fit
};

/// An experiment on imported predictions: pairs of models on one set of images (docs/formats/study.md).
struct TableStudy {
  std::string name;  ///< also of its folder and section
  std::string data;  ///< a name that the command line binds to a file or folder: {data} in the import's flags
  std::string title, note;
  std::vector<std::string> import;  ///< flags of hedge table import
  std::vector<std::string> parts;   ///< of hedge table split; "fit", "calibration" and "test"
  std::vector<TablePair> pairs;
  std::vector<std::int64_t> divisions;  ///< seeds of the split, each a row
  std::vector<TableRouter> routers;
  std::int64_t resamples = 1000;  ///< of the intervals
  std::int64_t redraws = 1000;    ///< of the calibration split, where a pair has promises
  double delta = 0.1;             ///< of those promises
  bool prices = false;            ///< show accuracy against price instead of accuracy against coverage
  Json paper;                     ///< {"text", "columns", "rows"}: a published table to stand beside; null: none
};

/// Whether this configuration is one of these; else it is one of read_config. Errors: those of read_json.
Result<bool> is_table_study(const std::filesystem::path& path);
/// Errors: those of read_json; kBadFormat (a field missing, of another type, or unknown).
Result<TableStudy> read_table_study(const std::filesystem::path& path);

/// Runs the public commands for each pair and division in OUT/NAME, goes on after the last pair that was done, and returns a row each
/// (docs/formats/study.md). The tables of a pair are removed when its row is made.
/// Errors: those of the steps; kCancelled; kBadFormat.
Result<Json> run_tables(const TableStudy& study, const Options& options, cli::Console& console, const std::function<bool()>& should_stop);

}  // namespace hedge::study

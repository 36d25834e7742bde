#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "hedge/predictions.h"
#include "hedge/result.h"

namespace hedge::workflow {

/// A table in brief.
struct TableFacts {
  routing::TableInfo info;
  std::int64_t rows = 0, classes = 0, features = 0;
  std::int64_t groups = 0;                                 ///< 0: the images are independent
  bool images_known = false;                               ///< by hashes
  double base_accuracy = 0;                                ///< 0..1
  std::optional<double> global_accuracy, either_accuracy;  ///< nothing without a global; either: base or global is right
  std::string largest_class, smallest_class;               ///< by labels; names, else numbers
  std::int64_t largest = 0, smallest = 0;                  ///< their rows
};

TableFacts describe_table(const routing::PredictionTable& table);
/// Errors: those of reading the table.
Result<TableFacts> describe_table(const std::filesystem::path& path);

Json to_json(const TableFacts& facts);
/// Lines for people.
std::string to_text(const TableFacts& facts);

}  // namespace hedge::workflow

#pragma once

#include <string>
#include <vector>

#include "apps/routers.h"
#include "core/json.h"
#include "eval/evaluate.h"
#include "hedge/result.h"

namespace hedge::apps {

/// A method to judge, as a flag names it: "NAME=FOLDER" or "NAME=FOLDER@TABLE". The folder is one of `hedge fit`, or a free score's name;
/// the table has other models' predictions of the judged images (an adapted pair, a network with an early exit).
struct JudgedSpec {
  std::string name;
  std::string folder;
  std::string table;  ///< empty: the judged table itself
};
/// Errors: kInvalidArgument.
Result<JudgedSpec> parse_judged(const std::string& text);

/// A method with its router seeds.
struct Judged {
  eval::MethodScores scores;
  std::vector<FittedFolder> folders;  ///< a folder a seed; empty for a free score
};

/// Reads the routers and scores the table with them: specifications of the same name are seeds of one method. Order: as first named.
/// Errors: those of read_fitted, read_table, score_table; kMismatch (another pair's policy, other images); kInvalidArgument (a free score
/// and a folder, or several tables, under one name).
Result<std::vector<Judged>> read_judged(const std::vector<JudgedSpec>& specs, const routing::TableView& table);

/// Adds every split that the method was fitted or calibrated on.
void add_splits(const Judged& method, eval::EvaluateOptions& options);

/// A file of docs/formats/baselines_json.md, of the table's images. Errors: those of read_json; kBadFormat, kMismatch.
Result<Json> read_baselines(const std::string& path, const routing::TableView& table);

}  // namespace hedge::apps

#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "hedge/predictions.h"
#include "hedge/result.h"
#include "hedge/workflow.h"

namespace hedge::workflow {

/// A part of a division: a share of the rows, or those of listed ids.
struct TablePart {
  std::string name;      ///< letters, digits, "-" and "_"; the part's split, and its file's name
  double share = 0;      ///< in (0, 1]; of all rows
  std::string ids = {};  ///< a source of ids (data::read_array) instead of a share; empty: a share
};

struct TableSplit {
  std::filesystem::path table = {};
  std::vector<TablePart> parts = {};  ///< all by shares, of a sum of at most 1, or all by ids; rows that are in none are left out
  std::uint64_t seed = 1;             ///< of the drawing; the same seed and shares give the same parts
  /// Each part has its share of every class, as near as whole rows allow; otherwise the rows are drawn alike. Not for tables with groups.
  bool stratified = false;
  std::filesystem::path out = {};  ///< a folder for NAME.table; empty: they are returned only
};

/// Divides a table's rows into parts that share no image: they are drawn at random, groups as a whole and exact copies together. The order
/// within a part is the table's.
/// Errors: kInvalidArgument: names, shares or a mixture that do not fit; kBadData: a part without rows, an id in two parts; kNotFound: an
/// id that is not in the table, or a table without ids; those of reading and writing.
Result<std::vector<routing::PredictionTable>> split_table(const TableSplit& options, const RunContext& context = {});

struct TableMerge {
  std::vector<std::filesystem::path> tables = {};  ///< two or more, of the same models, classes and features
  std::string split = "";                          ///< the result's; empty: that of the tables where it is one, else "all"
  std::filesystem::path out = {};
};

/// The rows of tables one after the other. Errors: kMismatch: tables of other models, classes, features or prices; kBadData: an image that
/// stands twice; those of reading and writing.
Result<routing::PredictionTable> merge_tables(const TableMerge& options);

struct TableSelection {
  std::filesystem::path table = {};
  std::vector<std::string> classes = {};  ///< names or numbers from 0, "3-5": labels that are kept; empty: all
  std::string ids = {};                   ///< a source of ids that are kept, in the table's order; empty: all
  std::size_t random = 0;                 ///< then so many of these rows, drawn at random; 0: all
  std::uint64_t seed = 1;
  std::filesystem::path base_of = {}, global_of = {};  ///< tables of the same images, whose base (as base) or global (as global) is taken
  std::filesystem::path out = {};
};

/// Some rows of a table, perhaps with another table's base or global. Errors: kNotFound: a class or id that is not there; kInvalidArgument:
/// more rows than there are; kMismatch: `base_of` or `global_of` lacks an image or has other classes; kBadData: no row is left.
Result<routing::PredictionTable> select_rows(const TableSelection& options);

}  // namespace hedge::workflow

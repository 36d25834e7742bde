#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/internal/folder_listing.h"
#include "hedge/result.h"

namespace hedge::data::internal {

/// An image that a table names.
struct TableEntry {
  std::size_t line = 0;  ///< of the table, from 1
  std::string path;      ///< below the root, or absolute
  std::string label;
  std::string split;  ///< empty: the table has no splits
  std::string group;  ///< empty: the table has no groups
};

/// The rows of a CSV table whose first line names the columns: path (also file, filename, filepath, image, image_path), label (also class,
/// class_name, target) and perhaps split and group, in any capitals; other columns are passed over. `text`: the file's content.
/// Errors, with file and line: those of parse_csv; kBadFormat: no such columns, or two; kBadData: an empty cell, a path twice.
Result<std::vector<TableEntry>> read_csv_entries(std::string_view text, std::string_view where);

/// The labels of the files of a flat folder (`files`: their names, sorted). `text` is one of: a label a line, as many as there are files,
/// for the files in the order of their names; a file and its label a line, separated by spaces or tabs (further words are passed over); a
/// CSV table as above, or Kaggle's LOC_val_solution.csv (ImageId,PredictionString: the label is the first word). Names may lack their
/// ending. Errors, with file and line: kBadFormat: none of these; kMismatch: as many labels as files are needed; kBadData: a file that is
/// not there, or twice.
Result<std::vector<TableEntry>> read_flat_entries(std::string_view text, std::string_view where, const std::vector<std::string>& files);

/// A listing of the entries, in their order: classes from spec.names or from the labels (order_classes), splits from the entries or by
/// divide_all, groups from the entries or spec.group. Labels that are numbers, where spec.names has none, are lines of it from spec.first on.
/// Errors: kBadData: a label that is no class, a split of another name, groups in two splits; those of read_class_names, order_classes and
/// set_groups.
Result<FolderListing> list_entries(const DatasetSpec& spec, const std::vector<TableEntry>& entries, const std::filesystem::path& root,
                                   const std::string& where);

/// The data sets of open_csv and open_flat. Errors: those above; those of read_file.
Result<FolderListing> list_csv(const DatasetSpec& spec);
Result<FolderListing> list_flat(const DatasetSpec& spec);

}  // namespace hedge::data::internal

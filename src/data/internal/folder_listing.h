#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data/internal/split.h"
#include "data/internal/tally.h"
#include "data/spec.h"
#include "hedge/dataset.h"
#include "hedge/result.h"

namespace hedge::data::internal {

struct ListedFile {
  std::string path;  ///< below the root, with '/'; or absolute
  std::int64_t label = 0;
  Split split = Split::kTrain;
  std::string group = {};  ///< empty: none
};

/// Every file of a data set of files with its class and split, whether it is an image or not: so a broken file moves no other.
struct FolderListing {
  std::filesystem::path root;
  std::vector<std::string> classes;
  std::vector<ListedFile> files;  ///< in the data set's order
  std::vector<Skipped> skipped;   ///< images outside of classes
  std::vector<Note> notes;        ///< what is to be said when the data set is opened
};

/// Lists the folder spec.path (docs/formats/datasets.md, "Folders"). With a train and a test folder that share a class, in any spelling
/// (split_name) and up to one level deeper: those are the splits, and a tenth of train is the calibration split, or val/ where
/// spec.val_calibrates. Otherwise the classes lie directly below, and a tenth each is test and calibration (two fifths each where no class
/// has three images). Images of one group (spec.group) lie in one split. Files are sorted by path.
/// Errors: kNotFound, kIo; kBadData: no class folder; what could be read in two ways, with the way out; those of order_classes and
/// set_groups.
Result<FolderListing> list_folder(const DatasetSpec& spec);

/// Puts each file in a split, class by class, whole groups where there are any (assign_splits). The files are those of one part of the data
/// set and in its order.
void divide(const FolderListing& listing, const std::vector<ListedFile*>& files, const SplitShares& shares);
/// Divides all files of a listing without splits of its own: a tenth each for test and calibration, two fifths where no class has three.
void divide_all(FolderListing& listing);

/// Errors: kBadData where a group has files in two splits, with examples.
Status check_groups(const FolderListing& listing);

}  // namespace hedge::data::internal

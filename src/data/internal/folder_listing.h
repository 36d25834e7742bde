#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data/spec.h"
#include "hedge/result.h"

namespace hedge::data::internal {

struct ListedFile {
  std::string path;  ///< below the root, with '/'
  std::int64_t label = 0;
  Split split = Split::kTrain;
};

/// Every file of an image folder with its class and split, whether it is an image or not: so a broken file moves no other.
struct FolderListing {
  std::vector<std::string> classes;  ///< sorted
  std::vector<ListedFile> files;     ///< sorted by path
};

/// Lists `root`. With train/ and one of test/, val/, validation/ and valid/ that shares a class with it: ImageNet's layout, where
/// the first of these is the test split and a tenth of train/ the calibration split. Otherwise the classes lie directly below, and a
/// tenth each is test and calibration (two fifths each where no class has three images). Names that begin with a dot are passed over; so
/// are files outside class folders. Errors: kNotFound, kIo, kBadData: no class folder, a train/ with which no test folder shares a class,
/// or only one of the two.
Result<FolderListing> list_folder(const std::filesystem::path& root);

}  // namespace hedge::data::internal

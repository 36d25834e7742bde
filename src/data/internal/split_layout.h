#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "data/internal/folder_walk.h"
#include "data/internal/tally.h"
#include "hedge/result.h"

namespace hedge::data::internal {

/// Where the class folders of the splits lie, as paths below the root.
struct SplitLayout {
  std::string train, test;
  std::string val;                ///< empty: none, or it is `test`
  std::set<std::string> classes;  ///< of train, test and val
  std::vector<Note> notes;
};

/// Finds the splits of a folder: directly below, or one level deeper in its only folder that has any ("images/train", "DATASET/train").
/// train is the folder of that name in any spelling, test the first of test, val, validation and valid, then of other spellings of test and
/// of val, that shares a class with it. Nothing where the folders are classes.
/// Errors: kIo; kBadData: folders that are splits by their names but do not make a layout, class folders that differ between the splits in
/// their capitals alone, several folders that have splits.
Result<std::optional<SplitLayout>> find_splits(FolderWalk& walk, const std::string& root_name);

inline constexpr const char* kLayoutHint =
    "the layout is CLASS/image.jpg, or train/CLASS/… beside test/CLASS/… (or val/, validation/, valid/; any capitals, also training_set/ "
    "or "
    "seg_test/)";

}  // namespace hedge::data::internal

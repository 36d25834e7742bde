#include "data/internal/split_layout.h"

#include <algorithm>
#include <map>

#include "data/internal/split_names.h"
#include "data/internal/text.h"

namespace hedge::data::internal {
namespace {

/// More folders than these are classes, which need not be opened to look for splits in them.
constexpr std::size_t kMostOuter = 8;
/// How deep class folders may lie in a split folder: seg_train/seg_train/CLASS.
constexpr int kMostWraps = 3;

struct Candidate {
  std::string name;
  SplitName split;
};

struct Candidates {
  std::vector<Candidate> train, test;  ///< in the order in which they are preferred
  std::size_t folders = 0;             ///< of all names
};

Error unsure(std::string what, const std::string& where, std::string got, std::string hint) {
  return Error{.code = ErrorCode::kBadData, .what = std::move(what), .where = where, .got = std::move(got), .hint = std::move(hint)};
}

/// The spellings that older versions knew come first, in their order; then test before val.
int rank(const Candidate& candidate) {
  constexpr std::string_view kFirst[] = {"train", "test", "val", "validation", "valid"};
  const auto* const found = std::find(std::begin(kFirst), std::end(kFirst), candidate.name);
  if (found != std::end(kFirst)) return static_cast<int>(found - std::begin(kFirst));
  return candidate.split.kind == SplitKind::kVal ? 11 : 10;
}

Candidates candidates_among(const std::vector<std::string>& names) {
  Candidates found{.train = {}, .test = {}, .folders = names.size()};
  for (const auto& name : names)
    if (auto split = split_name(name))
      (split->kind == SplitKind::kTrain ? found.train : found.test).push_back({.name = name, .split = *std::move(split)});
  for (auto* list : {&found.train, &found.test})
    std::stable_sort(list->begin(), list->end(), [](const Candidate& a, const Candidate& b) { return rank(a) < rank(b); });
  return found;
}

/// The folder below a split folder that holds the class folders: itself, or a folder that repeats its name or says nothing ("images").
struct ClassRoot {
  std::string path;
  std::set<std::string> classes;
};
Result<ClassRoot> class_root(FolderWalk& walk, const std::string& folder, const SplitName& split) {
  ClassRoot root{.path = folder, .classes = {}};
  for (int depth = 0; depth <= kMostWraps; ++depth) {
    HEDGE_TRY(const auto below, walk.subfolders(root.path));
    root.classes = {below.begin(), below.end()};
    if (below.size() != 1 || depth == kMostWraps) break;
    const auto inner = split_name(below[0]);
    if (!is_filler(below[0]) && !(inner && inner->kind == split.kind && inner->rest == split.rest)) break;
    HEDGE_TRY(const auto deeper, walk.subfolders(join(root.path, below[0])));
    if (deeper.empty()) break;
    root.path = join(root.path, below[0]);
  }
  return root;
}

bool share_a_class(const std::set<std::string>& a, const std::set<std::string>& b) {
  return std::any_of(a.begin(), a.end(), [&](const std::string& name) { return b.contains(name); });
}

/// A class of one split that the other has in other capitals only.
std::optional<std::string> differing_capitals(const std::set<std::string>& a, const std::set<std::string>& b) {
  std::map<std::string, std::string> lower;
  for (const auto& name : b) lower.emplace(lower_case(name), name);
  for (const auto& name : a) {
    const auto found = lower.find(lower_case(name));
    if (found != lower.end() && !b.contains(name)) return name + " and " + found->second;
  }
  return std::nullopt;
}

/// What lies beside the chosen folders is said, not read.
void note_unread(const std::vector<std::string>& names, const std::string& outer, SplitLayout& layout) {
  std::vector<std::string> unread;
  bool val = false;
  for (const auto& name : names) {
    const auto path = join(outer, name);
    const auto uses = [&](const std::string& chosen) { return chosen == path || chosen.starts_with(path + "/"); };
    if (uses(layout.train) || uses(layout.test)) continue;
    unread.push_back(path + "/");
    val = val || uses(layout.val);
  }
  if (unread.empty()) return;
  layout.notes.push_back({.text = "not read beside " + layout.train + "/ and " + layout.test + "/: " + few_of(unread) +
                                  (val ? "; val=calibration makes " + layout.val + "/ the calibration split" : "")});
}

void note_lone_classes(const ClassRoot& train, const ClassRoot& test, SplitLayout& layout) {
  std::vector<std::string> lone;
  for (const auto& name : test.classes)
    if (!train.classes.contains(name)) lone.push_back(test.path + "/" + name);
  for (const auto& name : train.classes)
    if (!test.classes.contains(name)) lone.push_back(train.path + "/" + name);
  if (!lone.empty())
    layout.notes.push_back(
        {.level = LogLevel::kWarning, .text = counted(lone.size(), "class folder") + " of one split alone: " + few_of(lone)});
}

Error no_shared_class(const Candidates& found, const std::string& where) {
  std::vector<std::string> tests;
  for (const auto& candidate : found.test) tests.push_back(candidate.name + "/");
  return unsure(
      "train/ has no class in common with test/, val/, validation/ or valid/", where, found.train.front().name + "/ and " + few_of(tests),
      "put the images of both into folders named by class: train/cat/1.jpg, test/cat/2.jpg; of one folder with a list of labels use "
      "flat:FOLDER?list=FILE, and of " +
          found.train.front().name + "/ alone folder:" + where + "/" + found.train.front().name);
}

/// The layout directly below `outer`. Nothing: no folder pair that may be one.
Result<std::optional<SplitLayout>> splits_below(FolderWalk& walk, const std::string& outer, const std::string& where) {
  HEDGE_TRY(const auto names, walk.subfolders(outer));
  auto found = candidates_among(names);
  if (found.train.empty()) return std::optional<SplitLayout>();
  const auto& train = found.train.front();
  std::erase_if(found.test, [&](const Candidate& candidate) { return candidate.split.rest != train.split.rest; });
  if (found.test.empty()) return std::optional<SplitLayout>();
  if (found.train.size() > 1 && train.name != "train" && found.train[1].split.rest == train.split.rest)
    return unsure("several folders may be the train split", where, few_of({found.train[0].name, found.train[1].name}),
                  "rename the right one to \"train\"");
  SplitLayout layout;
  HEDGE_TRY(const auto train_root, class_root(walk, join(outer, train.name), train.split));
  layout.train = train_root.path;
  layout.classes = train_root.classes;
  std::optional<std::string> capitals;
  for (const auto& candidate : found.test) {
    HEDGE_TRY(auto root, class_root(walk, join(outer, candidate.name), candidate.split));
    if (!capitals) capitals = differing_capitals(root.classes, train_root.classes);
    if (!share_a_class(root.classes, train_root.classes)) continue;
    if (capitals) break;
    if (layout.test.empty()) {
      layout.test = root.path;
      layout.classes.insert(root.classes.begin(), root.classes.end());
      note_lone_classes(train_root, root, layout);
    } else if (layout.val.empty() && candidate.split.kind == SplitKind::kVal) {
      layout.val = root.path;
    }
  }
  if (capitals)
    return unsure("class folders of train and test differ in their capitals alone", where, *capitals,
                  "give a class one name in all splits");
  if (layout.test.empty()) return no_shared_class(found, where);
  note_unread(names, outer, layout);
  return std::optional<SplitLayout>(std::move(layout));
}

/// Whether a file below the folder may be an image.
Result<bool> holds_images(const std::string& root, const std::string& folder) {
  FolderWalk walk(root);
  HEDGE_TRY(const auto files, walk.walk({folder}));
  return std::any_of(files.begin(), files.end(), [](const WalkedFile& file) { return may_be_image(file.path); });
}

/// The splits in one of the folders; each of the others must have no image.
Result<std::optional<SplitLayout>> splits_deeper(FolderWalk& walk, const std::vector<std::string>& outer, const std::string& where) {
  std::optional<SplitLayout> layout;
  std::vector<std::string> with;
  std::optional<Error> problem;
  for (const auto& name : outer) {
    auto below = splits_below(walk, name, where + "/" + name);
    if (!below && below.error().code != ErrorCode::kBadData) return below.error();
    if (!below) problem = below.error();
    if (!below || !*below) continue;
    with.push_back(name);
    layout = std::move(*below);
  }
  if (with.empty() && problem && outer.size() == 1) return *problem;
  if (with.empty()) return std::optional<SplitLayout>();
  std::vector<std::string> besides;
  for (const auto& name : outer) {
    if (name == with.front()) continue;
    HEDGE_TRY(const bool images, holds_images(where, name));
    if (images) besides.push_back(name);
  }
  if (besides.empty()) return layout;
  return unsure("it is not clear which folder holds the splits", where, with.front() + "/ has splits, and images lie in " + few_of(besides),
                "name the folder itself: folder:" + where + "/" + with.front());
}

/// An error where the folders are splits by their names but do not make the layout, so that reading them as classes would be wrong.
Status refuse_lone_splits(const std::vector<std::string>& names, const std::string& where) {
  const auto found = candidates_among(names);
  if (found.train.size() + found.test.size() < names.size()) return {};
  // "train_station" beside "test_tube" are classes: splits of one data set have the rest of their names in common.
  std::set<std::string> rests;
  for (const auto* list : {&found.train, &found.test})
    for (const auto& candidate : *list) rests.insert(candidate.split.rest);
  if (rests.size() > 1) return {};
  if (!found.train.empty() && !found.test.empty())
    return unsure("the folders are splits by their names, but not train/ and a test folder of one name", where, few_of(names), kLayoutHint);
  if (!found.train.empty())
    return unsure("train/ stands alone, without a test folder", where, found.train.front().name,
                  std::string(kLayoutHint) + "; folder:" + where + "/" + found.train.front().name + " divides its images");
  return unsure("there is a test folder without train/ beside it", where, found.test.front().name,
                std::string(kLayoutHint) + "; folder:" + where + "/" + found.test.front().name + " takes its images alone");
}

}  // namespace

Result<std::optional<SplitLayout>> find_splits(FolderWalk& walk, const std::string& root_name) {
  HEDGE_TRY(const auto names, walk.subfolders(""));
  HEDGE_TRY(auto layout, splits_below(walk, "", root_name));
  if (layout) return layout;
  if (names.empty()) return unsure("the folder has no class folder", root_name, "", kLayoutHint);
  HEDGE_CHECK(refuse_lone_splits(names, root_name));
  if (names.size() > kMostOuter) return std::optional<SplitLayout>();
  return splits_deeper(walk, names, root_name);
}

}  // namespace hedge::data::internal

#include "data/internal/folder_listing.h"

#include <algorithm>
#include <map>
#include <set>

#include "data/internal/class_order.h"
#include "data/internal/folder_walk.h"
#include "data/internal/groups.h"
#include "data/internal/split_layout.h"
#include "data/internal/split_names.h"
#include "data/internal/text.h"

namespace hedge::data::internal {
namespace {

namespace fs = std::filesystem;

constexpr Share kTenth{.part = 1, .of = 10};
constexpr Share kTwoFifths{.part = 2, .of = 5};

/// The class folders of one part of the root and their files.
struct Part {
  std::string folder;  ///< below the root; empty: the root itself
  Split split = Split::kTrain;
  std::vector<WalkedFile> files;  ///< WalkedFile::part: the class's place in Parts::classes
};

/// What was found before classes are numbered.
struct Parts {
  std::vector<std::string> classes;  ///< in byte order
  std::vector<Part> parts;
};

/// Walks the parts; one walk for all of them, so that no folder is read twice.
Status fill(FolderWalk& walk, Parts& found, FolderListing& listing) {
  std::vector<std::string> folders, others;
  std::vector<std::pair<std::size_t, std::size_t>> meaning;  // part, class
  for (std::size_t p = 0; p < found.parts.size(); ++p) {
    HEDGE_TRY(const auto below, walk.subfolders(found.parts[p].folder));
    for (std::size_t c = 0; c < found.classes.size(); ++c) {
      if (!std::binary_search(below.begin(), below.end(), found.classes[c])) continue;
      folders.push_back(join(found.parts[p].folder, found.classes[c]));
      meaning.emplace_back(p, c);
    }
    for (const auto& name : below)
      if (!std::binary_search(found.classes.begin(), found.classes.end(), name)) others.push_back(join(found.parts[p].folder, name) + "/");
  }
  if (!others.empty())
    listing.notes.push_back({.level = LogLevel::kWarning,
                             .text = counted(others.size(), "folder") + " of no class of train or test not read: " + few_of(others)});
  HEDGE_TRY(const auto files, walk.walk(folders));
  for (const auto& file : files) {
    const auto [part, label] = meaning[file.part];
    found.parts[part].files.push_back({.path = file.path, .part = label});
  }
  return {};
}

/// Files of the root and of the split folders themselves, which belong to no class.
Status note_beside(FolderWalk& walk, const Parts& found, FolderListing& listing) {
  std::set<std::string> folders = {""};
  for (const auto& part : found.parts) folders.insert(part.folder);
  std::vector<std::string> images, others;
  for (const auto& folder : folders) {
    HEDGE_TRY(const auto names, walk.files(folder));
    for (const auto& name : names)
      (may_be_image(name) && name.find('.') != std::string::npos ? images : others).push_back(join(folder, name));
  }
  for (const auto& path : images) listing.skipped.push_back({.path = path, .reason = "the file lies beside the class folders"});
  if (!images.empty())
    listing.notes.push_back(
        {.level = LogLevel::kWarning, .text = counted(images.size(), "file") + " beside the class folders not read: " + few_of(images)});
  if (!others.empty())
    listing.notes.push_back({.text = counted(others.size(), "file") + " beside the class folders not read: " + few_of(others)});
  return {};
}

/// The classes that have a file which may be an image, numbered; empty folders are none. `number_of`: the place in Parts::classes -> the
/// class's number, or -1 for none.
Status number_classes(const DatasetSpec& spec, const Parts& found, FolderListing& listing, std::vector<std::int64_t>& number_of) {
  std::vector<bool> filled(found.classes.size(), false), images(found.classes.size(), false);
  for (const auto& part : found.parts)
    for (const auto& file : part.files) {
      filled[file.part] = true;
      if (may_be_image(file.path)) images[file.part] = true;
    }
  std::vector<std::string> names, empty, other;
  // Among numbers an empty folder is a class without images, so that the others keep their numbers.
  const bool numbers = spec.order != ClassOrder::kName &&
                       std::all_of(found.classes.begin(), found.classes.end(), [](const auto& name) { return as_number(name); });
  for (std::size_t c = 0; c < found.classes.size(); ++c) {
    if (images[c] || numbers)
      names.push_back(found.classes[c]);
    else
      (filled[c] ? other : empty).push_back(found.classes[c] + "/");
  }
  if (!empty.empty())
    listing.notes.push_back(
        {.level = LogLevel::kWarning, .text = counted(empty.size(), "empty folder") + " taken as no class: " + few_of(empty)});
  if (!other.empty())
    listing.notes.push_back(
        {.level = LogLevel::kWarning, .text = counted(other.size(), "folder") + " without images taken as no class: " + few_of(other)});
  HEDGE_TRY(auto ordered, order_classes(std::move(names), spec.order, spec.path));
  listing.classes = std::move(ordered.names);
  listing.notes.insert(listing.notes.end(), ordered.notes.begin(), ordered.notes.end());
  number_of.assign(found.classes.size(), -1);
  std::map<std::string, std::int64_t> place;
  for (std::size_t i = 0; i < listing.classes.size(); ++i) place.emplace(listing.classes[i], static_cast<std::int64_t>(i));
  for (std::size_t c = 0; c < found.classes.size(); ++c)
    if (const auto at = place.find(found.classes[c]); at != place.end()) number_of[c] = at->second;
  return {};
}

/// The second folder of "class/folder/image.jpg", or "".
std::string folder_in_class(const std::string& path) {
  const auto first = path.find('/');
  const auto second = first == std::string::npos ? first : path.find('/', first + 1);
  return second == std::string::npos ? "" : path.substr(first + 1, second - first - 1);
}

/// Whether what was read as classes looks like something else: splits inside of class folders are refused, folders that all classes have
/// are said. `flat`: the files of classes directly below the root.
Status doubt_classes(const std::string& where, const std::vector<WalkedFile>& flat, FolderListing& listing) {
  std::map<std::size_t, std::set<std::string>> inside;
  for (const auto& file : flat)
    if (may_be_image(file.path)) inside[file.part].insert(folder_in_class(file.path));
  std::set<std::string> in_all = inside.empty() ? std::set<std::string>() : inside.begin()->second;
  for (const auto& [part, folders] : inside) {
    bool train = false, test = false;
    for (const auto& folder : folders)
      if (const auto split = split_name(folder)) (split->kind == SplitKind::kTrain ? train : test) = true;
    if (train && test)
      return Error{.code = ErrorCode::kBadData,
                   .what = "the splits lie inside of the class folders, so reading them would mix train and test",
                   .where = where,
                   .got = few_of({folders.begin(), folders.end()}),
                   .expected = "train/CLASS/… beside test/CLASS/…",
                   .hint = "turn the folders round, or name the images with their splits in a table: csv:FILE with path,label,split"};
    std::erase_if(in_all, [&present = folders](const std::string& folder) { return !present.contains(folder); });
  }
  in_all.erase("");
  if (inside.size() < 2 || in_all.size() < 2) return {};
  listing.notes.push_back({.level = LogLevel::kWarning,
                           .text = "each of the " + std::to_string(inside.size()) + " class folders holds the folders " +
                                   few_of({in_all.begin(), in_all.end()}) +
                                   ": if these are the classes, name one of the outer folders (folder:" + where + "/…)"});
  return {};
}

Parts parts_of(const SplitLayout& layout, bool val_calibrates) {
  Parts found{.classes = {layout.classes.begin(), layout.classes.end()}, .parts = {}};
  found.parts.push_back({.folder = layout.train, .split = Split::kTrain, .files = {}});
  if (val_calibrates) found.parts.push_back({.folder = layout.val, .split = Split::kCalibration, .files = {}});
  found.parts.push_back({.folder = layout.test, .split = Split::kTest, .files = {}});
  return found;
}

/// A folder with a single folder is a path too short.
Status check_outer(const DatasetSpec& spec, FolderWalk& walk, const std::vector<std::string>& classes) {
  if (classes.size() != 1) return {};
  HEDGE_TRY(const auto below, walk.subfolders(classes[0]));
  if (below.size() < 2) return {};
  return Error{.code = ErrorCode::kBadData,
               .what = "the folder has a single class folder",
               .where = spec.path,
               .got = classes[0] + "/, with " + std::to_string(below.size()) + " folders in it",
               .hint = "if those are the classes, say folder:" + spec.path + "/" + classes[0]};
}

void add_files(const Parts& found, const std::vector<std::int64_t>& number_of, FolderListing& listing) {
  for (const auto& part : found.parts)
    for (const auto& file : part.files)
      if (number_of[file.part] >= 0) listing.files.push_back({.path = file.path, .label = number_of[file.part], .split = part.split});
  std::sort(listing.files.begin(), listing.files.end(), [](const ListedFile& a, const ListedFile& b) { return a.path < b.path; });
}

Result<Parts> find_parts(const DatasetSpec& spec, FolderWalk& walk, FolderListing& listing, bool& has_splits) {
  HEDGE_TRY(const auto layout, find_splits(walk, spec.path));
  has_splits = layout.has_value();
  Error no_val{.code = ErrorCode::kBadData,
               .what = "there is no val/ beside train/ and test/ that shares a class with them",
               .where = spec.path,
               .hint = "leave val=calibration out: then a tenth of the train split calibrates"};
  if (spec.val_calibrates && (!layout || layout->val.empty())) return no_val;
  if (layout) {
    listing.notes = layout->notes;
    if (spec.val_calibrates) std::erase_if(listing.notes, [](const Note& one) { return one.text.starts_with("not read beside"); });
    return parts_of(*layout, spec.val_calibrates);
  }
  Parts found;
  HEDGE_TRY(found.classes, walk.subfolders(""));
  HEDGE_CHECK(check_outer(spec, walk, found.classes));
  found.parts.push_back({.folder = "", .split = Split::kTrain, .files = {}});
  return found;
}

/// Divides what the layout leaves undivided: all of a flat folder, or train/ where nothing else calibrates.
void divide_parts(const DatasetSpec& spec, bool has_splits, FolderListing& listing) {
  if (!has_splits) return divide_all(listing);
  if (spec.val_calibrates) return;
  std::vector<ListedFile*> train;
  for (auto& file : listing.files)
    if (file.split == Split::kTrain) train.push_back(&file);
  divide(listing, train, {.calibration = kTenth, .test = {}});
}

}  // namespace

void divide(const FolderListing& listing, const std::vector<ListedFile*>& files, const SplitShares& shares) {
  std::vector<std::int64_t> labels;
  std::vector<std::uint64_t> keys;
  std::vector<std::size_t> groups;
  std::map<std::string, std::size_t> numbers;
  for (const auto* file : files) {
    labels.push_back(file->label);
    keys.push_back(stable_hash(file->group.empty() ? file->path : file->group));
    if (!file->group.empty()) groups.push_back(numbers.emplace(file->group, numbers.size()).first->second);
  }
  const auto splits = assign_splits({.labels = labels, .keys = keys, .classes = listing.classes.size(), .groups = groups}, shares);
  for (std::size_t i = 0; i < files.size(); ++i) files[i]->split = splits[i];
}

void divide_all(FolderListing& listing) {
  std::vector<ListedFile*> files;
  std::vector<std::size_t> counts(listing.classes.size(), 0);
  for (auto& file : listing.files) {
    files.push_back(&file);
    ++counts[static_cast<std::size_t>(file.label)];
  }
  // Where no class has images enough to be divided by itself, nothing can be trained on the folder: it judges models of elsewhere.
  const bool can_train = std::any_of(counts.begin(), counts.end(), [](std::size_t count) { return count >= kLeastToDivide; });
  const auto share = can_train ? kTenth : kTwoFifths;
  divide(listing, files, {.calibration = share, .test = share});
}

Status check_groups(const FolderListing& listing) {
  std::map<std::string, Split> split_of;
  std::set<std::string> torn;
  for (const auto& file : listing.files) {
    if (file.group.empty()) continue;
    const auto [found, fresh] = split_of.emplace(file.group, file.split);
    if (!fresh && found->second != file.split) torn.insert(file.group);
  }
  if (torn.empty()) return {};
  return Error{.code = ErrorCode::kBadData,
               .what = counted(torn.size(), "group") + " of " + std::to_string(split_of.size()) + " have images in two splits",
               .where = listing.root.string(),
               .got = few_of({torn.begin(), torn.end()}),
               .expected = "all images of a group in one split",
               .hint = "move them into one split, or leave the group option out if these images are independent"};
}

Result<FolderListing> list_folder(const DatasetSpec& spec) {
  FolderListing listing{.root = spec.path};
  std::error_code ignored;
  if (!fs::is_directory(listing.root, ignored))
    return Error{.code = ErrorCode::kNotFound,
                 .what = fs::exists(listing.root, ignored) ? "this is no folder" : "the folder is not there",
                 .where = spec.path};
  FolderWalk walk(listing.root);
  bool has_splits = false;
  HEDGE_TRY(auto found, find_parts(spec, walk, listing, has_splits));
  HEDGE_CHECK(fill(walk, found, listing));
  std::vector<std::int64_t> number_of;
  HEDGE_CHECK(number_classes(spec, found, listing, number_of));
  if (!has_splits) HEDGE_CHECK(doubt_classes(spec.path, found.parts.front().files, listing));
  add_files(found, number_of, listing);
  HEDGE_CHECK(note_beside(walk, found, listing));
  if (!spec.group.empty()) HEDGE_CHECK(set_groups(spec.group, spec.path, listing));
  divide_parts(spec, has_splits, listing);
  if (!spec.group.empty()) HEDGE_CHECK(check_groups(listing));
  const auto walked = walk.notes();
  listing.notes.insert(listing.notes.end(), walked.begin(), walked.end());
  return listing;
}

}  // namespace hedge::data::internal

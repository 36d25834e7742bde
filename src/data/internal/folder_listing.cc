#include "data/internal/folder_listing.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "data/internal/split.h"

namespace hedge::data::internal {
namespace {

namespace fs = std::filesystem;

constexpr Share kTenth{.part = 1, .of = 10};
constexpr Share kTwoFifths{.part = 2, .of = 5};
constexpr const char* kTrain = "train";
constexpr const char* kTestNames[] = {"test", "val", "validation", "valid"};  ///< the first that fits is the test split
constexpr const char* kLayoutHint = "the layout is CLASS/image.jpg, or train/CLASS/… beside test/CLASS/… (or val/, validation/, valid/)";

Error cannot_list(const fs::path& path, const std::error_code& problem) {
  return Error{.code = ErrorCode::kIo, .what = "the folder cannot be listed", .where = path.string(), .got = problem.message()};
}

bool is_hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

/// The names of the folders directly below.
Result<std::set<std::string>> subfolders(const fs::path& root) {
  std::set<std::string> names;
  std::error_code problem;
  fs::directory_iterator it(root, problem);
  for (; !problem && it != fs::directory_iterator(); it.increment(problem)) {
    std::error_code ignored;
    if (!is_hidden(it->path()) && it->is_directory(ignored)) names.insert(it->path().filename().string());
  }
  if (problem) return cannot_list(root, problem);
  return names;
}

/// Adds all files at any depth below root/folder (links to folders are not followed there, so there is no endless loop).
Status add_files(const fs::path& root, const fs::path& folder, std::int64_t label, std::vector<ListedFile>& files) {
  std::error_code problem;
  fs::recursive_directory_iterator it(root / folder, problem);
  for (; !problem && it != fs::recursive_directory_iterator(); it.increment(problem)) {
    std::error_code ignored;
    const bool folder_itself = it->is_directory(ignored);
    if (is_hidden(it->path())) {
      if (folder_itself) it.disable_recursion_pending();
    } else if (!folder_itself) {
      files.push_back({.path = it->path().lexically_relative(root).generic_string(), .label = label, .split = Split::kTrain});
    }
  }
  if (problem) return cannot_list(root / folder, problem);
  return {};
}

void divide(FolderListing& listing, std::vector<ListedFile>& files, const SplitShares& shares) {
  std::sort(files.begin(), files.end(), [](const ListedFile& a, const ListedFile& b) { return a.path < b.path; });
  std::vector<std::int64_t> labels;
  std::vector<std::uint64_t> keys;
  for (const auto& file : files) {
    labels.push_back(file.label);
    keys.push_back(stable_hash(file.path));
  }
  const auto splits = assign_splits({.labels = labels, .keys = keys, .classes = listing.classes.size()}, shares);
  for (std::size_t i = 0; i < files.size(); ++i) files[i].split = splits[i];
}

/// The files of root/part/CLASS for each class that has a folder there; part may be empty.
Result<std::vector<ListedFile>> list_part(const fs::path& root, const fs::path& part, const std::vector<std::string>& classes) {
  std::vector<ListedFile> files;
  for (std::size_t c = 0; c < classes.size(); ++c) {
    const auto folder = part / classes[c];
    std::error_code ignored;
    if (fs::is_directory(root / folder, ignored)) HEDGE_CHECK(add_files(root, folder, static_cast<std::int64_t>(c), files));
  }
  return files;
}

/// Whether some class has images enough to be divided by itself. Where none has, nothing can be trained on the folder: it judges models
/// of elsewhere, and needs its images for that.
bool can_train(const std::vector<ListedFile>& files, std::size_t classes) {
  std::vector<std::size_t> counts(classes, 0);
  for (const auto& file : files) ++counts[static_cast<std::size_t>(file.label)];
  return std::any_of(counts.begin(), counts.end(), [](std::size_t count) { return count >= kLeastToDivide; });
}

/// The name of the test folder beside train/, or an error where neither has class folders like train's.
Result<std::string> choose_test_folder(const fs::path& root, const std::set<std::string>& parts, const std::set<std::string>& train) {
  for (const std::string name : kTestNames) {
    if (!parts.contains(name)) continue;
    HEDGE_TRY(const auto classes, subfolders(root / name));
    const bool shares = std::any_of(classes.begin(), classes.end(), [&](const std::string& c) { return train.contains(c); });
    if (shares) return name;
  }
  return Error{.code = ErrorCode::kBadData,
               .what = "train/ has no class in common with test/, val/, validation/ or valid/",
               .where = root.string(),
               .hint = "put the images of both into folders named by class: train/cat/1.jpg, test/cat/2.jpg"};
}

Result<FolderListing> list_imagenet_layout(const fs::path& root, const std::set<std::string>& parts) {
  HEDGE_TRY(auto classes, subfolders(root / kTrain));
  HEDGE_TRY(const auto test_folder, choose_test_folder(root, parts, classes));
  HEDGE_TRY(const auto test_classes, subfolders(root / test_folder));
  classes.insert(test_classes.begin(), test_classes.end());
  FolderListing listing{.classes = {classes.begin(), classes.end()}, .files = {}};
  HEDGE_TRY(listing.files, list_part(root, kTrain, listing.classes));
  divide(listing, listing.files, {.calibration = kTenth, .test = {}});
  HEDGE_TRY(auto test, list_part(root, test_folder, listing.classes));
  divide(listing, test, {.calibration = {}, .test = {.part = 1, .of = 1}});
  std::move(test.begin(), test.end(), std::back_inserter(listing.files));
  return listing;
}

bool is_test_name(const std::string& name) { return std::find(std::begin(kTestNames), std::end(kTestNames), name) != std::end(kTestNames); }

/// An error where the folders are splits by their names but do not make the layout, so that reading them as classes would be wrong.
Status check_flat(const fs::path& root, const std::set<std::string>& parts) {
  Error error{.code = ErrorCode::kBadData, .what = {}, .where = root.string(), .hint = kLayoutHint};
  const bool only_splits = std::all_of(parts.begin(), parts.end(), [](const auto& name) { return name == kTrain || is_test_name(name); });
  if (parts.empty())
    error.what = "the folder has no class folder";
  else if (only_splits)
    error.what = parts.contains(kTrain) ? "train/ stands alone, without a test folder" : "there is a test folder without train/ beside it";
  if (error.what.empty()) return {};
  return error;
}

}  // namespace

Result<FolderListing> list_folder(const fs::path& root) {
  std::error_code ignored;
  if (!fs::is_directory(root, ignored))
    return Error{.code = ErrorCode::kNotFound,
                 .what = fs::exists(root, ignored) ? "this is no folder" : "the folder is not there",
                 .where = root.string()};
  HEDGE_TRY(const auto parts, subfolders(root));
  if (parts.contains(kTrain) && std::any_of(parts.begin(), parts.end(), is_test_name)) {
    HEDGE_TRY(auto listing, list_imagenet_layout(root, parts));
    std::sort(listing.files.begin(), listing.files.end(), [](const ListedFile& a, const ListedFile& b) { return a.path < b.path; });
    return listing;
  }
  HEDGE_CHECK(check_flat(root, parts));
  FolderListing listing{.classes = {parts.begin(), parts.end()}, .files = {}};
  HEDGE_TRY(listing.files, list_part(root, "", listing.classes));
  const auto share = can_train(listing.files, listing.classes.size()) ? kTenth : kTwoFifths;
  divide(listing, listing.files, {.calibration = share, .test = share});
  return listing;
}

}  // namespace hedge::data::internal

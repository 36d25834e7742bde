#include "data/internal/table_listing.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/file.h"
#include "data/internal/class_order.h"
#include "data/internal/folder_walk.h"
#include "data/internal/groups.h"
#include "data/internal/sources.h"
#include "data/internal/split_names.h"
#include "data/internal/text.h"
#include "data/label_map.h"

namespace hedge::data::internal {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostTableBytes = std::size_t{1} << 30;

Error bad_line(std::string what, const std::string& where, std::size_t line, std::string got, std::string expected) {
  return Error{.code = ErrorCode::kBadData,
               .what = std::move(what),
               .where = where + ", line " + std::to_string(line),
               .got = got.substr(0, 80),
               .expected = std::move(expected)};
}

/// The split that a cell names; val and dev calibrate.
std::optional<Split> split_of(const std::string& cell) {
  const auto lower = lower_case(cell);
  if (lower == "calibration" || lower == "calib" || lower == "cal") return Split::kCalibration;
  const auto name = split_name(cell);
  if (!name || !name->rest.empty()) return std::nullopt;
  if (name->kind == SplitKind::kTrain) return Split::kTrain;
  return name->kind == SplitKind::kTest ? Split::kTest : Split::kCalibration;
}

/// Splits of the table. Without test images val is the test split, as in a folder; without others a tenth of train calibrates.
Status set_splits(const std::vector<TableEntry>& entries, const std::string& where, FolderListing& listing) {
  std::set<Split> found;
  bool by_val = false;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto split = split_of(entries[i].split);
    if (!split) return bad_line("a split has another name", where, entries[i].line, entries[i].split, "train, val, calibration or test");
    listing.files[i].split = *split;
    found.insert(*split);
    by_val = by_val || (*split == Split::kCalibration && split_name(entries[i].split));
  }
  if (!found.contains(Split::kTest) && by_val) {
    for (auto& file : listing.files)
      if (file.split == Split::kCalibration) file.split = Split::kTest;
    found.erase(Split::kCalibration);
    listing.notes.push_back({.text = "there are no test images, so those of val are the test split, and a tenth of train calibrates"});
  }
  if (found.contains(Split::kCalibration) || !found.contains(Split::kTrain)) return {};
  std::vector<ListedFile*> train;
  for (auto& file : listing.files)
    if (file.split == Split::kTrain) train.push_back(&file);
  divide(listing, train, {.calibration = {.part = 1, .of = 10}, .test = {}});
  return {};
}

/// Labels as names, found in spec.names or numbered by themselves.
class Labels {
 public:
  static Result<Labels> make(const DatasetSpec& spec, const std::vector<TableEntry>& entries, const std::string& where) {
    Labels labels;
    std::set<std::string> names;
    bool numbers = true;
    for (const auto& entry : entries) {
      names.insert(entry.label);
      numbers = numbers && as_number(entry.label).has_value();
    }
    if (!spec.names.empty()) return labels.take_names(spec, numbers);
    const auto order = spec.first && numbers ? std::optional(ClassOrder::kNumber) : spec.order;
    HEDGE_TRY(auto ordered, order_classes({names.begin(), names.end()}, order, where));
    labels.names_ = std::move(ordered.names);
    if (spec.first == 1 && numbers && as_number(labels.names_.front()) == 0 && !names.contains(labels.names_.front()))
      labels.names_.erase(labels.names_.begin());
    labels.notes_ = std::move(ordered.notes);
    labels.index();
    return labels;
  }

  [[nodiscard]] std::optional<std::int64_t> of(const std::string& label) const {
    if (first_) {
      const auto number = as_number(label);
      if (!number || *number < *first_ || *number - *first_ >= static_cast<std::int64_t>(names_.size())) return std::nullopt;
      return *number - *first_;
    }
    const auto found = index_.find(label);
    if (found == index_.end()) return std::nullopt;
    return found->second;
  }
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  [[nodiscard]] const std::vector<Note>& notes() const { return notes_; }

 private:
  /// Labels are names of the file; or numbers of its lines, where no label is a name in it.
  Result<Labels> take_names(const DatasetSpec& spec, bool numbers) {
    HEDGE_TRY(names_, read_class_names(spec.names));
    index();
    const bool named = std::any_of(names_.begin(), names_.end(), [](const std::string& name) { return as_number(name).has_value(); });
    if (numbers && !named) first_ = spec.first.value_or(0);
    return std::move(*this);
  }
  void index() {
    for (std::size_t i = 0; i < names_.size(); ++i) index_.emplace(names_[i], static_cast<std::int64_t>(i));
  }

  std::vector<std::string> names_;
  std::vector<Note> notes_;
  std::map<std::string, std::int64_t> index_;
  std::optional<std::int64_t> first_;  ///< labels are numbers of names_, from this one on
};

/// Numbers that begin at 1 may be lines of a list, or ImageNet's own numbers in another order than its WNIDs': the user must say which.
Status ask_for_first(const DatasetSpec& spec, const std::vector<TableEntry>& entries, const std::string& where) {
  if (spec.first) return {};
  for (const auto& entry : entries) {
    const auto number = as_number(entry.label);
    if (!number || *number == 0) return {};
  }
  return Error{
      .code = ErrorCode::kBadData,
      .what = "the labels are numbers and none is 0, so it is not known which is the first class",
      .where = where,
      .hint =
          "say first=1 (label 1 is the first class) or first=0, with names=FILE for the classes' names. The numbers of "
          "ILSVRC2012_validation_ground_truth.txt are not in the order of the WNIDs: make names=FILE from meta.mat of the same kit, "
          "a WNID a line in the order of ILSVRC2012_ID"};
}

struct FlatFiles {
  std::vector<std::string> names;  ///< sorted
  std::vector<Note> notes;
};

/// The files of a flat folder that may be images.
Result<FlatFiles> image_names_in(const std::string& folder) {
  FolderWalk walk(folder);
  FlatFiles found;
  std::vector<std::string> others;
  HEDGE_TRY(const auto names, walk.files(""));
  for (const auto& name : names) (may_be_image(name) ? found.names : others).push_back(name);
  HEDGE_TRY(const auto folders, walk.subfolders(""));
  found.notes = walk.notes();
  for (const auto& name : folders) others.push_back(name + "/");
  if (!others.empty()) found.notes.push_back({.text = counted(others.size(), "name") + " beside the images not read: " + few_of(others)});
  return found;
}

}  // namespace

Result<FolderListing> list_entries(const DatasetSpec& spec, const std::vector<TableEntry>& entries, const fs::path& root,
                                   const std::string& where) {
  FolderListing listing{.root = root};
  HEDGE_TRY(const auto labels, Labels::make(spec, entries, where));
  listing.classes = labels.names();
  listing.notes = labels.notes();
  for (const auto& entry : entries) {
    const auto label = labels.of(entry.label);
    if (!label) return bad_line("a label is no class", where, entry.line, entry.label, "one of the classes in " + spec.names);
    listing.files.push_back({.path = entry.path, .label = *label, .group = entry.group});
  }
  const bool grouped = !entries.empty() && !entries.front().group.empty();
  if (grouped && !spec.group.empty())
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "groups are given twice",
                 .where = where,
                 .got = "the column \"group\" and group=" + spec.group,
                 .expected = "one of both"};
  if (!spec.group.empty()) HEDGE_CHECK(set_groups(spec.group, where, listing));
  if (grouped) note_groups(listing);
  if (entries.empty() || entries.front().split.empty())
    divide_all(listing);
  else
    HEDGE_CHECK(set_splits(entries, where, listing));
  HEDGE_CHECK(check_groups(listing));
  return listing;
}

Result<FolderListing> list_csv(const DatasetSpec& spec) {
  HEDGE_TRY(const auto text, read_file(spec.path, kMostTableBytes));
  HEDGE_TRY(const auto entries, read_csv_entries(text, spec.path));
  if (!spec.names.empty()) HEDGE_CHECK(ask_for_first(spec, entries, spec.path));
  const auto root = spec.root.empty() ? fs::path(spec.path).parent_path() : fs::path(spec.root);
  return list_entries(spec, entries, root, spec.path);
}

Result<FolderListing> list_flat(const DatasetSpec& spec) {
  std::error_code problem;
  if (!fs::is_directory(spec.path, problem))
    return Error{.code = ErrorCode::kNotFound, .what = "the folder is not there", .where = spec.path};
  HEDGE_TRY(auto files, image_names_in(spec.path));
  HEDGE_TRY(const auto text, read_file(spec.list, kMostTableBytes));
  HEDGE_TRY(const auto entries, read_flat_entries(text, spec.list, files.names));
  HEDGE_CHECK(ask_for_first(spec, entries, spec.list));
  HEDGE_TRY(auto listing, list_entries(spec, entries, spec.path, spec.list));
  listing.notes.insert(listing.notes.end(), files.notes.begin(), files.notes.end());
  std::sort(listing.files.begin(), listing.files.end(), [](const ListedFile& a, const ListedFile& b) { return a.path < b.path; });
  return listing;
}

Result<Opened> open_csv(const DatasetSpec& spec, const OpenOptions& options) {
  HEDGE_TRY(const auto listing, list_csv(spec));
  return open_listing(spec, options, listing);
}

Result<Opened> open_flat(const DatasetSpec& spec, const OpenOptions& options) {
  HEDGE_TRY(const auto listing, list_flat(spec));
  return open_listing(spec, options, listing);
}

}  // namespace hedge::data::internal

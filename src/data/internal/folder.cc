#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>

#include "core/file.h"
#include "data/internal/folder_listing.h"
#include "data/internal/remarks.h"
#include "data/internal/sources.h"
#include "data/internal/split.h"
#include "data/skipped.h"
#include "hedge/image.h"

namespace hedge::data::internal {
namespace {

constexpr std::size_t kMostFileBytes = std::size_t{1} << 28;

Result<std::string> read_image_file(const std::filesystem::path& path) {
  std::error_code problem;
  // Opening a pipe or a device could wait for ever.
  if (std::filesystem::exists(path, problem) && !std::filesystem::is_regular_file(path, problem))
    return Error{.code = ErrorCode::kBadFormat, .what = "this is no regular file", .where = path.string()};
  return read_file(path, kMostFileBytes);
}

struct FolderItem {
  std::string path;  ///< below the root
  std::int64_t label;
  std::string sha256;  ///< of the file
  std::string group;   ///< empty: none
};

class FolderDataset final : public Dataset {
 public:
  FolderDataset(const DatasetSpec& spec, const FolderListing& listing, std::vector<FolderItem> items)
      : root_(listing.root), spec_(to_string(spec)), classes_(listing.classes), items_(std::move(items)) {
    ContentHash hash;
    for (const auto& item : items_) hash.add(item.label, item.sha256);
    content_hash_ = hash.hex();
  }

  [[nodiscard]] std::size_t size() const override { return items_.size(); }
  [[nodiscard]] const std::vector<std::string>& class_names() const override { return classes_; }
  [[nodiscard]] std::int64_t label(std::size_t index) const override { return items_[index].label; }
  [[nodiscard]] std::string id(std::size_t index) const override { return items_[index].path; }
  [[nodiscard]] Result<Image> image(std::size_t index) const override {
    HEDGE_TRY(const auto bytes, read_image_file(root_ / items_[index].path));
    return decode_image(bytes, items_[index].path);
  }
  [[nodiscard]] const std::string& content_hash() const override { return content_hash_; }
  [[nodiscard]] const std::string& spec() const override { return spec_; }
  [[nodiscard]] std::string group(std::size_t index) const override { return items_[index].group; }
  [[nodiscard]] std::optional<std::uint64_t> stored_hash(std::size_t index) const override { return first_bytes_of(items_[index].sha256); }

 private:
  std::filesystem::path root_;
  std::string spec_;
  std::vector<std::string> classes_;
  std::vector<FolderItem> items_;
  std::string content_hash_;
};

/// Probes and hashes the files of one split and keeps the images.
class Collector {
 public:
  Collector(const DatasetSpec& spec, const OpenOptions& options, const FolderListing& listing)
      : spec_(spec), options_(options), listing_(listing) {
    for (const auto& file : listing.files)
      if ((spec.split == Split::kAll || file.split == spec.split) && spec.wants(file.label)) wanted_.push_back(&file);
  }

  Result<Opened> open() {
    std::vector<std::int64_t> labels;
    for (const auto* file : wanted_) labels.push_back(file->label);
    digests_.resize(wanted_.size());
    infos_.resize(wanted_.size());
    refused_.resize(listing_.classes.size());
    HEDGE_CHECK(check_class_folders());
    HEDGE_TRY(const auto kept, take_balanced(labels, listing_.classes.size(), spec_.limit.value_or(wanted_.size()),
                                             [this](std::size_t i) { return accept(i); }));
    std::vector<FolderItem> items;
    for (const auto i : kept) items.push_back({wanted_[i]->path, wanted_[i]->label, digests_[i], wanted_[i]->group});
    HEDGE_CHECK(check_classes(items));
    say(kept);
    skipped_.insert(skipped_.end(), empty_classes_.begin(), empty_classes_.end());
    std::sort(skipped_.begin(), skipped_.end(), [](const Skipped& a, const Skipped& b) { return a.path < b.path; });
    Opened opened;
    opened.dataset = std::make_unique<FolderDataset>(spec_, listing_, std::move(items));
    opened.skipped = std::move(skipped_);
    return opened;
  }

 private:
  /// Whether file `i` is an image by its header. Errors: in strict mode, that it is none.
  Result<bool> accept(std::size_t i) {
    const auto& path = wanted_[i]->path;
    const auto bytes = read_image_file(listing_.root / path);
    if (!bytes) return refuse(i, bytes.error());
    const auto info = probe_image(*bytes, path);
    if (!info) return refuse(i, info.error());
    digests_[i] = sha256_hex(*bytes);
    infos_[i] = *info;
    return true;
  }

  Result<bool> refuse(std::size_t i, const Error& error) {
    if (options_.strict) return error;
    skipped_.push_back({wanted_[i]->path, error.what, error.hint});
    refused_[static_cast<std::size_t>(wanted_[i]->label)].push_back(skipped_.back());
    return false;
  }

  /// Says once for each reason which files are left out, and what is unusual about those that are kept.
  void say(const std::vector<std::size_t>& kept) const {
    if (!options_.log) return;
    for (const auto& line : skipped_lines(skipped_)) log(options_.log, LogLevel::kWarning, line);
    std::vector<std::string> empty;
    for (const auto& one : empty_classes_) empty.push_back(one.path);
    if (!empty.empty())
      log(options_.log, LogLevel::kWarning, std::to_string(empty.size()) + " classes have no file in this split (" + some_of(empty) + ")");
    Remarks remarks;
    for (const auto i : kept) remarks.note(wanted_[i]->path, infos_[i]);
    remarks.examine([this](const std::string& path) -> Result<Image> {
      HEDGE_TRY(const auto bytes, read_image_file(listing_.root / path));
      return decode_image(bytes, path);
    });
    for (const auto& line : remarks.lines()) log(options_.log, line.level, line.text);
  }

  /// All files of a class, of every split, with why each is no image; nothing where one of them is.
  [[nodiscard]] std::optional<std::vector<Skipped>> if_unreadable(std::int64_t label) const {
    auto all = refused_[static_cast<std::size_t>(label)];
    for (const auto& file : listing_.files) {
      if (file.label != label || file.split == spec_.split || spec_.split == Split::kAll) continue;
      const auto bytes = read_image_file(listing_.root / file.path);
      const auto info = bytes ? probe_image(*bytes, file.path) : Result<ImageInfo>(bytes.error());
      if (info) return std::nullopt;
      all.push_back({file.path, info.error().what, info.error().hint});
    }
    return all;
  }

  /// A class that has files and no image cannot be learned, nor judged: with it every figure of the data set would be wrong.
  Status check_unreadable(const std::set<std::int64_t>& filled) const {
    for (std::size_t c = 0; c < refused_.size(); ++c) {
      const auto label = static_cast<std::int64_t>(c);
      if (refused_[c].empty() || filled.contains(label)) continue;
      const auto all = if_unreadable(label);
      if (!all) continue;
      return bad_data("no image of a class can be read", listing_.classes[c] + ": " + skipped_lines(*all).front(),
                      "make its images readable, or remove the class folder");
    }
    return {};
  }

  Error bad_data(std::string what, std::string got, std::string hint) const {
    return Error{
        .code = ErrorCode::kBadData, .what = std::move(what), .where = to_string(spec_), .got = std::move(got), .hint = std::move(hint)};
  }

  /// A class folder without any file: named in `skipped`; its class keeps its number, so that labels of all splits agree.
  Status check_class_folders() {
    std::vector<bool> filled(listing_.classes.size(), false);
    for (const auto* file : wanted_) filled[static_cast<std::size_t>(file->label)] = true;
    for (std::size_t c = 0; c < filled.size(); ++c) {
      if (filled[c] || !spec_.wants(static_cast<std::int64_t>(c))) continue;
      const std::string reason = "the class has no file in this split";
      if (options_.strict) return bad_data(reason, listing_.classes[c], "add images or remove the class folder");
      empty_classes_.push_back({listing_.classes[c], reason});
    }
    return {};
  }

  Status check_classes(const std::vector<FolderItem>& items) const {
    const auto lines = skipped_lines(skipped_);
    if (items.empty())
      return bad_data("the data set has no image", lines.empty() ? "no file" : lines.front(),
                      "the layout is CLASS/image.jpg, or train/CLASS/… beside test/CLASS/… or val/CLASS/…");
    std::set<std::int64_t> labels;
    for (const auto& item : items) labels.insert(item.label);
    if (labels.size() == 1 && spec_.limit.value_or(2) > 1)
      return bad_data("the data set has a single class",
                      listing_.classes[static_cast<std::size_t>(*labels.begin())] + (lines.empty() ? "" : "; " + lines.front()),
                      "classifying needs images in at least two class folders");
    return check_unreadable(labels);
  }

  const DatasetSpec& spec_;
  const OpenOptions& options_;
  const FolderListing& listing_;
  std::vector<const ListedFile*> wanted_;
  std::vector<std::string> digests_;
  std::vector<ImageInfo> infos_;
  std::vector<Skipped> skipped_, empty_classes_;
  std::vector<std::vector<Skipped>> refused_;  ///< by class
};

}  // namespace

Result<Opened> open_listing(const DatasetSpec& spec, const OpenOptions& options, const FolderListing& listing) {
  for (const auto& note : listing.notes) log(options.log, note.level, spec.path + ": " + note.text);
  HEDGE_TRY(auto opened, Collector(spec, options, listing).open());
  opened.skipped.insert(opened.skipped.end(), listing.skipped.begin(), listing.skipped.end());
  std::sort(opened.skipped.begin(), opened.skipped.end(), [](const Skipped& a, const Skipped& b) { return a.path < b.path; });
  return opened;
}

Result<Opened> open_folder(const DatasetSpec& spec, const OpenOptions& options) {
  HEDGE_TRY(const auto listing, list_folder(spec));
  return open_listing(spec, options, listing);
}

}  // namespace hedge::data::internal

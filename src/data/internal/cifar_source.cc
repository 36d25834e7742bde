// "cifar:FOLDER": the binary version of CIFAR-10 and CIFAR-100.
#include <algorithm>
#include <filesystem>

#include "core/file.h"
#include "data/cifar.h"
#include "data/internal/pixel_dataset.h"
#include "data/internal/sources.h"
#include "data/label_map.h"

namespace hedge::data::internal {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostFileBytes = std::size_t{1} << 30;

/// The files of one version.
struct Version {
  std::vector<std::string> train, test;
  std::string names;
  CifarLayout layout;
};

const Version kTen{.train = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
                   .test = {"test_batch.bin"},
                   .names = "batches.meta.txt",
                   .layout = {}};

Version hundred(bool coarse) {
  return {.train = {"train.bin"},
          .test = {"test.bin"},
          .names = coarse ? "coarse_label_names.txt" : "fine_label_names.txt",
          .layout = {.label_bytes = 2, .label_at = coarse ? std::size_t{0} : std::size_t{1}, .classes = coarse ? 20 : 100}};
}

bool has(const fs::path& folder, const std::string& name) {
  std::error_code ignored;
  return fs::is_regular_file(folder / name, ignored);
}

/// The folder itself, or the one below it that the archive makes.
fs::path inner_folder(const fs::path& folder) {
  for (const char* below : {"", "cifar-10-batches-bin", "cifar-100-binary"})
    if (has(folder / below, kTen.test[0]) || has(folder / below, "test.bin")) return folder / below;
  return folder;
}

Error not_there(const fs::path& folder) {
  const bool pickled = has(folder, "data_batch_1") || has(folder, "train") || has(folder / "cifar-10-batches-py", "data_batch_1") ||
                       has(folder / "cifar-100-python", "train");
  return Error{.code = ErrorCode::kNotFound,
               .what = pickled ? "this is CIFAR's Python version, which only Python reads" : "the folder has no binary files of CIFAR",
               .where = folder.string(),
               .expected = "data_batch_1.bin to data_batch_5.bin and test_batch.bin, or train.bin and test.bin",
               .hint = "take the \"binary version\", cifar-10-binary.tar.gz or cifar-100-binary.tar.gz"};
}

Status append(const fs::path& folder, const std::string& name, Split split, const Version& version, PixelImages& all) {
  HEDGE_TRY(const auto bytes, read_file(folder / name, kMostFileBytes));
  HEDGE_TRY(const auto records, parse_cifar(bytes, (folder / name).string(), version.layout));
  const auto prefix = name.substr(0, name.size() - 4) + "/";
  for (std::size_t i = 0; i < records.labels.size(); ++i) {
    const auto number = std::to_string(i);
    all.ids.push_back(prefix + std::string(number.size() < 5 ? 5 - number.size() : 0, '0') + number);
    all.files.push_back(split);
  }
  all.labels.insert(all.labels.end(), records.labels.begin(), records.labels.end());
  all.pixels.insert(all.pixels.end(), records.pixels.begin(), records.pixels.end());
  return {};
}

/// Errors: kBadData: another number of names than classes.
Status name_classes(const fs::path& folder, const Version& version, PixelImages& all) {
  if (!has(folder, version.names)) {
    for (std::int64_t c = 0; c < version.layout.classes; ++c) all.classes.push_back(std::to_string(c));
    all.notes.push_back({.text = version.names + " is not there, so the classes are called by their numbers"});
    return {};
  }
  HEDGE_TRY(all.classes, read_class_names(folder / version.names));
  if (static_cast<std::int64_t>(all.classes.size()) == version.layout.classes) return {};
  return Error{.code = ErrorCode::kBadData,
               .what = "the file has another number of names than CIFAR has classes",
               .where = (folder / version.names).string(),
               .got = std::to_string(all.classes.size()),
               .expected = std::to_string(version.layout.classes)};
}

}  // namespace

Result<Opened> open_cifar(const DatasetSpec& spec, const OpenOptions& options) {
  const auto folder = inner_folder(spec.path);
  const bool ten = has(folder, kTen.test[0]);
  if (!ten && !has(folder, "test.bin")) return not_there(spec.path);
  if (ten && !spec.labels.empty())
    return Error{
        .code = ErrorCode::kInvalidArgument, .what = "CIFAR-10 has one kind of labels", .where = spec.path, .got = "labels=" + spec.labels};
  const auto version = ten ? kTen : hundred(spec.labels == "coarse");
  PixelImages all{.height = 32, .width = 32, .channels = 3};
  // All files are read, also for one split: the calibration split is drawn from all of them.
  for (const auto& name : version.train) HEDGE_CHECK(append(folder, name, Split::kTrain, version, all));
  for (const auto& name : version.test) HEDGE_CHECK(append(folder, name, Split::kTest, version, all));
  HEDGE_CHECK(name_classes(folder, version, all));
  return open_pixels(spec, options, std::move(all));
}

}  // namespace hedge::data::internal

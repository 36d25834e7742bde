// "idx:PATH": pairs of IDX files, as MNIST, KMNIST and EMNIST come.
#include <algorithm>
#include <filesystem>
#include <set>

#include "data/idx.h"
#include "data/internal/pixel_dataset.h"
#include "data/internal/sources.h"
#include "data/internal/split_names.h"
#include "data/internal/text.h"
#include "data/label_map.h"

namespace hedge::data::internal {
namespace {

namespace fs = std::filesystem;

struct Pair {
  fs::path images, labels;
  std::string prefix;  ///< of ids
  Split split = Split::kTrain;
};

Error bad(ErrorCode code, std::string what, const fs::path& where, std::string got = {}, std::string expected = {}, std::string hint = {}) {
  return Error{.code = code,
               .what = std::move(what),
               .where = where.string(),
               .got = std::move(got),
               .expected = std::move(expected),
               .hint = std::move(hint)};
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.rfind(from);
  if (at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

/// "train-images-idx3-ubyte.gz" -> the labels beside it, packed or not: "train-labels-idx1-ubyte".
std::optional<fs::path> labels_beside(const fs::path& images) {
  auto name = replaced(replaced(images.filename().string(), "images", "labels"), "idx3", "idx1");
  if (name == images.filename().string()) return std::nullopt;
  std::error_code ignored;
  for (const auto& candidate : {name, name.ends_with(".gz") ? name.substr(0, name.size() - 3) : name + ".gz"})
    if (fs::is_regular_file(images.parent_path() / candidate, ignored)) return images.parent_path() / candidate;
  return std::nullopt;
}

std::string without_gz(std::string name) { return name.ends_with(".gz") ? name.substr(0, name.size() - 3) : name; }

/// The split that a file of images names; "t10k" is MNIST's test file.
std::optional<Split> split_of(const std::string& name) {
  const auto lower = lower_case(name);
  if (lower.starts_with("t10k")) return Split::kTest;
  std::string words = replaced(replaced(without_gz(lower), "idx3", ""), "ubyte", "");
  std::optional<Split> found;
  for (std::size_t begin = 0; begin <= words.size();) {
    const auto end = std::min(words.find_first_of("-._ ", begin), words.size());
    if (const auto split = split_name(words.substr(begin, end - begin)))
      found = split->kind == SplitKind::kTrain ? Split::kTrain : Split::kTest;
    begin = end + 1;
  }
  return found;
}

/// The train and the test pair of a folder. Errors: kNotFound: none; kBadData: several that may be one.
Result<std::vector<Pair>> pairs_in(const fs::path& folder) {
  std::vector<Pair> pairs;
  std::set<std::string> seen;
  std::error_code problem;
  std::vector<fs::path> files;
  for (fs::directory_iterator it(folder, problem), end; !problem && it != end; it.increment(problem)) files.push_back(it->path());
  if (problem) return bad(ErrorCode::kIo, "the folder cannot be listed", folder, problem.message());
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    const auto name = file.filename().string();
    const auto labels = name.find("images") == std::string::npos ? std::nullopt : labels_beside(file);
    const auto split = labels ? split_of(name) : std::nullopt;
    if (!split || !seen.insert(without_gz(name)).second) continue;
    for (const auto& other : pairs)
      if (other.split == *split)
        return bad(ErrorCode::kBadData, "several files may be the same split", folder, other.images.filename().string() + " and " + name,
                   "", "name one file of images: idx:FILE?labels=FILE");
    pairs.push_back({.images = file, .labels = *labels, .prefix = *split == Split::kTrain ? "train" : "test", .split = *split});
  }
  if (pairs.empty())
    return bad(ErrorCode::kNotFound, "the folder has no pair of IDX files", folder, "",
               "train-images-idx3-ubyte and train-labels-idx1-ubyte, t10k-images-… and t10k-labels-…, each plain or .gz",
               "or name the files: idx:IMAGES?labels=LABELS");
  std::sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) { return a.split < b.split; });
  return pairs;
}

Status append(const Pair& pair, PixelImages& all) {
  HEDGE_TRY(const auto images, read_idx(pair.images));
  HEDGE_TRY(const auto labels, read_idx(pair.labels));
  const auto& dims = images.dims;
  const bool shaped = (dims.size() == 3 || (dims.size() == 4 && (dims[3] == 1 || dims[3] == 3))) && dims[1] > 0 && dims[2] > 0;
  if (!shaped)
    return bad(ErrorCode::kBadFormat, "these are no images", pair.images, hedge::to_string(dims),
               "[N, height, width] or [N, height, width, 3]");
  if (labels.dims.size() != 1 || labels.dims[0] != dims[0])
    return bad(ErrorCode::kBadFormat, "the labels do not fit the images", pair.labels, hedge::to_string(labels.dims),
               "[" + std::to_string(dims[0]) + "]");
  const auto channels = dims.size() == 4 ? dims[3] : 1;
  if (all.size() > 0 && (all.height != dims[1] || all.width != dims[2] || all.channels != channels))
    return bad(ErrorCode::kMismatch, "the images of the two files have other sizes", pair.images, hedge::to_string(dims));
  all.height = dims[1];
  all.width = dims[2];
  all.channels = channels;
  all.pixels.insert(all.pixels.end(), images.values.begin(), images.values.end());
  for (std::size_t i = 0; i < labels.values.size(); ++i) {
    all.labels.push_back(labels.values[i]);
    const auto number = std::to_string(i);
    all.ids.push_back(pair.prefix + "/" + std::string(number.size() < 5 ? 5 - number.size() : 0, '0') + number);
    all.files.push_back(pair.split);
  }
  return {};
}

/// Class N is label N, or label N + spec.first.
Status number_classes(const DatasetSpec& spec, PixelImages& all) {
  if (all.size() == 0) return {};
  const auto [least, most] = std::minmax_element(all.labels.begin(), all.labels.end());
  if (!spec.first && *least > 0)
    return bad(ErrorCode::kBadData, "no label is 0, so it is not known which is the first class", spec.path,
               "labels " + std::to_string(*least) + " to " + std::to_string(*most), "",
               "say first=1 (label 1 is the first class) or first=0 (label 0 has no image)");
  const auto first = spec.first.value_or(0);
  if (*least < first)
    return bad(ErrorCode::kBadData, "a label lies before the first class", spec.path, std::to_string(*least),
               "from " + std::to_string(first));
  const auto classes = *most - first + 1;
  for (std::int64_t c = 0; c < classes; ++c) all.classes.push_back(std::to_string(c + first));
  if (!spec.names.empty()) {
    HEDGE_TRY(all.classes, read_class_names(spec.names));
    if (static_cast<std::int64_t>(all.classes.size()) < classes)
      return bad(ErrorCode::kBadData, "there are fewer names than classes", spec.names, std::to_string(all.classes.size()),
                 "at least " + std::to_string(classes));
  }
  for (auto& label : all.labels) label -= first;
  return {};
}

}  // namespace

Result<Opened> open_idx(const DatasetSpec& spec, const OpenOptions& options) {
  std::error_code ignored;
  const fs::path path(spec.path);
  PixelImages all;
  if (fs::is_directory(path, ignored)) {
    if (!spec.labels.empty())
      return bad(ErrorCode::kInvalidArgument, "labels= goes with a file of images, not with a folder", path, spec.labels);
    HEDGE_TRY(const auto pairs, pairs_in(path));
    for (const auto& pair : pairs) HEDGE_CHECK(append(pair, all));
    if (pairs.size() == 1) all.files.clear();  // one file is divided, whatever it is called
  } else {
    auto labels = spec.labels.empty() ? labels_beside(path) : std::optional(fs::path(spec.labels));
    if (!fs::exists(path, ignored)) return bad(ErrorCode::kNotFound, "the file of images does not exist", path);
    if (!labels)
      return bad(ErrorCode::kNotFound, "no file of labels lies beside the images", path, "", "",
                 "name it: idx:" + spec.path + "?labels=FILE");
    HEDGE_CHECK(append({.images = path, .labels = *labels, .prefix = without_gz(path.filename().string()), .split = Split::kTrain}, all));
    all.files.clear();
  }
  HEDGE_CHECK(number_classes(spec, all));
  return open_pixels(spec, options, std::move(all));
}

}  // namespace hedge::data::internal

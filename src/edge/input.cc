#include "edge/input.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <system_error>

#include "core/file.h"
#include "data/first_bytes.h"
#include "data/junk.h"
#include "data/skipped.h"
#include "hedge/image.h"

namespace hedge::edge {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostImageBytes = std::size_t{1} << 28;

class DatasetSource final : public ImageSource {
 public:
  DatasetSource(std::unique_ptr<data::Dataset> dataset, const std::vector<std::string>& labels) : dataset_(std::move(dataset)) {
    const auto& names = dataset_->class_names();
    // The same list needs no names to be unique; another order or a part of the classes is matched by name.
    const bool same = names == labels;
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto found = std::find(labels.begin(), labels.end(), names[i]);
      if (same) {
        index_of_.emplace_back(static_cast<std::int64_t>(i));
      } else if (found != labels.end()) {
        index_of_.emplace_back(found - labels.begin());
      } else {
        index_of_.emplace_back(std::nullopt);
      }
    }
  }

  [[nodiscard]] std::size_t size() const override { return dataset_->size(); }
  [[nodiscard]] std::string id(std::size_t index) const override { return dataset_->id(index); }
  [[nodiscard]] std::optional<std::int64_t> truth(std::size_t index) const override {
    const auto label = dataset_->label(index);
    return label >= 0 && static_cast<std::size_t>(label) < index_of_.size() ? index_of_[static_cast<std::size_t>(label)] : std::nullopt;
  }
  [[nodiscard]] Result<data::Image> image(std::size_t index) const override { return dataset_->image(index); }

 private:
  std::unique_ptr<data::Dataset> dataset_;
  std::vector<std::optional<std::int64_t>> index_of_;  ///< data set's class -> bundle's
};

/// Plain images: no truth.
class FileSource final : public ImageSource {
 public:
  FileSource(fs::path root, std::vector<std::string> names) : root_(std::move(root)), names_(std::move(names)) {}

  [[nodiscard]] std::size_t size() const override { return names_.size(); }
  [[nodiscard]] std::string id(std::size_t index) const override { return names_[index]; }
  [[nodiscard]] std::optional<std::int64_t> truth(std::size_t) const override { return std::nullopt; }
  [[nodiscard]] Result<data::Image> image(std::size_t index) const override { return read_image(root_ / names_[index], names_[index]); }

 private:
  fs::path root_;
  std::vector<std::string> names_;  ///< within the root
};

std::string beginning_of(const fs::path& path) {
  std::string bytes(data::kFirstBytes, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return bytes;
}

/// The names of the image formats that are decoded: such a file is answered, with an error where it is none.
bool has_image_name(const fs::path& path) {
  constexpr std::array kExtensions = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"};
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
}

Result<std::unique_ptr<ImageSource>> open_folder(const fs::path& folder, const LogSink& log_sink) {
  std::error_code code;
  std::vector<std::string> names;
  std::vector<data::Skipped> skipped;
  for (fs::recursive_directory_iterator it(folder, code), end; !code && it != end; it.increment(code)) {
    std::error_code not_followed;  // a link that leads nowhere or around in a circle is no image
    if (data::is_junk(it->path().filename().string())) {
      it.disable_recursion_pending();
      continue;
    }
    if (!it->is_regular_file(not_followed)) continue;
    const auto name = it->path().lexically_relative(folder).generic_string();
    const auto known = has_image_name(it->path()) ? Status() : data::check_first_bytes(beginning_of(it->path()), name);
    if (known)
      names.push_back(name);
    else
      skipped.push_back({.path = name, .reason = known.error().what, .hint = known.error().hint});
  }
  if (code) return Error{.code = ErrorCode::kIo, .what = "cannot list the folder: " + code.message(), .where = folder.string()};
  std::sort(skipped.begin(), skipped.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  const auto lines = data::skipped_lines(skipped);
  if (names.empty())
    return Error{.code = ErrorCode::kBadData,
                 .what = "the folder has no image",
                 .where = folder.string(),
                 .got = lines.empty() ? "no file" : lines.front(),
                 .expected = "JPEG, PNG, WebP, BMP, TIFF or GIF files"};
  for (const auto& line : lines) log(log_sink, LogLevel::kWarning, line);
  std::sort(names.begin(), names.end());
  return std::unique_ptr<ImageSource>(std::make_unique<FileSource>(folder, std::move(names)));
}

}  // namespace

Result<data::Image> read_image(const std::filesystem::path& path, const std::string& name) {
  HEDGE_TRY(const auto bytes, read_file(path, kMostImageBytes));
  return data::decode_image(bytes, name);
}

std::unique_ptr<ImageSource> make_dataset_source(std::unique_ptr<data::Dataset> dataset, const std::vector<std::string>& labels) {
  return std::make_unique<DatasetSource>(std::move(dataset), labels);
}

Result<std::unique_ptr<ImageSource>> open_input(const std::string& input, const std::vector<std::string>& labels, const LogSink& log_sink) {
  std::error_code code;
  const fs::path path(input);
  if (fs::is_directory(path, code)) return open_folder(path, log_sink);
  if (fs::is_regular_file(path, code))
    return std::unique_ptr<ImageSource>(std::make_unique<FileSource>(path.parent_path(), std::vector{path.filename().string()}));
  auto opened = data::open_dataset(input, {.log = log_sink});
  if (!opened) {
    Error error = opened.error();
    if (error.code == ErrorCode::kInvalidArgument && error.hint.empty()) error.hint = "no file or folder has this name either";
    return error;
  }
  const auto& names = opened->dataset->class_names();
  const auto unknown = std::count_if(names.begin(), names.end(),
                                     [&](const auto& name) { return std::find(labels.begin(), labels.end(), name) == labels.end(); });
  if (unknown > 0)
    log(log_sink, LogLevel::kWarning,
        std::to_string(unknown) + " of the data set's " + std::to_string(names.size()) +
            " classes are not labels of the bundle; their images are not counted in the accuracy");
  return make_dataset_source(std::move(opened->dataset), labels);
}

}  // namespace hedge::edge

#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hedge/dataset.h"
#include "hedge/log.h"
#include "hedge/result.h"

namespace hedge::edge {

/// Images to answer, with the truth where it is known. Const methods are thread-safe.
class ImageSource {
 public:
  virtual ~ImageSource() = default;
  [[nodiscard]] virtual std::size_t size() const = 0;
  [[nodiscard]] virtual std::string id(std::size_t index) const = 0;
  /// Index into the bundle's labels; nothing where the truth is not known or is no class of the bundle.
  [[nodiscard]] virtual std::optional<std::int64_t> truth(std::size_t index) const = 0;
  /// Decodes. Errors: those of data::Dataset::image.
  [[nodiscard]] virtual Result<data::Image> image(std::size_t index) const = 0;
};

/// Opens what --input names: an image file, a folder of plain images (files of a format that is
/// decoded, by name or first bytes, at any depth, by path; others are counted in the log), or else
/// a data-set specification. A data set's classes are matched to `labels` by name.
/// Errors: kNotFound; kBadData (a folder without images); those of data::open_dataset.
Result<std::unique_ptr<ImageSource>> open_input(const std::string& input, const std::vector<std::string>& labels, const LogSink& log);

/// Decodes one image file of at most 256 MiB. `name` stands for it in the decoder's errors.
/// Errors: those of read_file and data::decode_image.
Result<data::Image> read_image(const std::filesystem::path& path, const std::string& name);

/// A data set as a source.
std::unique_ptr<ImageSource> make_dataset_source(std::unique_ptr<data::Dataset> dataset, const std::vector<std::string>& labels);

}  // namespace hedge::edge

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/sha256.h"
#include "data/corrupt.h"
#include "hedge/dataset.h"

namespace hedge::data::internal {

/// Another data set, each of its images corrupted after decoding. Its specification says so; its content hash is its own, so that nothing
/// takes predictions of the images for those of their corrupted forms. Copies are found as ever: stored_hash is the file's.
class CorruptedDataset final : public Dataset {
 public:
  /// `spec`: the canonical specification, the corruption included.
  CorruptedDataset(std::unique_ptr<Dataset> images, const Corruption& corruption, std::string spec)
      : images_(std::move(images)),
        corruption_(corruption),
        spec_(std::move(spec)),
        hash_(sha256_hex(images_->content_hash() + " " + to_string(corruption))) {}

  [[nodiscard]] std::size_t size() const override { return images_->size(); }
  [[nodiscard]] const std::vector<std::string>& class_names() const override { return images_->class_names(); }
  [[nodiscard]] std::int64_t label(std::size_t index) const override { return images_->label(index); }
  [[nodiscard]] std::string id(std::size_t index) const override { return images_->id(index); }
  [[nodiscard]] Result<Image> image(std::size_t index) const override;
  [[nodiscard]] const std::string& content_hash() const override { return hash_; }
  [[nodiscard]] const std::string& spec() const override { return spec_; }
  [[nodiscard]] std::string group(std::size_t index) const override { return images_->group(index); }
  [[nodiscard]] std::optional<std::uint64_t> stored_hash(std::size_t index) const override { return images_->stored_hash(index); }

 private:
  std::unique_ptr<Dataset> images_;
  Corruption corruption_;
  std::string spec_;
  std::string hash_;
};

}  // namespace hedge::data::internal

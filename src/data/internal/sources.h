#pragma once

#include <string>
#include <string_view>

#include "core/sha256.h"
#include "data/spec.h"
#include "hedge/dataset.h"

/// Where images come from, for dataset.cc alone.
namespace hedge::data::internal {

/// Errors: kNotFound where the files are not there; kBadFormat: damaged or not that data set.
Result<Opened> open_fashion_mnist(const DatasetSpec& spec, const OpenOptions& options);

/// Errors: kNotFound, kIo, kBadFormat (strict), kBadData: no image, a single class, an empty class (strict).
Result<Opened> open_folder(const DatasetSpec& spec, const OpenOptions& options);

/// The content hash of a data set, made image by image in order: SHA-256 over "LABEL SHA256-OF-BYTES\n".
class ContentHash {
 public:
  void add(std::int64_t label, std::string_view image_sha256) {
    sha_.update(std::to_string(label) + " ").update(image_sha256).update("\n");
  }
  [[nodiscard]] std::string hex() { return sha_.hex(); }

 private:
  Sha256 sha_;
};

}  // namespace hedge::data::internal

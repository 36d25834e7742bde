#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/sha256.h"
#include "data/spec.h"
#include "hedge/dataset.h"

/// Where images come from, for dataset.cc alone.
namespace hedge::data::internal {

/// Errors: kNotFound where the files are not there; kBadFormat: damaged or not that data set.
Result<Opened> open_fashion_mnist(const DatasetSpec& spec, const OpenOptions& options);

struct FolderListing;
/// Opens the listed files, and says the listing's notes. Errors: kBadFormat (strict), kBadData: no image, a single class, an empty class
/// (strict).
Result<Opened> open_listing(const DatasetSpec& spec, const OpenOptions& options, const FolderListing& listing);

/// Errors: those of list_folder and open_listing.
Result<Opened> open_folder(const DatasetSpec& spec, const OpenOptions& options);
/// Errors: those of list_csv and open_listing.
Result<Opened> open_csv(const DatasetSpec& spec, const OpenOptions& options);
/// Errors: those of list_flat and open_listing.
Result<Opened> open_flat(const DatasetSpec& spec, const OpenOptions& options);
/// Errors: kNotFound; kBadFormat: damaged, no images, labels of another count; kBadData: a label that is no class.
Result<Opened> open_idx(const DatasetSpec& spec, const OpenOptions& options);
/// Errors: kNotFound; kBadFormat: a file whose size is no number of records, a label that is no class.
Result<Opened> open_cifar(const DatasetSpec& spec, const OpenOptions& options);

/// How many files opening `spec` reads, without reading them; 0 for data sets in a few files. Errors: those of the listing.
Result<std::size_t> count_files(const DatasetSpec& spec);

/// The first 8 bytes of a SHA-256 in hexadecimal digits, as a number.
inline std::optional<std::uint64_t> first_bytes_of(const std::string& sha256) {
  if (sha256.size() < 16) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 16; ++i)
    value = value * 16 + static_cast<std::uint64_t>(sha256[i] <= '9' ? sha256[i] - '0' : sha256[i] - 'a' + 10);
  return value;
}

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

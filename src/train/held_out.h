#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hedge/dataset.h"
#include "hedge/result.h"

namespace hedge::train {

/// Some images of another data set, in its order. `whole` is borrowed and must outlive it. Its specification is the whole's, since it
/// is a part of those images; its content hash is its own.
class PartOfDataset final : public data::Dataset {
 public:
  /// `rows`: ascending indices into `whole`.
  PartOfDataset(const data::Dataset& whole, std::vector<std::size_t> rows);

  [[nodiscard]] std::size_t size() const override { return rows_.size(); }
  [[nodiscard]] const std::vector<std::string>& class_names() const override { return whole_.class_names(); }
  [[nodiscard]] std::int64_t label(std::size_t index) const override { return whole_.label(rows_[index]); }
  [[nodiscard]] std::string id(std::size_t index) const override { return whole_.id(rows_[index]); }
  [[nodiscard]] Result<data::Image> image(std::size_t index) const override { return whole_.image(rows_[index]); }
  [[nodiscard]] const std::string& content_hash() const override { return hash_; }
  [[nodiscard]] const std::string& spec() const override { return whole_.spec(); }
  [[nodiscard]] std::string group(std::size_t index) const override { return whole_.group(rows_[index]); }
  [[nodiscard]] std::optional<std::uint64_t> stored_hash(std::size_t index) const override { return whole_.stored_hash(rows_[index]); }

 private:
  const data::Dataset& whole_;
  std::vector<std::size_t> rows_;
  std::string hash_;
};

struct HeldOut {
  std::unique_ptr<PartOfDataset> fit;   ///< to train on
  std::unique_ptr<PartOfDataset> held;  ///< to stop early by
};

/// Divides `whole` into two disjoint parts, class by class: `share` of each class, rounded down but at least one image, is held out,
/// drawn from `seed`. Images of one group go together, with the class of the first. Errors: kInvalidArgument (a share outside (0, 0.5]);
/// kBadData (a class with a single image).
Result<HeldOut> hold_out(const data::Dataset& whole, double share, std::uint64_t seed);

}  // namespace hedge::train

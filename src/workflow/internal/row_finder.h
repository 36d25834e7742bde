#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "hedge/predictions.h"
#include "hedge/result.h"

namespace hedge::workflow::internal {

/// The rows of a table by what their images are called, where it was imported with ids. The table must outlive it.
class RowFinder {
 public:
  explicit RowFinder(const routing::PredictionTable& table);

  /// The rows of the ids at `source` (data::read_array), ascending. `table` names the table in errors. Errors: kNotFound: an id that is not
  /// there, or a table without ids; those of read_ids.
  [[nodiscard]] Result<std::vector<std::size_t>> find(const std::string& source, const std::filesystem::path& table) const;
  /// The row of an image by its hash.
  [[nodiscard]] std::optional<std::size_t> row_of_hash(std::int64_t hash) const;

 private:
  [[nodiscard]] std::optional<std::size_t> row_of(const std::string& id) const;
  std::unordered_map<std::int64_t, std::size_t> rows_;
  std::vector<std::string> names_;  ///< of the data sets that the ids belong to
};

}  // namespace hedge::workflow::internal

#pragma once

#include <array>
#include <filesystem>
#include <vector>

#include "core/mapped_safetensors.h"
#include "hedge/predictions.h"
#include "hedge/router.h"

namespace hedge::routing {

/// What one pass over a table leaves of it: all that labels, thresholds and curves need, a few bytes an image.
struct TableScan {
  Outcomes outcomes;                                          ///< global_right is empty where there is no global
  std::array<std::vector<float>, kFreeScores.size()> scores;  ///< in the order of kFreeScores

  [[nodiscard]] const std::vector<float>& score(FreeScore which) const { return scores[static_cast<std::size_t>(which)]; }
};

/// A prediction table that stays on the disk: for tables as large as the memory or larger. Const methods are thread-safe.
class MappedTable {
 public:
  /// Checks header, metadata and shapes; the values are checked by scan. Errors: those of MappedTensors::open and read_table.
  static Result<MappedTable> open(const std::filesystem::path& path);

  [[nodiscard]] const TableInfo& info() const { return info_; }
  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(labels_.num_elements()); }
  [[nodiscard]] std::int64_t classes() const { return base_logits_.shape[1]; }
  [[nodiscard]] bool has_global() const { return global_logits_.shape[0] > 0; }
  /// Borrowed: the table must outlive them.
  [[nodiscard]] const Tensor& labels() const { return labels_; }
  [[nodiscard]] const TensorView& base_logits() const { return base_logits_; }
  [[nodiscard]] const TensorView& global_logits() const { return global_logits_; }
  /// [N, 0] where the file has none.
  [[nodiscard]] const TensorView& base_features() const { return base_features_; }
  /// [0] where the file has none.
  [[nodiscard]] const Tensor& groups() const { return groups_; }
  [[nodiscard]] const Tensor& image_hashes() const { return image_hashes_; }

  /// Reads every logit once, in order, and lets go of its page. The figures equal those of outcomes and free_score bit for bit.
  /// Errors: kBadData (a logit that is not finite, a label outside the classes; with the row).
  [[nodiscard]] Result<TableScan> scan() const;

 private:
  explicit MappedTable(MappedTensors file) : file_(std::move(file)) {}
  MappedTensors file_;
  TableInfo info_;
  Tensor labels_, groups_, image_hashes_;  ///< copies: 8-byte elements need not be aligned in the file
  TensorView base_logits_, base_features_, global_logits_;
};

}  // namespace hedge::routing

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "hedge/fusion.h"
#include "hedge/predictions.h"
#include "hedge/router.h"
#include "routing/mapped_table.h"

namespace hedge::routing {

/// A prediction table wherever it lies, in memory or in a mapped file; borrowed. What judges a table takes this.
struct TableView {
  const TableInfo& info;
  TensorView labels;         ///< i64 [N]
  TensorView base_logits;    ///< f32 [N, C]
  TensorView base_features;  ///< f32 [N, F]
  TensorView global_logits;  ///< f32 [N, C]; [0, C] where there is no global
  TensorView groups;         ///< i64 [N]; [0] where there are none
  TensorView image_hashes;   ///< i64 [N]; [0] where they are not known

  TableView(const PredictionTable& table)  // NOLINT(google-explicit-constructor)
      : info(table.info),
        labels(table.labels),
        base_logits(table.base_logits),
        base_features(table.base_features),
        global_logits(table.global_logits),
        groups(table.groups),
        image_hashes(table.image_hashes) {}
  TableView(const MappedTable& table)  // NOLINT(google-explicit-constructor)
      : info(table.info()),
        labels(table.labels()),
        base_logits(table.base_logits()),
        base_features(table.base_features()),
        global_logits(table.global_logits()),
        groups(table.groups()),
        image_hashes(table.image_hashes()) {}

  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(labels.shape[0]); }
  [[nodiscard]] std::int64_t classes() const { return base_logits.shape[1]; }
  [[nodiscard]] bool has_global() const { return global_logits.shape[0] > 0; }
  /// A number a row; empty where the images depend on no other.
  [[nodiscard]] std::span<const std::int64_t> row_groups() const { return groups.data<std::int64_t>(); }

  /// Errors: those of PredictionTable::validate.
  [[nodiscard]] Status validate() const;
};

/// How many different numbers there are; 0 for none.
std::int64_t count_groups(std::span<const std::int64_t> groups);

/// As of a PredictionTable, which these serve too.
Result<Outcomes> outcomes(const TableView& table);
Result<Outcomes> outcomes(const TableView& table, const Fusion& fusion);
Outcomes base_outcomes(const TableView& table);
Result<std::vector<std::int64_t>> fused_answers(const TableView& table, const Fusion& fusion);

}  // namespace hedge::routing

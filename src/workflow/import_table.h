#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "hedge/predictions.h"
#include "hedge/result.h"
#include "hedge/workflow.h"

namespace hedge::workflow {

/// One model's predictions, made elsewhere. Each source is "FILE[:NAME]" (data::read_array). Given are the logits, the probabilities, or
/// the top classes with their probabilities.
struct GivenModel {
  std::string logits = {};             ///< [N, C]
  std::string probabilities = {};      ///< [N, C], rows summing to 1
  std::string top_classes = {};        ///< [N, k] or [N] (k = 1): numbers, or names of classes
  std::string top_probabilities = {};  ///< of the same shape; the rest of the mass is spread (routing::logits_of_top)
  std::string ids = {};  ///< [N]: whose predictions each row is; empty: an array "id", "ids", "image", … of its files; "none"
  std::filesystem::path class_names = {};  ///< the names of its outputs, where they are in another order than the table's classes
  std::string name = {};                   ///< what it is called; two imports of one name are of one model. Empty: named by its predictions
  std::int64_t macs = 0, parameters = 0;   ///< 0: not known

  [[nodiscard]] bool empty() const { return logits.empty() && probabilities.empty() && top_classes.empty() && top_probabilities.empty(); }
};

/// Predictions that become a table. Rows are matched by the ids of labels, base and global; parts without ids are in one order.
struct TableImport {
  GivenModel base = {};
  GivenModel global = {};                  ///< empty: no global
  std::string labels = {};                 ///< [N]: numbers, or names of classes
  std::string ids = {};                    ///< of the labels' rows, as GivenModel::ids
  std::string features = {};               ///< [N, F], rows as the base's; "answer": the class of its answer, a column a class; empty: none
  std::string groups = {};                 ///< [N], rows as the labels': equal ones depend on each other; empty: none
  std::filesystem::path class_names = {};  ///< of the classes (docs/formats/class_names.md); empty: not known
  std::int64_t classes = 0;                ///< 0: as the names, logits or probabilities say, else the largest class
  std::int64_t first_class = 0;            ///< the number of the first class: 0 or 1
  bool common = false;                     ///< only images that labels, base and global all have; otherwise one that is missing is an error
  std::string dataset = {};                ///< the images' name: rows of one name and id are one image. Empty: named by the labels
  std::string split = "all";               ///< "train", "calibration", "test" or "all"
  std::optional<routing::Price> price = {};
  std::filesystem::path out = {};  ///< the table's file; empty: it is returned only

  /// Errors: kInvalidArgument, for what is missing or contradicts itself.
  [[nodiscard]] Status validate() const;
};

/// Makes a prediction table of predictions made elsewhere. Its identities (docs/formats/prediction_table.md) are made of names, ids and
/// contents. What was taken for granted is logged.
/// Errors: those of validate, data::read_array, routing::given_logits, logits_of_probabilities and logits_of_top, write_table; kMismatch:
/// ids or numbers of rows that do not match, classes of another number or order; kBadData: an id twice, a label or answer that is no class.
Result<routing::PredictionTable> import_table(const TableImport& options, const RunContext& context = {});

}  // namespace hedge::workflow

#pragma once

#include <string>
#include <vector>

#include "hedge/result.h"
#include "hedge/tensor.h"
#include "workflow/import_table.h"
#include "workflow/internal/given_classes.h"

namespace hedge::workflow::internal {

/// A model's predictions as they are read, before it is known how many classes there are.
struct GivenPredictions {
  std::string role;                ///< "base" or "global"
  data::Array values;              ///< logits or probabilities [N, C]; with top classes their probabilities
  Tensor top_classes;              ///< class numbers; without elements where `values` has a column a class
  std::vector<std::string> names;  ///< of its outputs; empty: they are the classes
  bool are_logits = false;

  [[nodiscard]] bool is_top() const { return top_classes.num_elements() > 0; }
  [[nodiscard]] std::size_t rows() const { return static_cast<std::size_t>(values.rows()); }
  /// The classes that its file has at least; exactly as many where `values` has a column a class and it names no outputs.
  [[nodiscard]] std::int64_t classes() const;
  /// "logits", "probabilities", "top 5 of 1000 classes, the rest spread evenly"
  [[nodiscard]] std::string form(std::int64_t classes) const;
};

/// Reads what `model` names. Errors: those of data::read_array, class_numbers and data::read_class_names; kMismatch: texts where numbers
/// belong.
Result<GivenPredictions> read_given(const GivenModel& model, const std::string& role, const GivenClasses& classes);

/// Logits [N, `count`], in the order of the classes. Errors: those of routing::given_logits, logits_of_probabilities, logits_of_top and
/// model::columns_by_name; kMismatch: a column less or more than classes.
Result<Tensor> to_logits(const GivenPredictions& given, const GivenClasses& classes, std::int64_t count);

}  // namespace hedge::workflow::internal

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/array.h"
#include "hedge/result.h"
#include "hedge/tensor.h"
#include "workflow/import_table.h"

namespace hedge::workflow::internal {

/// The classes that an import is of.
struct GivenClasses {
  std::vector<std::string> names;  ///< empty: not known
  std::int64_t first = 0;          ///< the number that files give the first class
};

/// Names of a file, else, where the labels are texts, these in the order of the alphabet. Errors: those of reading names.
Result<GivenClasses> find_classes(const TableImport& options, const data::Array& labels);

/// Class numbers from 0, of the array's shape. Texts are names of classes, else numbers. Errors, with the row: kBadData: a text that is no
/// class, a number that is not whole; kMismatch: texts without names.
Result<Tensor> class_numbers(const data::Array& array, const GivenClasses& classes);

}  // namespace hedge::workflow::internal

#include "workflow/internal/given_classes.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "data/label_map.h"

namespace hedge::workflow::internal {
namespace {

Error no_class(const data::Array& array, std::size_t at, const std::string& got, const GivenClasses& classes) {
  const auto width = array.shape.size() > 1 ? static_cast<std::size_t>(array.shape[1]) : 1;
  std::string names;
  for (const auto& name : classes.names) names += (names.empty() ? "" : ", ") + name;
  return {.code = ErrorCode::kBadData,
          .what = "this is no class",
          .where = array.where + ", row " + std::to_string(at / width),
          .got = "\"" + got.substr(0, 60) + "\"",
          .expected = classes.names.empty() ? "a whole number" : "one of: " + names.substr(0, 300),
          .hint = "--class-names gives the names of the classes in their order"};
}

/// Numbers of names; kNotFound where one is none.
Result<Tensor> by_name(const data::Array& array, const GivenClasses& classes) {
  HEDGE_TRY(const auto index, data::index_class_names(classes.names, "class names"));
  Tensor numbers(DType::kI64, array.shape);
  auto values = numbers.data<std::int64_t>();
  for (std::size_t i = 0; i < array.texts.size(); ++i) {
    const auto found = index.find(array.texts[i]);
    if (found == index.end()) return no_class(array, i, array.texts[i], classes);
    values[i] = found->second;
  }
  return numbers;
}

Result<Tensor> by_number(const data::Array& array, const GivenClasses& classes) {
  Tensor numbers(DType::kI64, array.shape);
  auto values = numbers.data<std::int64_t>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (array.numbers.dtype() == DType::kI64) {
      values[i] = array.numbers.data<std::int64_t>()[i] - classes.first;
      continue;
    }
    constexpr float kMost = 1 << 24;  // beyond, a float skips whole numbers
    const float value = array.numbers.data<float>()[i];
    if (!(std::abs(value) <= kMost) || value != std::floor(value)) return no_class(array, i, std::to_string(value), classes);
    values[i] = static_cast<std::int64_t>(value) - classes.first;
  }
  return numbers;
}

}  // namespace

Result<GivenClasses> find_classes(const TableImport& options, const data::Array& labels) {
  GivenClasses classes{.names = {}, .first = options.first_class};
  if (!options.class_names.empty()) {
    HEDGE_TRY(classes.names, data::read_class_names(options.class_names));
  } else if (!labels.has_numbers()) {
    const std::set<std::string> names(labels.texts.begin(), labels.texts.end());
    classes.names.assign(names.begin(), names.end());
  }
  return classes;
}

Result<Tensor> class_numbers(const data::Array& array, const GivenClasses& classes) {
  if (!array.texts.empty() && !classes.names.empty()) {
    auto named = by_name(array, classes);
    if (named || !array.has_numbers()) return named;
  }
  if (array.has_numbers()) return by_number(array, classes);
  return Error{.code = ErrorCode::kMismatch,
               .what = "classes are given by name, but the names of the classes are not known",
               .where = array.where,
               .got = "\"" + array.texts[0].substr(0, 60) + "\"",
               .hint = "--class-names gives them in their order"};
}

}  // namespace hedge::workflow::internal

#include "workflow/internal/given_model.h"

#include <algorithm>

#include "data/label_map.h"
#include "model/class_map.h"
#include "routing/given.h"

namespace hedge::workflow::internal {
namespace {

Result<data::Array> read_numbers(const std::string& source) {
  HEDGE_TRY(auto array, data::read_array(source));
  if (array.has_numbers()) return array;
  const auto odd = std::find_if(array.texts.begin(), array.texts.end(), [](const std::string& text) {
    return text.find_first_not_of("0123456789+-.eE") != std::string::npos || text.empty();
  });
  return Error{.code = ErrorCode::kMismatch,
               .what = "these are no numbers",
               .where = array.where,
               .got = odd == array.texts.end() ? "texts" : "\"" + odd->substr(0, 60) + "\"",
               .expected = "numbers alone"};
}

/// Classes by the model's own order and names, as the table's.
Result<Tensor> renumbered(Tensor numbers, const std::vector<std::string>& names, const GivenClasses& classes, const std::string& where) {
  HEDGE_TRY(const auto index, data::index_class_names(classes.names, "class names"));
  for (auto& number : numbers.data<std::int64_t>()) {
    const auto in_range = number >= 0 && number < static_cast<std::int64_t>(names.size());
    const auto found = in_range ? index.find(names[static_cast<std::size_t>(number)]) : index.end();
    if (found == index.end())
      return Error{.code = ErrorCode::kBadData,
                   .what = "an answer is no class of the table",
                   .where = where,
                   .got = std::to_string(number) + (in_range ? " (" + names[static_cast<std::size_t>(number)] + ")" : ""),
                   .expected = "one of " + std::to_string(classes.names.size()) + " classes"};
    number = found->second;
  }
  return numbers;
}

Tensor columns_of(const Tensor& logits, const std::vector<std::int64_t>& columns) {
  const auto rows = static_cast<std::size_t>(logits.shape()[0]), width = static_cast<std::size_t>(logits.shape()[1]);
  Tensor taken(DType::kF32, {logits.shape()[0], static_cast<std::int64_t>(columns.size())});
  const auto from = logits.data<float>();
  auto to = taken.data<float>().begin();
  for (std::size_t row = 0; row < rows; ++row)
    for (const auto column : columns) *to++ = from[row * width + static_cast<std::size_t>(column)];
  return taken;
}

Error other_width(const GivenPredictions& given, std::int64_t count) {
  return {.code = ErrorCode::kMismatch,
          .what = "the " + given.role + " has another number of classes",
          .where = given.values.where,
          .got = std::to_string(given.values.shape.size() > 1 ? given.values.shape[1] : 1) + " columns",
          .expected = std::to_string(count),
          .hint = "--" + given.role + "-class-names names its outputs where they are others or in another order"};
}

}  // namespace

std::int64_t GivenPredictions::classes() const {
  if (!names.empty()) return 0;
  if (!is_top()) return values.shape.size() > 1 ? values.shape[1] : 1;
  const auto numbers = top_classes.data<std::int64_t>();
  return *std::max_element(numbers.begin(), numbers.end()) + 1;
}

std::string GivenPredictions::form(std::int64_t classes) const {
  if (!is_top()) return are_logits ? "logits" : "probabilities";
  const auto k = top_classes.shape().size() > 1 ? top_classes.shape()[1] : 1;
  return "top " + std::to_string(k) + " of " + std::to_string(classes) + " classes, the rest spread evenly";
}

Result<GivenPredictions> read_given(const GivenModel& model, const std::string& role, const GivenClasses& classes) {
  GivenPredictions given{.role = role, .values = {}, .top_classes = {}, .names = {}, .are_logits = !model.logits.empty()};
  const auto& source = given.are_logits ? model.logits : !model.probabilities.empty() ? model.probabilities : model.top_probabilities;
  HEDGE_TRY(given.values, read_numbers(source));
  if (!model.class_names.empty()) {
    HEDGE_TRY(given.names, data::read_class_names(model.class_names));
  }
  if (model.top_classes.empty()) return given;
  HEDGE_TRY(const auto array, data::read_array(model.top_classes));
  HEDGE_TRY(given.top_classes,
            class_numbers(array, given.names.empty() ? classes : GivenClasses{.names = given.names, .first = classes.first}));
  if (!given.names.empty()) {
    HEDGE_TRY(given.top_classes, renumbered(std::move(given.top_classes), given.names, classes, array.where));
  }
  return given;
}

Result<Tensor> to_logits(const GivenPredictions& given, const GivenClasses& classes, std::int64_t count) {
  const auto& where = given.values.where;
  if (given.is_top()) return routing::logits_of_top({.classes = given.top_classes, .probabilities = given.values.numbers}, count, where);
  HEDGE_TRY(auto logits, given.are_logits ? routing::given_logits(given.values.numbers, where)
                                          : routing::logits_of_probabilities(given.values.numbers, where));
  if (!given.names.empty()) {
    std::vector<std::string> notes;
    const model::ModelClasses outputs{.names = given.names, .outputs = logits.shape()[1], .where = where};
    HEDGE_TRY(const auto columns, model::columns_by_name(classes.names, outputs, given.role, notes));
    if (!columns.empty()) logits = columns_of(logits, columns);
  }
  if (logits.shape()[1] != count) return other_width(given, count);
  return logits;
}

}  // namespace hedge::workflow::internal

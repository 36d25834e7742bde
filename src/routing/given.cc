#include "routing/given.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <span>
#include <vector>

#include "routing/internal/rows.h"

namespace hedge::routing {
namespace {

std::string text_of(double value) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.6g", value);
  return digits;
}

Error bad_row(std::string what, const std::string& where, std::size_t row, std::string got, std::string expected, std::string hint = "") {
  return {.code = ErrorCode::kBadData,
          .what = std::move(what),
          .where = where + ", row " + std::to_string(row),
          .got = std::move(got),
          .expected = std::move(expected),
          .hint = std::move(hint)};
}

/// Whole numbers are numbers too.
Tensor as_floats(const Tensor& tensor) {
  if (tensor.dtype() == DType::kF32) return tensor;
  Tensor floats(DType::kF32, tensor.shape());
  const auto from = tensor.data<std::int64_t>();
  std::transform(from.begin(), from.end(), floats.data<float>().begin(), [](std::int64_t value) { return static_cast<float>(value); });
  return floats;
}

Status check_matrix(const Tensor& tensor, const char* what, const std::string& where) {
  if (tensor.shape().size() == 2) return {};
  return Error{.code = ErrorCode::kMismatch,
               .what = std::string("the ") + what + " are no matrix",
               .where = where,
               .got = hedge::to_string(tensor.shape()),
               .expected = "[images, classes]"};
}

std::span<float> row_of(Tensor& matrix, std::size_t row) {
  const auto width = static_cast<std::size_t>(matrix.shape()[1]);
  return matrix.data<float>().subspan(row * width, width);
}

Status check_probability(double p, const std::string& where, std::size_t row) {
  if (std::isfinite(p) && p >= 0 && p <= 1 + kSumTolerance) return {};
  return bad_row("a probability is no number from 0 to 1", where, row, text_of(p), "0 to 1",
                 "logits are given as logits; percentages are to be divided by 100");
}

Status check_classes(std::span<const std::int64_t> classes, std::int64_t count, const std::string& where, std::size_t row) {
  for (std::size_t i = 0; i < classes.size(); ++i) {
    if (classes[i] < 0 || classes[i] >= count)
      return bad_row("a class is out of range", where, row, std::to_string(classes[i]), "0.." + std::to_string(count - 1),
                     "where the first class is numbered 1, say so (--first-class 1)");
    if (std::find(classes.begin(), classes.begin() + static_cast<std::ptrdiff_t>(i), classes[i]) !=
        classes.begin() + static_cast<std::ptrdiff_t>(i))
      return bad_row("a class stands twice among the top classes", where, row, std::to_string(classes[i]), "each class once");
  }
  return {};
}

Result<double> rest_of(std::span<const float> probabilities, const std::string& where, std::size_t row) {
  double sum = 0;
  for (const double p : probabilities) {
    HEDGE_CHECK(check_probability(p, where, row));
    sum += p;
  }
  if (sum <= 1 + kSumTolerance) return std::max(1 - sum, kSmallestRest);
  return bad_row("the probabilities of the top classes sum to more than one", where, row, text_of(sum), "at most 1",
                 "one confidence per class that is not a share of one cannot be used: give the most confident class alone");
}

/// Makes `answer` the first largest of the row, which rounding or equal values may have given to another class.
void make_answer(std::span<float> logits, std::size_t answer) {
  if (first_largest(logits) == answer) return;
  logits[answer] = std::nextafter(*std::max_element(logits.begin(), logits.end()), std::numeric_limits<float>::infinity());
}

void spread(std::span<const std::int64_t> classes, std::span<const float> probabilities, double rest, std::span<float> logits) {
  const auto k = classes.size(), others = logits.size() - k;
  const auto logarithm = [](double p) { return static_cast<float>(std::log(std::max<double>(p, kSmallestProbability))); };
  const double least = *std::min_element(probabilities.begin(), probabilities.end());
  const float other = others > 0 ? logarithm(std::min(rest / static_cast<double>(others), least)) : 0;
  std::fill(logits.begin(), logits.end(), other);
  for (std::size_t i = 0; i < k; ++i) logits[static_cast<std::size_t>(classes[i])] = logarithm(probabilities[i]);
  const auto best = std::max_element(probabilities.begin(), probabilities.end()) - probabilities.begin();
  make_answer(logits, static_cast<std::size_t>(classes[static_cast<std::size_t>(best)]));
}

Status check_top(const TopClasses& top, std::int64_t classes, const std::string& where) {
  const auto& shape = top.classes.shape();
  if (shape != top.probabilities.shape() || shape.empty() || shape.size() > 2)
    return Error{.code = ErrorCode::kMismatch,
                 .what = "top classes and their probabilities have other shapes",
                 .where = where,
                 .got = "classes " + hedge::to_string(shape) + ", probabilities " + hedge::to_string(top.probabilities.shape()),
                 .expected = "both [images, k], or both [images]"};
  const auto k = shape.size() == 1 ? 1 : shape[1];
  if (k >= 1 && k <= classes) return {};
  return Error{.code = ErrorCode::kMismatch,
               .what = "there are more top classes than classes, or none",
               .where = where,
               .got = std::to_string(k),
               .expected = "1 to " + std::to_string(classes)};
}

}  // namespace

Result<Tensor> given_logits(const Tensor& logits, const std::string& where) {
  HEDGE_CHECK(check_matrix(logits, "logits", where));
  Tensor floats = as_floats(logits);
  const auto values = floats.data<float>();
  const auto odd = std::find_if_not(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
  if (odd == values.end()) return floats;
  return bad_row("a logit is not a finite number", where,
                 static_cast<std::size_t>(odd - values.begin()) / static_cast<std::size_t>(floats.shape()[1]), text_of(*odd),
                 "finite numbers", "the model's weights or its input may hold NaN or infinity");
}

Result<Tensor> logits_of_probabilities(const Tensor& probabilities, const std::string& where) {
  HEDGE_CHECK(check_matrix(probabilities, "probabilities", where));
  Tensor logits = as_floats(probabilities);
  const auto rows = static_cast<std::size_t>(logits.shape()[0]);
  for (std::size_t row = 0; row < rows; ++row) {
    double sum = 0;
    for (float& p : row_of(logits, row)) {
      HEDGE_CHECK(check_probability(p, where, row));
      sum += p;
      p = std::log(std::max(p, kSmallestProbability));
    }
    if (std::abs(sum - 1) > kSumTolerance)
      return bad_row("the probabilities of an image do not sum to one", where, row, text_of(sum), "1",
                     "give logits as logits, and the few most probable classes as top classes");
  }
  return logits;
}

Result<Tensor> logits_of_top(const TopClasses& top, std::int64_t classes, const std::string& where) {
  HEDGE_CHECK(check_top(top, classes, where));
  const auto rows = top.classes.shape()[0];
  const auto k = static_cast<std::size_t>(rows > 0 ? top.classes.num_elements() / rows : 0);
  const auto floats = as_floats(top.probabilities);
  Tensor logits(DType::kF32, {rows, classes});
  for (std::size_t row = 0; row < static_cast<std::size_t>(rows); ++row) {
    const auto named = top.classes.data<std::int64_t>().subspan(row * k, k);
    const auto given = floats.data<float>().subspan(row * k, k);
    HEDGE_CHECK(check_classes(named, classes, where, row));
    HEDGE_TRY(const double rest, rest_of(given, where, row));
    spread(named, given, rest, row_of(logits, row));
  }
  return logits;
}

}  // namespace hedge::routing

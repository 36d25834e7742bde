#include "eval/router_scores.h"

#include <algorithm>
#include <cmath>

namespace hedge::eval {
namespace {

/// Rows [first, first + rows) of a matrix, borrowed.
TensorView rows_of(const TensorView& matrix, std::int64_t first, std::int64_t rows) {
  const std::int64_t width = matrix.shape[1];
  const auto offset = static_cast<std::size_t>(first * width) * size_of(matrix.dtype);
  return {.dtype = matrix.dtype, .shape = {rows, width}, .bytes = matrix.bytes + offset};
}

Status check_inputs(const Executor& router, const routing::TableView& table) {
  HEDGE_TRY([[maybe_unused]] const std::size_t logits, find_spec(router.inputs(), "logits"));
  for (const TensorSpec& spec : router.inputs()) {
    const bool is_logits = spec.name == "logits";
    if (!is_logits && spec.name != "features")
      return Error{.code = ErrorCode::kMismatch,
                   .what = "the router has an input that a prediction table does not have",
                   .where = spec.name,
                   .expected = "\"logits\" and \"features\""};
    const Shape& shape = (is_logits ? table.base_logits : table.base_features).shape;
    if (spec.dtype != DType::kF32 || !fits(shape, spec.shape))
      return Error{.code = ErrorCode::kMismatch,
                   .what = "the router was made for another base",
                   .where = spec.name,
                   .got = "f32" + to_string(shape),
                   .expected = std::string(to_string(spec.dtype)) + to_string(spec.shape)};
  }
  return {};
}

Status append_scores(const Tensor& output, std::int64_t rows, std::vector<float>& scores) {
  const bool fits_rows = fits(output.shape(), {rows}) || fits(output.shape(), {rows, 1});
  if (output.dtype() != DType::kF32 || !fits_rows)
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the router's score has another type or shape",
                 .where = "score",
                 .got = std::string(to_string(output.dtype())) + to_string(output.shape()),
                 .expected = "f32" + to_string(Shape{rows})};
  for (const float score : output.data<float>()) {
    if (!std::isfinite(score))
      return Error{.code = ErrorCode::kBadData,
                   .what = "the router's score is not a finite number",
                   .where = "row " + std::to_string(scores.size()),
                   .got = std::to_string(score),
                   .hint = "the router's weights may hold NaN; fit it again"};
    scores.push_back(score);
  }
  return {};
}

}  // namespace

Result<std::vector<float>> scores_of(const Executor& router, const routing::TableView& table, std::int64_t batch) {
  if (batch < 1)
    return Error{
        .code = ErrorCode::kInvalidArgument, .what = "the batch is outside its range", .got = std::to_string(batch), .expected = ">= 1"};
  HEDGE_CHECK(table.validate());
  HEDGE_CHECK(check_inputs(router, table));
  HEDGE_TRY(const std::size_t score, find_spec(router.outputs(), "score"));
  const auto total = static_cast<std::int64_t>(table.size());
  std::vector<float> scores;
  scores.reserve(table.size());
  for (std::int64_t first = 0; first < total; first += batch) {
    const std::int64_t rows = std::min(batch, total - first);
    std::vector<NamedView> inputs;
    for (const TensorSpec& spec : router.inputs())
      inputs.push_back({spec.name, rows_of(spec.name == "logits" ? table.base_logits : table.base_features, first, rows)});
    HEDGE_TRY(const std::vector<Tensor> outputs, router.run(inputs));
    if (outputs.size() != router.outputs().size())
      return Error{.code = ErrorCode::kInternal, .what = "the executor gave a wrong number of outputs", .where = router.description()};
    HEDGE_CHECK(append_scores(outputs[score], rows, scores));
  }
  return scores;
}

}  // namespace hedge::eval

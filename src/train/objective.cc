#include "train/objective.h"

#include <algorithm>
#include <cmath>

namespace hedge::train {
namespace {

Error bad(const char* field, ErrorCode code, std::string got, std::string expected) {
  return {.code = code,
          .what = "the objective of a training is not usable",
          .where = field,
          .got = std::move(got),
          .expected = std::move(expected)};
}

/// `values` is empty or holds a finite number >= 0 an image.
Status check_rows(const char* field, const std::vector<float>& values, std::size_t images) {
  if (values.size() != images)
    return bad(field, ErrorCode::kMismatch, std::to_string(values.size()), std::to_string(images) + " numbers, one an image");
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!(values[i] >= 0) || !std::isfinite(values[i]))
      return bad(field, ErrorCode::kInvalidArgument, std::to_string(values[i]) + " for image " + std::to_string(i), "a finite number >= 0");
  return {};
}

bool share(double value) { return value >= 0 && value <= 1; }

}  // namespace

Status Objective::validate(std::size_t outputs, std::size_t images) const {
  if (!output_weights.empty()) {
    if (output_weights.size() > outputs)
      return bad("output_weights", ErrorCode::kMismatch, std::to_string(output_weights.size()), "at most " + std::to_string(outputs));
    double sum = 0;
    for (const double weight : output_weights) {
      if (!(weight >= 0) || !std::isfinite(weight))
        return bad("output_weights", ErrorCode::kInvalidArgument, std::to_string(weight), "finite numbers >= 0");
      sum += weight;
    }
    if (sum == 0) return bad("output_weights", ErrorCode::kInvalidArgument, "zeros", "one above 0");
  }
  if (!sample_weights.empty()) HEDGE_CHECK(check_rows("sample_weights", sample_weights, images));
  if (teacher) {
    if (!share(teacher->weight)) return bad("teacher.weight", ErrorCode::kInvalidArgument, std::to_string(teacher->weight), "in 0..1");
    if (!(teacher->temperature > 0) || !std::isfinite(teacher->temperature))
      return bad("teacher.temperature", ErrorCode::kInvalidArgument, std::to_string(teacher->temperature), "> 0");
    if (teacher->cached && (teacher->cached->shape().size() != 3 || teacher->cached->shape()[0] != static_cast<std::int64_t>(images) ||
                            teacher->cached->shape()[1] != 2))
      return bad("teacher.cached", ErrorCode::kMismatch, hedge::to_string(teacher->cached->shape()),
                 std::to_string(images) + " images, 2, classes");
  }
  if (hybrid) {
    if (teacher || !output_weights.empty()) return bad("hybrid", ErrorCode::kInvalidArgument, "with a teacher or output_weights", "alone");
    if (outputs < 2) return bad("hybrid", ErrorCode::kMismatch, "one output", "logits and r");
    HEDGE_CHECK(check_rows("hybrid.global_loss", hybrid->global_loss, images));
    if (!share(hybrid->coverage)) return bad("hybrid.coverage", ErrorCode::kInvalidArgument, std::to_string(hybrid->coverage), "in 0..1");
    if (!(hybrid->penalty >= 0) || !std::isfinite(hybrid->penalty))
      return bad("hybrid.penalty", ErrorCode::kInvalidArgument, std::to_string(hybrid->penalty), ">= 0");
  }
  return {};
}

}  // namespace hedge::train

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

/// As check_rows, all of them at most 1.
Status check_shares(const char* field, const std::vector<float>& values, std::size_t images) {
  HEDGE_CHECK(check_rows(field, values, images));
  const auto above = std::find_if(values.begin(), values.end(), [](float value) { return value > 1; });
  if (above == values.end()) return {};
  return bad(field, ErrorCode::kInvalidArgument, std::to_string(*above), "in 0..1");
}

bool share(double value) { return value >= 0 && value <= 1; }

Status check_teacher(const Teacher& teacher, std::size_t images) {
  if (!share(teacher.weight)) return bad("teacher.weight", ErrorCode::kInvalidArgument, std::to_string(teacher.weight), "in 0..1");
  if (!(teacher.temperature > 0) || !std::isfinite(teacher.temperature))
    return bad("teacher.temperature", ErrorCode::kInvalidArgument, std::to_string(teacher.temperature), "> 0");
  if (teacher.cached && (teacher.cached->shape().size() != 3 || teacher.cached->shape()[0] != static_cast<std::int64_t>(images) ||
                         teacher.cached->shape()[1] != 2))
    return bad("teacher.cached", ErrorCode::kMismatch, hedge::to_string(teacher.cached->shape()),
               std::to_string(images) + " images, 2, classes");
  return teacher.gate.empty() ? Status{} : check_shares("teacher.gate", teacher.gate, images);
}

Status check_deferring(const Deferring& deferring, std::size_t images) {
  if (!share(deferring.strength))
    return bad("deferring.strength", ErrorCode::kInvalidArgument, std::to_string(deferring.strength), "in 0..1");
  if (deferring.kind != Deferring::Kind::kExpected) return {};
  if (deferring.thresholds.empty()) return bad("deferring.thresholds", ErrorCode::kInvalidArgument, "none", "at least one");
  for (const float threshold : deferring.thresholds)
    if (!std::isfinite(threshold))
      return bad("deferring.thresholds", ErrorCode::kInvalidArgument, std::to_string(threshold), "finite entropies");
  return check_shares("deferring.global_error", deferring.global_error, images);
}

Status check_elastic(const Objective& objective) {
  const Elastic& elastic = *objective.elastic;
  HEDGE_CHECK(elastic.choices.validate());
  if (elastic.random < 1) return bad("elastic.random", ErrorCode::kInvalidArgument, std::to_string(elastic.random), "at least 1");
  constexpr std::int64_t kLeastSide = 8;
  for (const auto side : elastic.sides)
    if (side < kLeastSide) return bad("elastic.sides", ErrorCode::kInvalidArgument, std::to_string(side), "8 pixels or more");
  if (objective.deferring || objective.hybrid || !objective.output_weights.empty() || !objective.only.empty())
    return bad("elastic", ErrorCode::kInvalidArgument, "with deferring, hybrid, output_weights or only", "alone, or with a teacher");
  return {};
}

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
  for (const auto& [name, rate] : rates)
    if (!(rate > 0 && rate <= 1))
      return bad("rates", ErrorCode::kInvalidArgument, std::to_string(rate) + " for " + name, "above 0, up to 1");
  if (!sample_weights.empty()) HEDGE_CHECK(check_rows("sample_weights", sample_weights, images));
  if (elastic) HEDGE_CHECK(check_elastic(*this));
  if (teacher) HEDGE_CHECK(check_teacher(*teacher, images));
  if (deferring) HEDGE_CHECK(check_deferring(*deferring, images));
  if (hybrid) {
    if (teacher || deferring || !output_weights.empty())
      return bad("hybrid", ErrorCode::kInvalidArgument, "with a teacher, deferring or output_weights", "alone");
    if (outputs < 2) return bad("hybrid", ErrorCode::kMismatch, "one output", "logits and r");
    HEDGE_CHECK(check_rows("hybrid.global_loss", hybrid->global_loss, images));
    if (!share(hybrid->coverage)) return bad("hybrid.coverage", ErrorCode::kInvalidArgument, std::to_string(hybrid->coverage), "in 0..1");
    if (!(hybrid->penalty >= 0) || !std::isfinite(hybrid->penalty))
      return bad("hybrid.penalty", ErrorCode::kInvalidArgument, std::to_string(hybrid->penalty), ">= 0");
  }
  return {};
}

}  // namespace hedge::train

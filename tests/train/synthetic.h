#pragma once

#include <cstdint>

#include "core/rng.h"
#include "hedge/predictions.h"

namespace hedge::train {

inline constexpr std::int64_t kClasses = 3;

/// The base is right where its one feature is positive, the global always; confidence says nothing.
inline routing::PredictionTable synthetic(std::size_t rows, std::uint64_t seed) {
  const auto n = static_cast<std::int64_t>(rows);
  routing::PredictionTable table{
      .labels = Tensor(DType::kI64, {n}),
      .base_logits = Tensor(DType::kF32, {n, kClasses}),
      .base_features = Tensor(DType::kF32, {n, 1}),
      .global_logits = Tensor(DType::kF32, {n, kClasses}),
      .info = {.dataset = "synthetic?split=held", .split = "held", .content_hash = "x", .class_names = {"a", "b", "c"}}};
  Rng rng(seed);
  for (std::size_t i = 0; i < rows; ++i) {
    const auto label = static_cast<std::size_t>(rng.below(kClasses));
    const double feature = rng.normal();
    table.labels.data<std::int64_t>()[i] = static_cast<std::int64_t>(label);
    table.base_features.data<float>()[i] = static_cast<float>(feature);
    for (std::size_t c = 0; c < kClasses; ++c) {
      table.base_logits.data<float>()[i * kClasses + c] = static_cast<float>(0.3 * rng.uniform());
      table.global_logits.data<float>()[i * kClasses + c] = c == label ? 3.0F : 0.0F;
    }
    table.base_logits.data<float>()[i * kClasses + (feature > 0 ? label : (label + 1) % kClasses)] += 2.0F;
  }
  return table;
}

}  // namespace hedge::train

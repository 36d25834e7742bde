#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "core/rng.h"
#include "hedge/executor.h"
#include "hedge/router.h"

namespace hedge::eval {

/// An executor that computes whatever a test says.
class FakeExecutor final : public Executor {
 public:
  using Compute = std::function<Result<std::vector<Tensor>>(const std::vector<TensorView>&)>;
  FakeExecutor(std::vector<TensorSpec> inputs, std::vector<TensorSpec> outputs, Compute compute)
      : inputs_(std::move(inputs)), outputs_(std::move(outputs)), compute_(std::move(compute)) {}

  [[nodiscard]] const std::vector<TensorSpec>& inputs() const override { return inputs_; }
  [[nodiscard]] const std::vector<TensorSpec>& outputs() const override { return outputs_; }
  [[nodiscard]] Result<std::vector<Tensor>> run(std::span<const NamedView> inputs) const override {
    HEDGE_TRY(const std::vector<TensorView> views, match_inputs(inputs_, inputs));
    return compute_(views);
  }
  [[nodiscard]] std::string description() const override { return "fake f32"; }

 private:
  std::vector<TensorSpec> inputs_;
  std::vector<TensorSpec> outputs_;
  Compute compute_;
};

inline routing::Outcomes random_outcomes(Rng& rng, std::size_t n, double base_accuracy = 0.6, double global_accuracy = 0.8) {
  routing::Outcomes outcomes;
  for (std::size_t i = 0; i < n; ++i) {
    outcomes.base_right.push_back(rng.uniform() < base_accuracy ? 1 : 0);
    outcomes.global_right.push_back(rng.uniform() < global_accuracy ? 1 : 0);
  }
  return outcomes;
}

/// Two classes, N images of class 0. The base is sure where `ease` is high and right as often as it claims; the global is right on
/// `global_accuracy` of them, whatever the image.
inline routing::PredictionTable synthetic_table(Rng& rng, std::size_t n, double global_accuracy) {
  routing::PredictionTable table;
  const auto rows = static_cast<std::int64_t>(n);
  table.labels = Tensor(DType::kI64, {rows});
  table.base_logits = Tensor(DType::kF32, {rows, 2});
  table.base_features = Tensor(DType::kF32, {rows, 1});
  table.global_logits = Tensor(DType::kF32, {rows, 2});
  for (std::size_t i = 0; i < n; ++i) {
    const double confidence = 0.5 + 0.5 * rng.uniform();
    const auto logit = static_cast<float>(std::log(confidence / (1 - std::min(confidence, 0.9999))));
    const bool right = rng.uniform() < confidence;
    table.base_logits.data<float>()[2 * i + (right ? 0 : 1)] = logit;
    table.base_features.data<float>()[i] = logit;
    table.global_logits.data<float>()[2 * i + (rng.uniform() < global_accuracy ? 0 : 1)] = 3;
  }
  table.info = {.dataset = "synthetic?split=test",
                .split = "test",
                .content_hash = "hash-of-test",
                .base_hash = "hash-of-base",
                .global_hash = "hash-of-global",
                .executor = "fake f32",
                .class_names = {"zero", "one"},
                .base_macs = 100,
                .global_macs = 1000,
                .base_parameters = 10,
                .global_parameters = 99};
  return table;
}

}  // namespace hedge::eval

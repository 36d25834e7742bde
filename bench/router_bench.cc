// Rows a second of fitting a gain router, 10 classes and 96 features, on one thread unless asked; rows count once an epoch.
#include <benchmark/benchmark.h>

#include <algorithm>

#include "core/rng.h"
#include "train/router_fit.h"

namespace {

constexpr std::int64_t kRows = 50'000, kClasses = 10, kFeatures = 96;

/// Random predictions: the speed does not depend on what is learned.
hedge::routing::PredictionTable make_table() {
  using hedge::DType, hedge::Tensor;
  hedge::routing::PredictionTable table{.labels = Tensor(DType::kI64, {kRows}),
                                        .base_logits = Tensor(DType::kF32, {kRows, kClasses}),
                                        .base_features = Tensor(DType::kF32, {kRows, kFeatures}),
                                        .global_logits = Tensor(DType::kF32, {kRows, kClasses}),
                                        .info = {.dataset = "random", .split = "train", .content_hash = "random"}};
  table.info.class_names.assign(kClasses, "class");
  hedge::Rng rng(1);
  for (auto& label : table.labels.data<std::int64_t>()) label = static_cast<std::int64_t>(rng.below(kClasses));
  for (auto* tensor : {&table.base_logits, &table.base_features, &table.global_logits})
    for (auto& value : tensor->data<float>()) value = static_cast<float>(rng.normal());
  return table;
}

/// Argument: threads.
void fit_gain_router(benchmark::State& state) {
  const auto table = make_table();
  double best = 0;
  for (auto unused : state) {
    const auto fitted = hedge::train::fit_router(table, {.epochs = 4, .threads = static_cast<int>(state.range(0))});
    if (!fitted) return state.SkipWithError(fitted.error().message().c_str());
    best = std::max(best, fitted->figures.rows_per_second);
  }
  state.counters["best_rows_per_s"] = best;
}

BENCHMARK(fit_gain_router)->ArgName("threads")->Arg(1)->Arg(2)->Iterations(5)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();

#include "study/redraws.h"

#include "core/rng.h"
#include "eval/router_scores.h"
#include "graph/onnx/onnx_io.h"
#include "hedge/predictions.h"
#include "infer/reference.h"

namespace hedge::study {
namespace {

/// Coverage, hybrid accuracy and risk of a threshold on all images.
struct Truth {
  double coverage = 0, accuracy = 0, risk = 0;
};

Truth truth_of(const Population& all, float threshold) {
  double covered = 0, right = 0, wrong_covered = 0;
  for (std::size_t i = 0; i < all.scores.size(); ++i) {
    const bool queried = all.scores[i] > threshold;
    covered += queried ? 0 : 1;
    right += queried ? all.outcomes.global_right[i] : all.outcomes.base_right[i];
    wrong_covered += queried || all.outcomes.base_right[i] != 0 ? 0 : 1;
  }
  const auto n = static_cast<double>(all.scores.size());
  return {.coverage = covered / n, .accuracy = right / n, .risk = covered > 0 ? wrong_covered / covered : 0};
}

bool holds(const routing::Promise& promise, const Truth& truth) {
  switch (promise.kind) {
    case routing::PromiseKind::kCoverage: return truth.coverage >= promise.target;
    case routing::PromiseKind::kAccuracy: return truth.accuracy >= promise.target;
    case routing::PromiseKind::kRisk: return truth.risk <= promise.target;
  }
  return false;
}

}  // namespace

Result<Redraws> redraw_promise(const Population& population, std::size_t images, const routing::Promise& promise, std::int64_t draws) {
  Redraws result{.promise = promise.to_string(), .draws = draws};
  for (std::int64_t draw = 0; draw < draws; ++draw) {
    Rng rng(static_cast<std::uint64_t>(draw), 0x726472);
    Population sample;
    for (std::size_t i = 0; i < images; ++i) {
      const auto row = static_cast<std::size_t>(rng.below(population.scores.size()));
      sample.scores.push_back(population.scores[row]);
      sample.outcomes.base_right.push_back(population.outcomes.base_right[row]);
      sample.outcomes.global_right.push_back(population.outcomes.global_right[row]);
    }
    const auto kept =
        routing::threshold_for_promise(sample.scores, sample.outcomes, promise, {.seed = static_cast<std::uint64_t>(draw) + 1});
    if (!kept && kept.error().code == ErrorCode::kUnreachable) {
      ++result.impossible;
      continue;
    }
    if (!kept) return kept.error();
    const auto truth = truth_of(population, kept->point.threshold);
    result.violated += holds(promise, truth) ? 0 : 1;
    result.coverage += truth.coverage;
    result.accuracy += truth.accuracy;
  }
  if (const auto made = static_cast<double>(draws - result.impossible); made > 0) {
    result.coverage /= made;
    result.accuracy /= made;
  }
  return result;
}

Result<Json> redraw(const RedrawOptions& options) {
  HEDGE_TRY(auto router, graph::read_onnx(options.folder / options.router / "router.onnx"));
  HEDGE_TRY(const auto executor, infer::make_reference_executor(std::move(router)));
  Population population;
  std::size_t images = 0;
  for (const char* part : {"calibration.table", "test.table"}) {
    HEDGE_TRY(const auto table, routing::read_table(options.folder / part));
    HEDGE_TRY(const auto scores, eval::scores_of(*executor, table));
    HEDGE_TRY(const auto outcomes, routing::outcomes(table));
    population.scores.insert(population.scores.end(), scores.begin(), scores.end());
    auto& all = population.outcomes;
    all.base_right.insert(all.base_right.end(), outcomes.base_right.begin(), outcomes.base_right.end());
    all.global_right.insert(all.global_right.end(), outcomes.global_right.begin(), outcomes.global_right.end());
    if (images == 0) images = scores.size();
  }
  Json list = Json::array();
  for (const auto& text : options.promises) {
    HEDGE_TRY(const auto promise, routing::parse_promise(text, options.delta));
    HEDGE_TRY(const auto drawn, redraw_promise(population, images, promise, options.draws));
    list.push_back({{"promise", drawn.promise},
                    {"delta", options.delta},
                    {"images", images},
                    {"draws", drawn.draws},
                    {"impossible", drawn.impossible},
                    {"violated", drawn.violated},
                    {"coverage", drawn.coverage},
                    {"accuracy", drawn.accuracy}});
  }
  return list;
}

}  // namespace hedge::study

#include "apps/latency.h"

#include <algorithm>
#include <vector>

#include "core/clock.h"

namespace hedge::apps {
namespace {

constexpr int kLeastRuns = 5;

Result<std::vector<Tensor>> zeros_for(const Executor& executor) {
  std::vector<Tensor> inputs;
  for (const auto& spec : executor.inputs()) {
    Shape shape = spec.shape;
    if (!shape.empty() && shape[0] < 0) shape[0] = 1;
    if (std::any_of(shape.begin(), shape.end(), [](std::int64_t d) { return d < 0; }))
      return Error{.code = ErrorCode::kUnsupported,
                   .what = "the input's size is not known, so nothing can be timed",
                   .where = spec.name,
                   .got = to_string(spec.shape)};
    inputs.emplace_back(spec.dtype, shape);
  }
  return inputs;
}

}  // namespace

Result<Latency> measure_latency(const Executor& executor, const LatencyOptions& options) {
  HEDGE_TRY(const auto tensors, zeros_for(executor));
  std::vector<NamedView> inputs;
  for (std::size_t i = 0; i < tensors.size(); ++i) inputs.push_back({executor.inputs()[i].name, tensors[i].view()});
  const SteadyClock clock;
  const auto begin = clock.now();
  std::vector<double> times_ms;
  for (int run = -options.runs / 10; run < options.runs; ++run) {
    const auto start = clock.now();
    HEDGE_TRY(const auto outputs, executor.run(inputs));
    const auto end = clock.now();
    const bool enough = static_cast<int>(times_ms.size()) >= kLeastRuns && seconds_between(begin, end) > options.budget_s;
    if (enough) break;
    const bool slow = seconds_between(begin, end) > options.budget_s / 2;  // no time to warm up long
    if (run >= 0 || slow) times_ms.push_back(1000 * seconds_between(start, end));
  }
  std::sort(times_ms.begin(), times_ms.end());
  const auto at = [&](double share) { return times_ms[static_cast<std::size_t>(share * static_cast<double>(times_ms.size() - 1))]; };
  return Latency{.p50_ms = at(0.5), .p95_ms = at(0.95), .runs = static_cast<int>(times_ms.size())};
}

}  // namespace hedge::apps

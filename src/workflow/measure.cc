#include "workflow/measure.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/clock.h"
#include "hedge/open_model.h"
#include "infer/openvino/openvino_executor.h"
#include "workflow/internal/card_options.h"
#include "workflow/routers.h"

namespace hedge::workflow {
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

/// The median of one image at a time.
Result<double> time_model(const ModelOptions& model, int threads, const RunContext& context) {
  if (context.should_stop && context.should_stop())
    return Error{.code = ErrorCode::kCancelled, .what = "stopped on request", .where = model.path.string()};
  HEDGE_TRY(const auto opened,
            model::open_model(model.path, {.card = internal::card_options(model, context.log), .throughput = false, .threads = threads}));
  HEDGE_TRY(const auto latency, measure_latency(*opened.executor));
  return latency.p50_ms;
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

Result<plan::MeasuredLatency> measure(const MeasureOptions& options, const RunContext& context) {
  if (options.base.path.empty() || options.global.path.empty())
    return Error{.code = ErrorCode::kInvalidArgument, .what = "measuring needs both models", .expected = "--base and --global"};
  plan::MeasuredLatency measured{.executor = "OpenVINO " + infer::openvino_version() + ", f32, " + std::to_string(options.threads) +
                                             (options.threads == 1 ? " thread" : " threads")};
  HEDGE_TRY(measured.base_ms, time_model(options.base, options.threads, context));
  HEDGE_TRY(measured.global_ms, time_model(options.global, options.threads, context));
  if (options.router.empty()) return measured;
  HEDGE_TRY(const auto fitted, read_fitted(options.router));
  HEDGE_TRY(const auto executor, infer::make_openvino_executor(fitted.router, {.threads = options.threads}));
  HEDGE_TRY(const auto latency, measure_latency(*executor));
  measured.router_ms = latency.p50_ms;
  return measured;
}

}  // namespace hedge::workflow

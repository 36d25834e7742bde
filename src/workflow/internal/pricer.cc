#include "workflow/internal/pricer.h"

#include "workflow/zoo.h"

namespace hedge::workflow::internal {

Result<search::Costs> Pricer::cost(const CostQuestion& question) {
  const auto& limits = question.limits;
  if (limits.latency_ms && !latencies_) {
    HEDGE_TRY(latencies_, LatencyTable::open(file_));
  }
  HEDGE_TRY(const auto figures,
            measure_zoo(question.net, question.image, question.classes,
                        limits.need_device() ? std::optional(question.target) : std::nullopt, limits.latency_ms ? &*latencies_ : nullptr));
  search::Costs costs{.macs = figures.macs, .parameters = figures.parameters, .latency_ms = figures.latency_ms};
  if (figures.device) {
    costs.ram_bytes = figures.device->arena_bytes;
    costs.flash_bytes = figures.device->flash_bytes;
    costs.instructions = figures.device->instructions;
  }
  return costs;
}

}  // namespace hedge::workflow::internal

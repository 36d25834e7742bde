#include "plan/cost.h"

namespace hedge::plan {
namespace {

constexpr double kMicrojoulesAMillijoule = 1000.0;
constexpr double kMillisecondsASecond = 1000.0;  // mW * ms = uJ

double millijoules(double power_mw, double time_ms) { return power_mw * time_ms / kMillisecondsASecond; }

}  // namespace

LinearCost linear_cost(const Workload& workload, const Setting& setting) {
  const double device_ms = setting.device.overhead_ms + workload.device_macs / setting.device.macs_per_ms;
  const double link_ms = setting.link.rtt_ms + workload.query_bytes / setting.link.bytes_per_ms;
  const double cloud_ms = setting.cloud.overhead_ms + workload.cloud_macs / setting.cloud.macs_per_ms;
  LinearCost cost;
  cost.fixed = {.latency_ms = device_ms, .energy_mj = millijoules(setting.device.power_mw, device_ms)};
  cost.per_query = {.latency_ms = link_ms + cloud_ms,
                    .energy_mj = setting.link.session_mj +
                                 setting.link.energy_uj_per_byte * workload.query_bytes / kMicrojoulesAMillijoule +
                                 millijoules(setting.link.wait_mw, link_ms + cloud_ms)};
  return cost;
}

Cost cost_of(const Workload& workload, const Setting& setting) { return linear_cost(workload, setting).at(workload.share_sent); }

}  // namespace hedge::plan

#pragma once

#include "plan/profiles.h"

namespace hedge::plan {

/// What one image costs on average, in figures that need no profile.
struct Workload {
  double device_macs = 0;  ///< on the device, an image
  double cloud_macs = 0;   ///< in the cloud, a query
  double query_bytes = 0;  ///< payload of a query
  double share_sent = 0;   ///< of the images, 0..1
};

/// On the user's side: from the image to its answer, and from the battery.
struct Cost {
  double latency_ms = 0;
  double energy_mj = 0;
};

/// A cost as it grows with the share of images sent: fixed + share * per_query.
struct LinearCost {
  Cost fixed;
  Cost per_query;

  [[nodiscard]] Cost at(double share_sent) const {
    return {fixed.latency_ms + share_sent * per_query.latency_ms, fixed.energy_mj + share_sent * per_query.energy_mj};
  }
};

/// T = T_device + share * (T_link(bytes) + T_cloud), T_link = rtt + bytes / bandwidth; for a hybrid T_device = T_base + T_router.
/// E = P_device * T_device + share * (E_session + e * bytes + P_wait * (T_link + T_cloud)). `workload.share_sent` is not used.
LinearCost linear_cost(const Workload& workload, const Setting& setting);

/// linear_cost at the workload's own share.
Cost cost_of(const Workload& workload, const Setting& setting);

}  // namespace hedge::plan

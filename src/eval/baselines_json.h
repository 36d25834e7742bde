#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/json.h"
#include "eval/baselines.h"
#include "hedge/predictions.h"

namespace hedge::eval {

/// What stands above the rows of a baselines file.
struct BaselinesHead {
  std::int64_t image_bytes = 0;
  std::string router;
  std::int64_t router_macs = 0;
  std::size_t router_seeds = 0;
  int resamples = 1000;
  std::uint64_t seed = 1;
};

/// docs/formats/baselines_json.md, schema 1. Precondition: `table` has a global.
Json baselines_json(const routing::PredictionTable& table, const BaselinesHead& head, const std::vector<BaselineRow>& rows);

}  // namespace hedge::eval

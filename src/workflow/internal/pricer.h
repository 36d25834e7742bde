#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "codegen/kernels.h"
#include "graph/zoo.h"
#include "hedge/result.h"
#include "search/costs.h"
#include "workflow/latency_table.h"

namespace hedge::workflow::internal {

/// A network, and what of its costs is limited: only that is worth finding out.
struct CostQuestion {
  const std::string& net;
  graph::ImageShape image;
  std::int64_t classes = 0;
  const search::Limits& limits;
  codegen::Target target = codegen::Target::kCortexM7;
};

/// Says what networks of the zoo cost. Not thread-safe.
class Pricer {
 public:
  /// `latencies`: a file for a LatencyTable, opened when a latency is asked for.
  explicit Pricer(std::filesystem::path latencies) : file_(std::move(latencies)) {}
  /// MACs, parameters and what is limited. Errors: those of measure_zoo and LatencyTable.
  Result<search::Costs> cost(const CostQuestion& question);

 private:
  std::filesystem::path file_;
  std::optional<LatencyTable> latencies_;
};

}  // namespace hedge::workflow::internal

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "hedge/policy.h"
#include "hedge/result.h"
#include "routing/table_view.h"

namespace hedge::workflow {

/// A folder that `fit` wrote: a router and its policy.
struct FittedFolder {
  std::string router_onnx;  ///< the file's bytes
  graph::Graph router;      ///< the same, read
  std::int64_t macs = 0;
  routing::Policy policy;
};

/// Errors: those of reading; kMismatch where router.onnx is not the one that policy.json was calibrated with.
Result<FittedFolder> read_fitted(const std::filesystem::path& folder);

/// A router's scores of `table`'s rows, by the same runner and precision as on the device. threads 0: as many as OpenVINO likes.
/// Errors: those of the executor and of eval::scores_of.
Result<std::vector<float>> score_table(const graph::Graph& router, const routing::TableView& table, int threads = 0);

}  // namespace hedge::workflow

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "hedge/policy.h"
#include "hedge/result.h"
#include "routing/table_view.h"
#include "train/auto_router.h"

namespace hedge::apps {

/// A folder that `hedge fit` wrote.
struct FittedFolder {
  std::string router_onnx;  ///< the file's bytes
  std::int64_t macs = 0;
  routing::Policy policy;
};

/// Errors: those of reading; kMismatch where router.onnx is not the one that policy.json was calibrated with.
Result<FittedFolder> read_fitted(const std::filesystem::path& folder);

/// The router's scores of `table`'s rows, by the same runner and precision as on the device.
Result<std::vector<float>> score_table(const FittedFolder& fitted, const routing::TableView& table);

/// Judges scores by the paired bootstrap of `resamples` resamples (eval::paired_bootstrap): for an automatic choice.
train::RouterJudge make_judge(int resamples, std::uint64_t seed);

}  // namespace hedge::apps

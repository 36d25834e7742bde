#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "hedge/result.h"

namespace hedge::study {

/// One of a pair's networks, as `hedge train` takes it.
struct Net {
  std::string net;                 ///< of the zoo; empty with `from`
  std::string from;                ///< another experiment's pair, whose network of this name and seed is taken
  std::string classes;             ///< "A-B": a specialist, trained on these classes only; empty: on all
  std::vector<std::string> flags;  ///< of hedge train: epochs, augmentation, …
};

/// One way to make a router, fitted once a router seed.
struct Router {
  std::string name;                ///< of its row and folders; ends in "_fused" where its answers are fused
  std::string router;              ///< of hedge fit
  std::string on = "train";        ///< the split it learns from; "calibration": by cross-fitting, which gives the threshold too
  std::int64_t samples = 0;        ///< so many images of that split; 0: all
  std::vector<std::string> flags;  ///< of hedge fit besides

  [[nodiscard]] bool fused() const { return name.ends_with("_fused"); }
};

/// One experiment: a pair of networks on a data set, its routers and what it is held against (docs/formats/study.md).
struct Config {
  std::string pair;  ///< its name, also that of its folder
  std::string data;  ///< "fashion-mnist", or a name that the command line binds to a data set
  std::string note;  ///< said beside the figures
  Net base, global;
  std::vector<std::int64_t> model_seeds;   ///< trainings of the pair
  std::vector<std::int64_t> router_seeds;  ///< fittings a model seed
  std::vector<Router> routers;             ///< the first one adapts and is held against the baselines
  std::vector<std::string> adapt;          ///< flags of hedge adapt; empty: not run
  std::vector<std::string> baselines;      ///< flags of hedge exits, whose network hedge baselines then judges; empty: not run
  Net distilled;                           ///< beside the baselines: a base that also learns from the global; without a net: not run
};

/// Errors: those of read_json; kBadFormat (a field missing, of another type, or unknown).
Result<Config> read_config(const std::filesystem::path& path);

}  // namespace hedge::study

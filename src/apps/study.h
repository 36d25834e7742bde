#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "apps/console.h"
#include "core/json.h"
#include "hedge/result.h"

namespace hedge::apps {

/// One of a pair's networks, as `hedge train` takes it.
struct StudyNet {
  std::string net;                 ///< of the zoo; empty with `from`
  std::string from;                ///< another experiment's pair, whose network of this name and seed is taken
  std::string classes;             ///< "A-B": a specialist, trained on these classes only; empty: on all
  std::vector<std::string> flags;  ///< of hedge train: epochs, augmentation, …
};

/// One way to make a router, fitted once a router seed.
struct StudyRouter {
  std::string name;                ///< of its row and folders; ends in "_fused" where its answers are fused
  std::string router;              ///< of hedge fit
  std::string on = "train";        ///< the split it learns from; "calibration": by cross-fitting, which gives the threshold too
  std::int64_t samples = 0;        ///< so many images of that split; 0: all
  std::vector<std::string> flags;  ///< of hedge fit besides

  [[nodiscard]] bool fused() const { return name.ends_with("_fused"); }
};

/// One experiment: a pair of networks on a data set, its routers and what it is held against (docs/formats/study.md).
struct StudyConfig {
  std::string pair;  ///< its name, also that of its folder
  std::string data;  ///< "fashion-mnist", or a name that the command line binds to a data set
  std::string note;  ///< said beside the figures
  StudyNet base, global;
  std::vector<std::int64_t> model_seeds;   ///< trainings of the pair
  std::vector<std::int64_t> router_seeds;  ///< fittings a model seed
  std::vector<StudyRouter> routers;        ///< the first one adapts and is held against the baselines
  std::vector<std::string> adapt;          ///< flags of hedge adapt; empty: not run
  std::vector<std::string> baselines;      ///< flags of hedge exits, whose network hedge baselines then judges; empty: not run
  StudyNet distilled;                      ///< beside the baselines: a base that also learns from the global; without a net: not run
};

/// Errors: those of read_json; kBadFormat (a field missing, of another type, or unknown).
Result<StudyConfig> read_study(const std::filesystem::path& path);

struct StudyOptions {
  std::filesystem::path out = "out/learn";
  std::map<std::string, std::string> data;  ///< what a configuration's data name stands for: {"cifar10", "folder:PATH"}
  std::int64_t threads = 0;                 ///< of the trainings; 0: all cores
};

/// Runs the public commands for each model seed in OUT/PAIR/seed-N, going on after the last step that ended well, and returns the rows of
/// summary.json (docs/formats/study.md).
/// Errors: those of the steps; kInvalidArgument (a data name that is bound to nothing); kCancelled.
Result<Json> run_study(const StudyConfig& config, const StudyOptions& options, Console& console, const std::function<bool()>& should_stop);

/// The rows of summary.json for one model seed, whose results stand in `folder`.
/// Errors: those of read_json; kBadFormat (a field is missing).
Result<Json> study_rows(const StudyConfig& config, std::int64_t model_seed, const std::filesystem::path& folder);

/// The folder of one fitting.
std::filesystem::path router_folder(const std::filesystem::path& folder, const std::string& router, std::int64_t seed);

/// The study's results for people: tables in Markdown from summary.json. Errors: kBadFormat (a field is missing).
Result<std::string> study_results(const Json& summary);

}  // namespace hedge::apps

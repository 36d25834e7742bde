#include "study/run.h"

#include <algorithm>

#include "cli/steps.h"
#include "data/spec.h"
#include "study/rows.h"

namespace hedge::study {
namespace {

constexpr const char* kFolds = "5";  // of routers that learn from the calibration split

/// One model seed of one experiment: its folder, its data, its steps.
class Run {
 public:
  Run(const Config& config, const Options& options, std::int64_t seed, cli::Console& console, std::function<bool()> should_stop)
      : config_(config),
        options_(options),
        seed_(seed),
        folder_(options.out / config.pair / ("seed-" + std::to_string(seed))),
        steps_(folder_, true, console, std::move(should_stop)) {
    const auto bound = options.data.find(config.data);
    data_ = bound == options.data.end() ? config.data : bound->second;
  }

  Result<Json> rows() {
    HEDGE_CHECK(train("base", config_.base));
    HEDGE_CHECK(train("global", config_.global));
    HEDGE_CHECK(predict());
    HEDGE_CHECK(fit());
    HEDGE_CHECK(evaluate());
    HEDGE_CHECK(adapt());
    HEDGE_CHECK(baselines());
    HEDGE_CHECK(plan());
    return summary_rows(config_, seed_, folder_);
  }

 private:
  [[nodiscard]] std::string at(const std::string& name) const { return (folder_ / name).string(); }

  /// A network's file: this pair's, or the one that it takes from another.
  [[nodiscard]] std::string model(const std::string& name) const {
    const auto& from = name == "base" ? config_.base.from : config_.global.from;
    return ((from.empty() ? folder_ : options_.out / from / folder_.filename()) / (name + ".onnx")).string();
  }

  Status train(const std::string& name, const Net& net) {
    if (!net.from.empty()) {
      if (std::filesystem::exists(model(name))) return {};
      return Error{.code = ErrorCode::kNotFound,
                   .what = "the pair that the " + name + " is taken from has none yet",
                   .where = model(name),
                   .hint = "run its experiment first"};
    }
    HEDGE_TRY(auto spec, data::spec_with_split(data_, "train"));
    if (!net.classes.empty()) spec += "&classes=" + net.classes;
    std::vector<std::string> command = {"hedge",     "train",
                                        "--data",    spec,
                                        "--net",     net.net,
                                        "--out",     at(name + ".onnx"),
                                        "--seed",    std::to_string(seed_),
                                        "--threads", std::to_string(options_.threads)};
    if (std::find(net.flags.begin(), net.flags.end(), "--training") == net.flags.end())
      command.insert(command.end(), {"--training", "plain"});  // configurations say all that they mean
    command.insert(command.end(), net.flags.begin(), net.flags.end());
    command.insert(command.end(), {"--csv", at(name + ".csv"), "--summary", at(name + ".json")});
    return steps_.run("train_" + name, command);
  }

  Status predict() {
    for (const char* split : {"train", "calibration", "test"}) {
      HEDGE_TRY(const auto spec, data::spec_with_split(data_, split));
      HEDGE_CHECK(steps_.run(std::string("predict_") + split, {"hedge", "predict", "--data", spec, "--base", model("base"), "--global",
                                                               model("global"), "--out", at(std::string(split) + ".table")}));
    }
    return {};
  }

  [[nodiscard]] std::string fitted(const Router& router, std::int64_t seed) const {
    return router_folder(folder_, router.name, seed).string();
  }

  /// The table that a router learns from; a limited one is predicted when it is first needed.
  Result<std::string> table_of(const Router& router) {
    if (router.samples == 0) return at(router.on + ".table");
    const auto name = router.on + "-" + std::to_string(router.samples);
    HEDGE_TRY(const auto spec, data::spec_with_split(data_, router.on));
    HEDGE_CHECK(steps_.run("predict_" + name, {"hedge", "predict", "--data", spec + "&limit=" + std::to_string(router.samples), "--base",
                                               model("base"), "--global", model("global"), "--out", at(name + ".table")}));
    return at(name + ".table");
  }

  Status fit() {
    for (const auto& router : config_.routers) {
      HEDGE_TRY(const auto table, table_of(router));
      for (const auto seed : config_.router_seeds) {
        std::vector<std::string> command = {"hedge", "fit", "--table", table};
        if (router.on == "train")
          command.insert(command.end(), {"--calibration", at("calibration.table")});
        else
          command.insert(command.end(), {"--cross-fit", kFolds});
        command.insert(command.end(), {"--router", router.router, "--seed", std::to_string(seed), "--threads",
                                       std::to_string(options_.threads), "--out", fitted(router, seed)});
        command.insert(command.end(), router.flags.begin(), router.flags.end());
        HEDGE_CHECK(steps_.run("fit_" + router.name + "_" + std::to_string(seed), command));
      }
    }
    return {};
  }

  Status evaluate() {
    std::vector<std::string> command = {"hedge", "eval", "--table", at("test.table")};
    for (const auto& router : config_.routers)
      for (const auto seed : config_.router_seeds) command.insert(command.end(), {"--hybrid", router.name + "=" + fitted(router, seed)});
    command.insert(command.end(), {"--title", "Hedge: " + config_.pair + ", model seed " + std::to_string(seed_)});
    if (!config_.note.empty()) command.insert(command.end(), {"--note", config_.note});
    command.insert(command.end(), {"--out", folder_.string()});
    return steps_.run("eval", command);
  }

  /// The pair adapted to its router, beside its control.
  Status adapt() {
    if (config_.adapt.empty()) return {};
    std::vector<std::string> command = {"hedge",    "adapt",         "--base",         model("base"),
                                        "--global", model("global"), "--router-model", first_router() + "/router.onnx",
                                        "--data",   data_,           "--threads",      std::to_string(options_.threads)};
    command.insert(command.end(), config_.adapt.begin(), config_.adapt.end());
    command.insert(command.end(), {"--out", at("adapt")});
    return steps_.run("adapt", command);
  }

  /// The global with exit heads, trained, and everything that the hybrid is held against.
  Status baselines() {
    if (config_.baselines.empty()) return {};
    const auto train_heads = [&](const std::string& name, const std::vector<std::string>& how) {
      std::vector<std::string> command = {"hedge",  "exits", "--global",  model("global"),
                                          "--data", data_,   "--threads", std::to_string(options_.threads)};
      command.insert(command.end(), config_.baselines.begin(), config_.baselines.end());
      command.insert(command.end(), how.begin(), how.end());
      command.insert(command.end(), {"--out", at(name + ".onnx")});
      return steps_.run(name, command);
    };
    HEDGE_CHECK(train_heads("exits", {}));
    HEDGE_CHECK(train_heads("split", {"--at", "cuts", "--freeze"}));
    std::vector<std::string> command = {"hedge",    "baselines",     "--table", at("test.table"), "--hybrid", first_router(),
                                        "--global", model("global"), "--exits", at("exits.onnx"), "--split",  at("split.onnx")};
    if (!config_.distilled.net.empty()) {
      HEDGE_CHECK(distil());
      command.insert(command.end(), {"--distilled", at("distilled.table")});
    }
    command.insert(command.end(), {"--out", at("baselines/baselines.json")});
    return steps_.run("baselines", command);
  }

  /// A base that also learns from the global's logits, on the test images.
  Status distil() {
    auto net = config_.distilled;
    net.flags.insert(net.flags.end(), {"--teacher", model("global")});
    HEDGE_CHECK(train("distilled", net));
    HEDGE_TRY(const auto spec, data::spec_with_split(data_, "test"));
    return steps_.run("predict_distilled", {"hedge", "predict", "--data", spec, "--base", at("distilled.onnx"), "--global", model("global"),
                                            "--out", at("distilled.table")});
  }

  /// What everything costs in the paper's setting, and its order of methods beside ours.
  Status plan() {
    if (config_.baselines.empty()) return {};
    return steps_.run("plan", {"hedge", "plan", at("report.json"), "--baselines", at("baselines/baselines.json"), "--base", model("base"),
                               "--global", model("global"), "--hybrid", first_router(), "--out", at("plan")});
  }

  [[nodiscard]] std::string first_router() const { return fitted(config_.routers.front(), config_.router_seeds.front()); }

  const Config& config_;
  const Options& options_;
  std::int64_t seed_;
  std::filesystem::path folder_;
  cli::Steps steps_;
  std::string data_;
};

}  // namespace

Result<Json> run_study(const Config& config, const Options& options, cli::Console& console, const std::function<bool()>& should_stop) {
  Json rows = Json::array();
  for (const auto seed : config.model_seeds) {
    console.say("== " + config.pair + ", model seed " + std::to_string(seed));
    Run run(config, options, seed, console, should_stop);
    try {
      HEDGE_TRY(auto more, run.rows());
      for (auto& row : more) rows.push_back(std::move(row));
    } catch (const nlohmann::json::exception& e) {
      return Error{.code = ErrorCode::kBadFormat,
                   .what = std::string("the file of a step lacks an expected field: ") + e.what(),
                   .where = config.pair};
    }
  }
  return rows;
}

}  // namespace hedge::study

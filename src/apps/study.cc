#include "apps/study.h"

#include <cmath>
#include <cstdio>
#include <set>

#include "apps/steps.h"
#include "data/spec.h"
#include "graph/onnx/onnx_io.h"
#include "graph/operators.h"

namespace hedge::apps {
namespace {

/// The coverages of summary.json's accuracy_at.
constexpr double kGrid[] = {0.95, 0.90, 0.80, 0.70, 0.50};

Status check_keys(const Json& json, const std::set<std::string>& known, const std::string& where) {
  if (!json.is_object()) return Error{.code = ErrorCode::kBadFormat, .what = "an object was expected", .where = where};
  for (const auto& [key, value] : json.items())
    if (!known.contains(key))
      return Error{
          .code = ErrorCode::kBadFormat, .what = "an unknown field", .where = where, .got = key, .hint = "see docs/formats/study.md"};
  return {};
}

template <typename T>
Status read_optional(const Json& json, const char* key, const std::string& where, T& value) {
  if (!json.contains(key)) return {};
  HEDGE_TRY(value, get_field<T>(json, key, where));
  return {};
}

Result<StudyNet> read_net(const Json& json, const char* key, const std::string& where) {
  HEDGE_TRY(const auto field, get_field<Json>(json, key, where));
  const auto place = where + ": " + key;
  HEDGE_CHECK(check_keys(field, {"net", "from", "classes", "flags"}, place));
  StudyNet net;
  HEDGE_CHECK(read_optional(field, "net", place, net.net));
  HEDGE_CHECK(read_optional(field, "from", place, net.from));
  if (net.net.empty() == net.from.empty())
    return Error{.code = ErrorCode::kBadFormat, .what = "a network is either a net to train or taken from another pair", .where = place};
  HEDGE_CHECK(read_optional(field, "classes", place, net.classes));
  HEDGE_CHECK(read_optional(field, "flags", place, net.flags));
  return net;
}

/// One model seed of one experiment: its folder, its data, its steps.
class Run {
 public:
  Run(const StudyConfig& config, const StudyOptions& options, std::int64_t seed, Console& console, std::function<bool()> should_stop)
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
    return collect();
  }

 private:
  [[nodiscard]] std::string at(const std::string& name) const { return (folder_ / name).string(); }

  /// A network's file: this pair's, or the one that it takes from another.
  [[nodiscard]] std::string model(const std::string& name) const {
    const auto& from = name == "base" ? config_.base.from : config_.global.from;
    return ((from.empty() ? folder_ : options_.out / from / folder_.filename()) / (name + ".onnx")).string();
  }

  Status train(const std::string& name, const StudyNet& net) {
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

  [[nodiscard]] std::string router_folder(const std::string& router, std::int64_t seed) const {
    return at(router + "-" + std::to_string(seed));
  }

  Status fit() {
    for (const auto& router : config_.routers)
      for (const auto seed : config_.router_seeds)
        HEDGE_CHECK(steps_.run(
            "fit_" + router + "_" + std::to_string(seed),
            {"hedge", "fit", "--table", at("train.table"), "--calibration", at("calibration.table"), "--router", router, "--seed",
             std::to_string(seed), "--threads", std::to_string(options_.threads), "--out", router_folder(router, seed)}));
    return {};
  }

  Status evaluate() {
    std::vector<std::string> command = {"hedge", "eval", "--table", at("test.table")};
    for (const auto& router : config_.routers)
      for (const auto seed : config_.router_seeds) command.insert(command.end(), {"--router", router + "=" + router_folder(router, seed)});
    command.insert(command.end(), {"--title", "Hedge: " + config_.pair + ", model seed " + std::to_string(seed_)});
    if (!config_.note.empty()) command.insert(command.end(), {"--note", config_.note});
    command.insert(command.end(), {"--out", folder_.string()});
    return steps_.run("eval", command);
  }

  /// The pair adapted to its router, beside its control.
  Status adapt() {
    if (config_.adapt.empty()) return {};
    std::vector<std::string> command = {"hedge",    "adapt",         "--base",    model("base"),
                                        "--global", model("global"), "--router",  first_router() + "/router.onnx",
                                        "--data",   data_,           "--threads", std::to_string(options_.threads)};
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
    return steps_.run(
        "baselines", {"hedge", "baselines", "--table", at("test.table"), "--hybrid", first_router(), "--global", model("global"), "--exits",
                      at("exits.onnx"), "--split", at("split.onnx"), "--out", at("baselines/baselines.json")});
  }

  [[nodiscard]] std::string first_router() const { return router_folder(config_.routers.front(), config_.router_seeds.front()); }

  /// A router's MACs; 0 for what is no folder of ours (a free score that the evaluation adds).
  [[nodiscard]] std::int64_t router_macs(const std::string& method) const {
    const auto graph = graph::read_onnx(folder_ / (method + "-" + std::to_string(config_.router_seeds.front())) / "router.onnx");
    if (!graph) return 0;
    const auto macs = graph::count_macs(*graph);
    return macs ? *macs : 0;
  }

  static Json interval(const Json& from, const char* mean, double scale = 1) {
    return {{"mean", from.at(mean).get<double>() * scale},
            {"sd", from.value("sd", 0.0) * scale},
            {"low", from.at("low").get<double>() * scale},
            {"high", from.at("high").get<double>() * scale}};
  }

  Json accuracies(const Json& report, const std::string& method) const {
    Json at_coverage = Json::object();
    for (const auto& row : report.at("curve")) {
      for (const double coverage : kGrid)
        if (std::abs(row.at("coverage").get<double>() - coverage) < 1e-9 && row.contains(method)) {
          char key[8];
          std::snprintf(key, sizeof key, "%.2f", coverage);
          at_coverage[key] = interval(row.at(method), "value");
        }
    }
    return at_coverage;
  }

  Result<Json> collect() {
    HEDGE_TRY(const auto report, read_json(folder_ / "report.json"));
    Json rows = Json::array();
    for (const auto& area : report.at("areas")) {
      const auto method = area.at("method").get<std::string>();
      Json row = {{"pair", config_.pair}, {"method", method}, {"model_seed", seed_}, {"router_seeds", config_.router_seeds}};
      row["one_model_seed"] = config_.model_seeds.size() == 1;
      row["dataset"] = config_.data;
      row["note"] = config_.note;
      for (const char* model : {"base", "global"})
        row[model] = {{"macs", report.at(model).at("macs")}, {"accuracy", report.at(model).at("accuracy").at("value")}};
      if (area.contains("gap_closed_percent") && area.at("gap_closed_percent").is_object()) {
        row["area_gap_percent"] = interval(area.at("gap_closed_percent"), "value");
        row["area_gap_percent"]["sd"] = area.at("gap_closed_sd");
      }
      row["accuracy_at"] = accuracies(report, method);
      row["macs"] = router_macs(method);
      rows.push_back(std::move(row));
    }
    for (const char* what : {"adapt", "baselines"}) {
      const auto json = read_json(folder_ / what / (std::string(what) + ".json"));
      if (json) rows.front()[what] = *json;
    }
    return rows;
  }

  const StudyConfig& config_;
  const StudyOptions& options_;
  std::int64_t seed_;
  std::filesystem::path folder_;
  Steps steps_;
  std::string data_;
};

}  // namespace

Result<StudyConfig> read_study(const std::filesystem::path& path) {
  const auto where = path.string();
  HEDGE_TRY(const auto json, read_json(path));
  HEDGE_CHECK(
      check_keys(json, {"pair", "data", "note", "base", "global", "model_seeds", "router_seeds", "routers", "adapt", "baselines"}, where));
  StudyConfig config;
  HEDGE_TRY(config.pair, get_field<std::string>(json, "pair", where));
  HEDGE_TRY(config.data, get_field<std::string>(json, "data", where));
  HEDGE_TRY(config.base, read_net(json, "base", where));
  HEDGE_TRY(config.global, read_net(json, "global", where));
  HEDGE_TRY(config.model_seeds, get_field<std::vector<std::int64_t>>(json, "model_seeds", where));
  HEDGE_TRY(config.router_seeds, get_field<std::vector<std::int64_t>>(json, "router_seeds", where));
  HEDGE_TRY(config.routers, get_field<std::vector<std::string>>(json, "routers", where));
  HEDGE_CHECK(read_optional(json, "note", where, config.note));
  HEDGE_CHECK(read_optional(json, "adapt", where, config.adapt));
  HEDGE_CHECK(read_optional(json, "baselines", where, config.baselines));
  if (config.model_seeds.empty() || config.router_seeds.empty() || config.routers.empty())
    return Error{.code = ErrorCode::kBadFormat, .what = "a study needs a model seed, a router seed and a router", .where = where};
  return config;
}

Result<Json> run_study(const StudyConfig& config, const StudyOptions& options, Console& console, const std::function<bool()>& should_stop) {
  Json rows = Json::array();
  for (const auto seed : config.model_seeds) {
    console.say("== " + config.pair + ", model seed " + std::to_string(seed));
    Run run(config, options, seed, console, should_stop);
    try {
      HEDGE_TRY(auto more, run.rows());
      for (auto& row : more) rows.push_back(std::move(row));
    } catch (const nlohmann::json::exception& e) {
      return Error{.code = ErrorCode::kBadFormat,
                   .what = std::string("a step left a file without an expected field: ") + e.what(),
                   .where = config.pair};
    }
  }
  return rows;
}

}  // namespace hedge::apps

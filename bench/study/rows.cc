#include "study/rows.h"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <optional>

#include "graph/onnx/onnx_io.h"
#include "graph/operators.h"

namespace hedge::study {
namespace {

std::string key_of(double coverage) {
  char key[8];
  std::snprintf(key, sizeof key, "%.2f", coverage);
  return key;
}

Json mean_of(const Json& interval, double sd = 0) {
  return {{"mean", interval.at("value")}, {"sd", sd}, {"low", interval.at("low")}, {"high", interval.at("high")}};
}

/// The same difference seen from the other side.
Json negated(const Json& interval) {
  return {{"value", -interval.at("value").get<double>()},
          {"low", -interval.at("high").get<double>()},
          {"high", -interval.at("low").get<double>()}};
}

/// Comparisons of one report's methods with one another.
class Comparisons {
 public:
  Comparisons(const Config& config, const Json& report) : config_(config), report_(report) {}

  /// All that the results are judged by; each is `a` less `b`.
  [[nodiscard]] Json all() const {
    Json list = Json::array();
    for (const auto& router : config_.routers) {
      if (area_of(router.name) == nullptr) continue;
      const auto add = [&](const char* question, const std::optional<std::string>& rival) {
        if (rival) list.push_back(compare(question, router.name, *rival));
      };
      if (router.fused())
        add("fused", find([&](const Router& r) { return !r.fused() && r.router == router.router && like(r, router); }));
      else if (router.samples > 0)
        add("few_samples", "margin");
      else if (router.router == "auto")
        add("hindsight", best([](const Router& r) { return r.router != "auto"; }, true));
      else if (router.router != "selective_query") {
        add("selective_query", best([](const Router& r) { return r.router == "selective_query"; }, false));
        add("free_score", best([](const Router&) { return false; }, true));
      }
    }
    return list;
  }

 private:
  using Which = std::function<bool(const Router&)>;

  static bool like(const Router& a, const Router& b) { return a.on == b.on && a.samples == b.samples; }

  [[nodiscard]] const Json* area_of(const std::string& method) const {
    for (const auto& row : report_.at("areas"))
      if (row.at("method") == method) return &row;
    return nullptr;
  }

  [[nodiscard]] std::optional<std::string> find(const Which& which) const {
    for (const auto& router : config_.routers)
      if (which(router)) return router.name;
    return std::nullopt;
  }

  /// The largest area on the judged images: a choice in hindsight, in the rival's favour.
  [[nodiscard]] std::optional<std::string> best(const Which& which, bool free_scores) const {
    std::optional<std::string> name;
    double most = 0;
    const auto take = [&](const std::string& method) {
      const auto* row = area_of(method);
      if (row == nullptr || (name && row->at("value").get<double>() <= most)) return;
      name = method;
      most = row->at("value").get<double>();
    };
    for (const auto& router : config_.routers)
      if (!router.fused() && router.samples == 0 && which(router)) take(router.name);
    if (free_scores)
      for (const auto& method : report_.at("methods"))
        if (method.at("kind") == "free_score") take(method.at("name").get<std::string>());
    return name;
  }

  /// Percent of the gap a point of area is; nothing where there is no gap.
  [[nodiscard]] std::optional<double> percent_a_point() const {
    const double gap = area_of("upper_bound")->at("value").get<double>() - area_of("entropy")->at("value").get<double>();
    return gap > 0 ? std::optional(100 / gap) : std::nullopt;
  }

  [[nodiscard]] Json compare(const char* question, const std::string& a, const std::string& b) const {
    Json json = {{"question", question}, {"a", a}, {"b", b}};
    for (const auto& row : report_.at("paired").at("rows")) {
      const bool straight = row.at("a") == a && row.at("b") == b;
      if (!straight && !(row.at("a") == b && row.at("b") == a)) continue;
      const auto seen = [&](const Json& interval) { return mean_of(straight ? interval : negated(interval)); };
      json["area"] = seen(row.at("area"));
      if (const auto scale = percent_a_point())
        for (const char* part : {"mean", "low", "high"}) json["area_gap_points"][part] = json["area"].at(part).get<double>() * *scale;
      const auto& coverages = report_.at("paired").at("coverages");
      for (std::size_t i = 0; i < coverages.size(); ++i) json["at"][key_of(coverages[i].get<double>())] = seen(row.at("at").at(i));
    }
    return json;
  }

  const Config& config_;
  const Json& report_;
};

/// A router's MACs; 0 for what is no folder of ours (a free score that the evaluation adds).
std::int64_t router_macs(const std::filesystem::path& router_onnx) {
  const auto graph = graph::read_onnx(router_onnx);
  if (!graph) return 0;
  const auto macs = graph::count_macs(*graph);
  return macs ? *macs : 0;
}

Json accuracies(const Json& report, const std::string& method) {
  Json at_coverage = Json::object();
  for (const auto& row : report.at("curve"))
    for (const std::string coverage : kCoverages)
      if (key_of(row.at("coverage").get<double>()) == coverage && row.contains(method))
        at_coverage[coverage] = mean_of(row.at(method), row.at(method).value("sd", 0.0));
  return at_coverage;
}

/// Whether fused answers were adopted, and what they bring; not adopted, the global answers.
Result<Json> fused_answers(const Json& method, const std::filesystem::path& policy_path) {
  HEDGE_TRY(const auto policy, read_json(policy_path));
  const auto& fusion = policy.at("fusion");
  return Json{{"adopted", fusion.at("adopted")},
              {"why", fusion.at("why")},
              {"answer_accuracy", method.at("global_accuracy")},
              {"gain", mean_of(method.at("answer_gain"))}};
}

}  // namespace

std::filesystem::path router_folder(const std::filesystem::path& folder, const std::string& router, std::int64_t seed) {
  return folder / (router + "-" + std::to_string(seed));
}

Result<Json> summary_rows(const Config& config, std::int64_t model_seed, const std::filesystem::path& folder) {
  HEDGE_TRY(const auto report, read_json(folder / "report.json"));
  Json rows = Json::array();
  for (std::size_t i = 0; i < report.at("areas").size(); ++i) {
    const auto& area = report.at("areas")[i];
    const auto& about = report.at("methods").at(i);
    const auto method = area.at("method").get<std::string>();
    const auto router = router_folder(folder, method, config.router_seeds.front());
    Json row = {{"pair", config.pair}, {"method", method}, {"model_seed", model_seed}, {"router_seeds", config.router_seeds}};
    row["one_model_seed"] = config.model_seeds.size() == 1;
    row["dataset"] = config.data;
    row["note"] = config.note;
    row["protocol"] = about.at("protocol");
    for (const char* model : {"base", "global"})
      row[model] = {{"macs", report.at(model).at("macs")}, {"accuracy", report.at(model).at("accuracy").at("value")}};
    if (area.at("gap_closed_percent").is_object() && area.at("gap_closed_percent").at("value").is_number())
      row["area_gap_percent"] = mean_of(area.at("gap_closed_percent"), area.at("gap_closed_sd").get<double>());
    row["accuracy_at"] = accuracies(report, method);
    row["macs"] = router_macs(router / "router.onnx");
    if (about.at("kind") == "fused") {
      HEDGE_TRY(row["fused"], fused_answers(about, router / "policy.json"));
    }
    rows.push_back(std::move(row));
  }
  rows.front()["comparisons"] = Comparisons(config, report).all();
  for (const char* what : {"adapt", "baselines"}) {
    const auto json = read_json(folder / what / (std::string(what) + ".json"));
    if (json) rows.front()[what] = *json;
  }
  const auto planned = read_json(folder / "plan" / "report.json");
  if (planned)
    rows.front()["plan"] = {{"setting", planned->at("plan").at("setting")},
                            {"measured", planned->at("plan").at("measured")},
                            {"order", planned->at("plan").at("order")}};
  return rows;
}

}  // namespace hedge::study

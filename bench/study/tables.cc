#include "study/tables.h"

#include <sys/resource.h>

#include <algorithm>
#include <map>

#include "cli/steps.h"
#include "study/keys.h"
#include "study/redraws.h"

namespace hedge::study {
namespace {

constexpr const char* kParts[] = {"fit", "calibration", "test"};

/// Processor seconds of all children that have ended.
double seconds_of_children() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec); };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::string filled(std::string text, const std::map<std::string, std::string>& places) {
  for (const auto& [place, value] : places)
    for (auto at = text.find(place); at != std::string::npos; at = text.find(place, at + value.size()))
      text.replace(at, place.size(), value);
  return text;
}

Result<TablePair> read_pair(const Json& json, const std::string& where) {
  HEDGE_CHECK(check_keys(json, {"base", "global", "base_name", "global_name", "flags", "promises"}, where));
  TablePair pair;
  HEDGE_TRY(pair.base, get_field<std::string>(json, "base", where));
  HEDGE_TRY(pair.global, get_field<std::string>(json, "global", where));
  HEDGE_CHECK(read_optional(json, "base_name", where, pair.base_name));
  HEDGE_CHECK(read_optional(json, "global_name", where, pair.global_name));
  HEDGE_CHECK(read_optional(json, "flags", where, pair.flags));
  HEDGE_CHECK(read_optional(json, "promises", where, pair.promises));
  return pair;
}

Result<TableRouter> read_router(const Json& json, const std::string& where) {
  HEDGE_CHECK(check_keys(json, {"name", "flags"}, where));
  TableRouter router;
  HEDGE_TRY(router.name, get_field<std::string>(json, "name", where));
  HEDGE_CHECK(read_optional(json, "flags", where, router.flags));
  return router;
}

template <typename T>
Status read_list(const Json& json, const char* key, const std::string& where, Result<T> (*read)(const Json&, const std::string&),
                 std::vector<T>& list) {
  HEDGE_TRY(const auto items, get_field<Json>(json, key, where));
  if (!items.is_array() || items.empty())
    return Error{.code = ErrorCode::kBadFormat, .what = "a list with something in it was expected", .where = where, .got = key};
  for (const auto& item : items) {
    HEDGE_TRY(auto one, read(item, where + ": " + key));
    list.push_back(std::move(one));
  }
  return {};
}

/// "mean", "low" and "high" of an interval of the report.
Json interval_of(const Json& interval) {
  return {{"mean", interval.at("value")}, {"low", interval.at("low")}, {"high", interval.at("high")}};
}

/// A method's accuracy at each coverage of the report, and at 0, where the global answers all (or the fused answer).
Json accuracy_at(const Json& report, const std::string& method, const Json& about) {
  Json at = Json::object();
  at["0.00"] = {{"mean", about.at("global_accuracy")}};
  for (const auto& row : report.at("curve")) {
    if (!row.contains(method)) continue;
    char key[8];
    std::snprintf(key, sizeof key, "%.2f", row.at("coverage").get<double>());
    at[key] = interval_of(row.at(method));
  }
  return at;
}

Json methods_of(const Json& report) {
  Json methods = Json::array();
  for (std::size_t i = 0; i < report.at("areas").size(); ++i) {
    const auto& area = report.at("areas")[i];
    const auto& about = report.at("methods").at(i);
    const auto name = area.at("method").get<std::string>();
    Json method = {{"name", name}, {"kind", about.at("kind")}, {"area", area.at("value")}};
    if (area.at("gap_closed_percent").is_object() && area.at("gap_closed_percent").at("value").is_number())
      method["area_gap_percent"] = interval_of(area.at("gap_closed_percent"));
    method["accuracy_at"] = accuracy_at(report, name, about);
    if (about.at("kind") == "fused") method["answer_gain"] = interval_of(about.at("answer_gain"));
    methods.push_back(std::move(method));
  }
  return methods;
}

/// One pair and division: its folder and its steps.
class Run {
 public:
  Run(const TableStudy& study, const Options& options, const TablePair& pair, std::int64_t division, cli::Console& console,
      const std::function<bool()>& should_stop)
      : study_(study),
        options_(options),
        pair_(pair),
        division_(division),
        folder_(options.out / study.name / (pair.base + "-" + pair.global) / std::to_string(division)),
        steps_(folder_, true, console, should_stop) {}

  /// The row as it was made before, or made now.
  Result<Json> row() {
    const auto made = read_json(folder_ / "row.json");
    if (made && made->at("made_of") == made_of()) return *made;
    HEDGE_CHECK(tables());
    const double before = seconds_of_children();
    HEDGE_CHECK(fit());
    HEDGE_CHECK(evaluate());
    const double seconds = seconds_of_children() - before;
    HEDGE_TRY(auto row, describe());
    row["cpu_seconds"] = seconds;
    if (!pair_.promises.empty()) {
      HEDGE_TRY(row["redraws"],
                redraw({.folder = folder_, .promises = pair_.promises, .delta = study_.delta, .draws = study_.redraws, .router = "auto"}));
    }
    HEDGE_CHECK(write_json(folder_ / "row.json", row));
    std::error_code ignored;
    for (const std::string name : {"all", "fit", "calibration", "test"}) std::filesystem::remove(folder_ / (name + ".table"), ignored);
    return row;
  }

 private:
  [[nodiscard]] std::string at(const std::string& name) const { return (folder_ / name).string(); }

  /// What a row depends on, as a text.
  [[nodiscard]] Json made_of() const {
    Json all = {{"import", import_flags()}, {"parts", study_.parts}, {"promises", pair_.promises}, {"resamples", study_.resamples}};
    all["redraws"] = study_.redraws;
    all["delta"] = study_.delta;
    for (const auto& router : study_.routers) all["routers"][router.name] = router.flags;
    return all;
  }

  [[nodiscard]] std::vector<std::string> import_flags() const {
    const auto bound = options_.data.find(study_.data);
    const std::map<std::string, std::string> places = {
        {"{data}", bound == options_.data.end() ? study_.data : bound->second}, {"{base}", pair_.base}, {"{global}", pair_.global}};
    std::vector<std::string> flags;
    for (const auto& flag : study_.import) flags.push_back(filled(flag, places));
    for (const auto& flag : pair_.flags) flags.push_back(filled(flag, places));
    return flags;
  }

  Status tables() {
    std::vector<std::string> command = {"hedge", "table", "import"};
    for (const auto& flag : import_flags()) command.push_back(flag);
    command.insert(command.end(),
                   {"--base-name", pair_.base_name.empty() ? pair_.base : pair_.base_name, "--global-name",
                    pair_.global_name.empty() ? pair_.global : pair_.global_name, "--dataset", study_.name, "--out", at("all.table")});
    HEDGE_CHECK(steps_.run("import", command));
    command = {"hedge", "table", "split", at("all.table")};
    command.insert(command.end(), study_.parts.begin(), study_.parts.end());
    command.insert(command.end(), {"--seed", std::to_string(division_), "--out", folder_.string()});
    return steps_.run("split", command);
  }

  Status fit() {
    for (const auto& router : study_.routers) {
      std::vector<std::string> command = {"hedge", "fit", "--table", at("fit.table"), "--calibration", at("calibration.table")};
      command.insert(command.end(), router.flags.begin(), router.flags.end());
      command.insert(command.end(), {"--threads", std::to_string(options_.threads), "--out", at(router.name)});
      HEDGE_CHECK(steps_.run("fit_" + router.name, command));
    }
    return {};
  }

  Status evaluate() {
    std::vector<std::string> command = {"hedge", "eval", "--table", at("test.table")};
    for (const auto& router : study_.routers) command.insert(command.end(), {"--hybrid", router.name + "=" + at(router.name)});
    command.insert(command.end(), {"--resamples", std::to_string(study_.resamples), "--title", study_.title + ": " + pair_.name(), "--out",
                                   folder_.string()});
    return steps_.run("eval", command);
  }

  Result<Json> describe() const {
    HEDGE_TRY(const auto report, read_json(folder_ / "report.json"));
    Json row = {{"pair", pair_.name()}, {"division", division_}, {"made_of", made_of()}};
    row["base_accuracy"] = report.at("base").at("accuracy").at("value");
    row["global_accuracy"] = report.at("global").at("accuracy").at("value");
    row["test_images"] = report.at("pictures");
    if (report.at("price").is_object()) row["price"] = report.at("price");
    for (const auto& router : study_.routers) {
      HEDGE_TRY(const auto policy, read_json(folder_ / router.name / "policy.json"));
      row["routers"][router.name] = policy.at("router");
      if (policy.contains("fusion") && policy.at("fusion").is_object()) row["fusion"][router.name] = policy.at("fusion").at("adopted");
    }
    row["methods"] = methods_of(report);
    return row;
  }

  const TableStudy& study_;
  const Options& options_;
  const TablePair& pair_;
  std::int64_t division_;
  std::filesystem::path folder_;
  cli::Steps steps_;
};

Status check_study(const TableStudy& study, const std::string& where) {
  for (const std::string part : kParts)
    if (std::none_of(study.parts.begin(), study.parts.end(), [&](const std::string& text) { return text.starts_with(part + "="); }))
      return Error{.code = ErrorCode::kBadFormat,
                   .what = "a part of the images is missing",
                   .where = where,
                   .expected = part + "=SHARE",
                   .hint = "routers learn from \"fit\", \"calibration\" sets thresholds, \"test\" judges"};
  if (std::none_of(study.routers.begin(), study.routers.end(), [](const TableRouter& router) { return router.name == "auto"; }))
    return Error{.code = ErrorCode::kBadFormat, .what = "a study of tables needs a router called \"auto\"", .where = where};
  if (study.divisions.empty() || study.redraws < 1 || !(study.delta > 0 && study.delta <= 0.5))
    return Error{.code = ErrorCode::kBadFormat,
                 .what = "divisions, redraws or delta are out of range",
                 .where = where,
                 .expected = "a division at least, redraws >= 1, delta in (0, 0.5]"};
  return {};
}

}  // namespace

std::string TablePair::name() const {
  return (base_name.empty() ? base : base_name) + " > " + (global_name.empty() ? global : global_name);
}

Result<bool> is_table_study(const std::filesystem::path& path) {
  HEDGE_TRY(const auto json, read_json(path));
  return json.is_object() && json.contains("import");
}

Result<TableStudy> read_table_study(const std::filesystem::path& path) {
  const auto where = path.string();
  HEDGE_TRY(const auto json, read_json(path));
  HEDGE_CHECK(check_keys(json,
                         {"name", "data", "title", "note", "import", "parts", "pairs", "divisions", "routers", "resamples", "redraws",
                          "delta", "prices", "paper"},
                         where));
  TableStudy study;
  HEDGE_TRY(study.name, get_field<std::string>(json, "name", where));
  HEDGE_TRY(study.data, get_field<std::string>(json, "data", where));
  HEDGE_TRY(study.title, get_field<std::string>(json, "title", where));
  HEDGE_TRY(study.import, get_field<std::vector<std::string>>(json, "import", where));
  HEDGE_TRY(study.parts, get_field<std::vector<std::string>>(json, "parts", where));
  HEDGE_TRY(study.divisions, get_field<std::vector<std::int64_t>>(json, "divisions", where));
  HEDGE_CHECK(read_list(json, "pairs", where, read_pair, study.pairs));
  HEDGE_CHECK(read_list(json, "routers", where, read_router, study.routers));
  HEDGE_CHECK(read_optional(json, "note", where, study.note));
  HEDGE_CHECK(read_optional(json, "resamples", where, study.resamples));
  HEDGE_CHECK(read_optional(json, "redraws", where, study.redraws));
  HEDGE_CHECK(read_optional(json, "delta", where, study.delta));
  HEDGE_CHECK(read_optional(json, "prices", where, study.prices));
  if (json.contains("paper")) {
    study.paper = json.at("paper");
    HEDGE_CHECK(check_keys(study.paper, {"text", "columns", "rows"}, where + ": paper"));
  }
  HEDGE_CHECK(check_study(study, where));
  return study;
}

Result<Json> run_tables(const TableStudy& study, const Options& options, cli::Console& console, const std::function<bool()>& should_stop) {
  Json rows = Json::array();
  for (const auto& pair : study.pairs)
    for (const auto division : study.divisions) {
      console.say("== " + study.name + ": " + pair.name() + ", division " + std::to_string(division));
      try {
        HEDGE_TRY(auto row, Run(study, options, pair, division, console, should_stop).row());
        rows.push_back(std::move(row));
      } catch (const nlohmann::json::exception& e) {
        return Error{.code = ErrorCode::kBadFormat,
                     .what = std::string("the file of a step lacks an expected field: ") + e.what(),
                     .where = pair.name()};
      }
      HEDGE_CHECK(write_json(options.out / study.name / "summary.json", rows));
    }
  return rows;
}

}  // namespace hedge::study

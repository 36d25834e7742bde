// hedge-study: experiments on pairs of networks, each of many trainings and routers (docs/formats/study.md). Runs the programs beside it.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "cli/console.h"
#include "cli/signals.h"
#include "core/file.h"
#include "core/json.h"
#include "study/config.h"
#include "study/results.h"
#include "study/run.h"
#include "study/table_results.h"
#include "study/tables.h"

namespace hedge::study {
namespace {

struct Flags {
  std::vector<std::string> configs = {"bench/study/configs"};  ///< files, or folders of them
  std::vector<std::string> data;                               ///< NAME=SPEC
  std::string results;
  Options options;
};

/// The files themselves, those of a folder in order of their names.
Result<std::vector<std::filesystem::path>> config_files(const std::vector<std::string>& paths) {
  std::vector<std::filesystem::path> files;
  for (const auto& path : paths) {
    std::error_code code;
    if (!std::filesystem::is_directory(path, code)) {
      files.emplace_back(path);
      continue;
    }
    const auto start = static_cast<std::ptrdiff_t>(files.size());
    for (const auto& entry : std::filesystem::directory_iterator(path, code))
      if (entry.path().extension() == ".json") files.push_back(entry.path());
    std::sort(files.begin() + start, files.end());
  }
  if (files.empty())
    return Error{.code = ErrorCode::kNotFound,
                 .what = "no configuration of an experiment",
                 .hint = "give JSON files or a folder of them, e.g. bench/study/configs"};
  return files;
}

Status bind_data(const std::vector<std::string>& bindings, Options& options) {
  for (const auto& binding : bindings) {
    const auto equals = binding.find('=');
    if (equals == std::string::npos || equals == 0)
      return Error{.code = ErrorCode::kInvalidArgument,
                   .what = "--data needs NAME=SPEC, such as cifar10=folder:PATH",
                   .where = "--data",
                   .got = binding};
    options.data[binding.substr(0, equals)] = binding.substr(equals + 1);
  }
  options.data.try_emplace("fashion-mnist", "fashion-mnist");
  return {};
}

/// Whether the command line says what the data name of an experiment stands for; if not, it says that the experiment is left out.
bool is_bound(const Options& options, const std::string& name, const std::string& data, cli::Console& console) {
  if (options.data.contains(data)) return true;
  console.say("hedge-study: " + name + " is left out: --data " + data + "=PATH was not given");
  return false;
}

/// What the experiments gave: rows of trained pairs, and a section of the results for each study of tables.
struct Outcome {
  Json summary = Json::array();
  std::map<std::string, std::string> sections;
};

Status run_one(const std::filesystem::path& file, const Options& options, cli::Console& console, const std::function<bool()>& should_stop,
               Outcome& outcome) {
  HEDGE_TRY(const bool of_tables, is_table_study(file));
  if (of_tables) {
    HEDGE_TRY(const auto study, read_table_study(file));
    if (!is_bound(options, study.name, study.data, console)) return {};
    HEDGE_TRY(const auto rows, run_tables(study, options, console, should_stop));
    HEDGE_TRY(outcome.sections[study.name], tables_section(study, rows));
    return {};
  }
  HEDGE_TRY(const auto config, read_config(file));
  if (!is_bound(options, config.pair, config.data, console)) return {};
  HEDGE_TRY(const auto rows, run_study(config, options, console, should_stop));
  for (const auto& row : rows) outcome.summary.push_back(row);
  return write_json(options.out / "summary.json", outcome.summary);
}

/// The results file: its sections of tables stay where such a study was not run, the rest where no pair was trained.
Status write_results(const std::filesystem::path& path, const Outcome& outcome) {
  const auto old = read_file(path);
  std::string text = old ? *old : "# Results\n\n";
  auto sections = sections_of(text);
  if (!outcome.summary.empty()) {
    HEDGE_TRY(text, results_text(outcome.summary));
  }
  for (const auto& [name, section] : outcome.sections) sections[name] = section;
  return write_file_atomic(path, with_sections(std::move(text), sections));
}

Status run(Flags& flags, cli::Console& console, const std::function<bool()>& should_stop) {
  HEDGE_CHECK(bind_data(flags.data, flags.options));
  HEDGE_TRY(const auto files, config_files(flags.configs));
  Outcome outcome;
  for (const auto& file : files) HEDGE_CHECK(run_one(file, flags.options, console, should_stop, outcome));
  const auto results = flags.results.empty() ? flags.options.out / "results.md" : std::filesystem::path(flags.results);
  HEDGE_CHECK(write_results(results, outcome));
  std::printf("summary: %s\nresults: %s\n", (flags.options.out / "summary.json").c_str(), results.c_str());
  return {};
}

int main_of(int argc, char** argv) {
  cli::Console console("hedge-study");
  Flags flags;
  CLI::App app(
      "hedge-study: trains pairs of networks or takes their predictions, fits routers and compares them, as the configurations say.\n"
      "Writes summary.json and results.md. Run again, it continues after the last step that succeeded.");
  app.name("hedge-study");
  app.set_version_flag("--version", "hedge " HEDGE_VERSION);
  app.add_option("configs", flags.configs, "JSON files with one experiment each (docs/formats/study.md), or folders of them")
      ->capture_default_str();
  app.add_option(
      "--data", flags.data,
      "NAME=SPEC: what a name in the configurations stands for: a data set, such as cifar10=folder:PATH, or files of predictions, "
      "such as imagenet-top5=FILE; experiments on other names are left out");
  app.add_option("--out", flags.options.out, "folder for everything that is made, with a folder per pair and model seed")
      ->capture_default_str();
  app.add_option("--results", flags.results,
                 "file for the results in Markdown. Sections of imported predictions that are in it and are not made again stay; the rest "
                 "stays where no pair was trained. Default: OUT/results.md");
  app.add_option("--threads", flags.options.threads, "CPU threads of the trainings; 0: all cores")->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : static_cast<int>(ErrorCode::kInvalidArgument);
  }
  const auto& stop = cli::catch_signals();
  try {
    const auto status = run(flags, console, [&stop] { return stop.load(); });
    return status ? 0 : console.fail(status.error());
  } catch (const std::exception& e) {
    return console.fail({.code = ErrorCode::kInternal, .what = e.what()});
  }
}

}  // namespace
}  // namespace hedge::study

int main(int argc, char** argv) { return hedge::study::main_of(argc, argv); }

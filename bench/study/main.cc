// hedge-study: experiments on pairs of networks, each of many trainings and routers (docs/formats/study.md). Runs the programs beside it.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "cli/console.h"
#include "cli/signals.h"
#include "core/file.h"
#include "core/json.h"
#include "study/config.h"
#include "study/results.h"
#include "study/run.h"

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

Status run(Flags& flags, cli::Console& console, const std::function<bool()>& should_stop) {
  HEDGE_CHECK(bind_data(flags.data, flags.options));
  HEDGE_TRY(const auto files, config_files(flags.configs));
  Json summary = Json::array();
  for (const auto& file : files) {
    HEDGE_TRY(const auto config, read_config(file));
    if (!flags.options.data.contains(config.data)) {
      console.say("hedge-study: " + config.pair + " is left out: --data " + config.data + "=folder:PATH was not given");
      continue;
    }
    HEDGE_TRY(const auto rows, run_study(config, flags.options, console, should_stop));
    for (const auto& row : rows) summary.push_back(row);
    HEDGE_CHECK(write_json(flags.options.out / "summary.json", summary));
  }
  HEDGE_TRY(const auto text, results_text(summary));
  const auto results = flags.results.empty() ? flags.options.out / "results.md" : std::filesystem::path(flags.results);
  HEDGE_CHECK(write_file_atomic(results, text));
  std::printf("summary: %s\nresults: %s\n", (flags.options.out / "summary.json").c_str(), results.c_str());
  return {};
}

int main_of(int argc, char** argv) {
  cli::Console console("hedge-study");
  Flags flags;
  CLI::App app(
      "hedge-study: trains pairs of networks, fits routers, adapts them and compares them with baselines, as the configurations say.\n"
      "Writes summary.json and results.md. Run again, it continues after the last step that succeeded.");
  app.name("hedge-study");
  app.set_version_flag("--version", "hedge " HEDGE_VERSION);
  app.add_option("configs", flags.configs, "JSON files with one experiment each (docs/formats/study.md), or folders of them")
      ->capture_default_str();
  app.add_option("--data", flags.data,
                 "NAME=SPEC: the data set that a name in the configurations stands for, such as cifar10=folder:PATH; experiments on other "
                 "names are left out");
  app.add_option("--out", flags.options.out, "folder for everything that is made, with a folder per pair and model seed")
      ->capture_default_str();
  app.add_option("--results", flags.results, "file for the tables in Markdown. Default: OUT/results.md");
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

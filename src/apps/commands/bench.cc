#include <algorithm>
#include <filesystem>
#include <memory>

#include "apps/commands.h"
#include "apps/study.h"
#include "core/file.h"
#include "core/json.h"

namespace hedge::apps {
namespace {

struct Flags {
  std::vector<std::string> configs;  ///< files, or folders of them
  std::vector<std::string> data;     ///< NAME=SPEC
  std::string results;
  StudyOptions options;
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
                 .hint = "give JSON files or a folder of them, e.g. bench/learn"};
  return files;
}

Status bind_data(const std::vector<std::string>& bindings, StudyOptions& options) {
  for (const auto& binding : bindings) {
    const auto equals = binding.find('=');
    if (equals == std::string::npos || equals == 0)
      return Error{.code = ErrorCode::kInvalidArgument,
                   .what = "a data set's name is bound like cifar10=folder:PATH",
                   .where = "--data",
                   .got = binding};
    options.data[binding.substr(0, equals)] = binding.substr(equals + 1);
  }
  options.data.try_emplace("fashion-mnist", "fashion-mnist");
  return {};
}

Status run(Flags& flags, Context& context) {
  HEDGE_CHECK(bind_data(flags.data, flags.options));
  HEDGE_TRY(const auto files, config_files(flags.configs));
  Json summary = Json::array();
  for (const auto& file : files) {
    HEDGE_TRY(const auto config, read_study(file));
    if (!flags.options.data.contains(config.data)) {
      context.console.say("hedge: " + config.pair + " is left out: --data " + config.data + "=folder:PATH was not given");
      continue;
    }
    HEDGE_TRY(const auto rows, run_study(config, flags.options, context.console, context.should_stop));
    for (const auto& row : rows) summary.push_back(row);
    HEDGE_CHECK(write_json(flags.options.out / "summary.json", summary));
  }
  HEDGE_TRY(const auto text, study_results(summary));
  const auto results = flags.results.empty() ? flags.options.out / "results.md" : std::filesystem::path(flags.results);
  HEDGE_CHECK(write_file_atomic(results, text));
  std::printf("summary: %s\nresults: %s\n", (flags.options.out / "summary.json").c_str(), results.c_str());
  return {};
}

}  // namespace

void add_bench(CLI::App& root, Context& context) {
  auto* app = root.add_subcommand("bench", "studies: many trainings and routers in one resumable command")->require_subcommand(1);
  auto* learn = app->add_subcommand(
      "learn",
      "routers, adapting and baselines on pairs of networks; leaves summary.json and results.md, and goes on where it was stopped");
  auto f = std::make_shared<Flags>();  // shared with the callback, which outlives this function
  f->configs = {"bench/learn"};
  learn->add_option("configs", f->configs, "an experiment a JSON file (docs/formats/study.md), or folders of them")->capture_default_str();
  learn->add_option("--data", f->data,
                    "what a data name in a configuration stands for: cifar10=folder:PATH; experiments on unbound names are left out");
  learn->add_option("--out", f->options.out, "a folder a pair and model seed")->capture_default_str();
  learn->add_option("--results", f->results, "where the tables for people go; default: OUT/results.md");
  learn->add_option("--threads", f->options.threads, "of the trainings; 0: all cores")->capture_default_str();
  learn->callback([f, &context] { context.chosen = [f, &context] { return run(*f, context); }; });
}

}  // namespace hedge::apps

#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "cli/console.h"
#include "hedge/result.h"
#include "hedge/workflow.h"

namespace hedge::cli {

/// What every subcommand of `hedge` gets: where to talk, and where to leave the work that the parsed flags ask for.
struct Context {
  Console& console;
  std::function<bool()> should_stop;  ///< Ctrl-C was pressed
  std::function<Status()> chosen;     ///< set by the subcommand that was parsed

  /// What a workflow talks to; the context must outlive it.
  [[nodiscard]] workflow::RunContext run() {
    return {.log = console.log(), .progress = console.progress("hedge: "), .should_stop = should_stop};
  }
};

/// Each adds one subcommand; a file each, commands/<name>.cc.
void add_doctor(CLI::App& app, Context& context);
void add_data(CLI::App& app, Context& context);
void add_inspect(CLI::App& app, Context& context);
void add_train(CLI::App& app, Context& context);
void add_predict(CLI::App& app, Context& context);
void add_check(CLI::App& app, Context& context);
void add_table(CLI::App& app, Context& context);
void add_fit(CLI::App& app, Context& context);
void add_eval(CLI::App& app, Context& context);
void add_shift(CLI::App& app, Context& context);
void add_bundle(CLI::App& app, Context& context);
void add_adapt(CLI::App& app, Context& context);
void add_exits(CLI::App& app, Context& context);
void add_baselines(CLI::App& app, Context& context);
void add_plan(CLI::App& app, Context& context);
void add_zoo(CLI::App& app, Context& context);
void add_search(CLI::App& app, Context& context);
void add_mcu(CLI::App& app, Context& context);
void add_demo(CLI::App& app, Context& context);

}  // namespace hedge::cli

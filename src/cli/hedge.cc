// hedge: the workbench. Parses, wires and prints; the work is in the rooms.
#include <cstdio>

#include "cli/commands.h"
#include "cli/renamed.h"
#include "cli/signals.h"

int main(int argc, char** argv) {
  using namespace hedge;
  using namespace hedge::cli;
  Console console("hedge");
  Context context{.console = console, .should_stop = {}, .chosen = {}};
  CLI::App app(
      "hedge: hybrid edge-cloud image classification. Answers easy images on the device and queries the cloud only where that helps.\n"
      "From images to a running hybrid: train (2 times) -> predict (3 times) -> fit -> eval -> bundle; \"hedge demo\" runs all of it.\n"
      "Exit codes: 0 done, 2 bad argument, 3 not found, 4 bad format, 5 unsupported, 6 mismatch, 7 I/O, 8 target unreachable,\n"
      "9 peer unavailable, 10 deadline, 11 cancelled (what was done is kept), 12 unusable data,\n"
      "13 alarm (the model or its preparation looks wrong; --accept-risk goes on), 70 internal.");
  app.name("hedge");
  app.set_version_flag("--version", "hedge " HEDGE_VERSION);
  app.require_subcommand(1);
  for (auto add : {add_demo, add_train, add_predict, add_table, add_check, add_fit, add_eval, add_shift, add_plan, add_adapt, add_exits,
                   add_baselines, add_bundle, add_mcu, add_zoo, add_search, add_data, add_inspect, add_doctor})
    add(app, context);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (app.exit(e) == 0) return 0;
    std::fputs(renamed_hint("hedge", argc, argv).c_str(), stderr);
    return static_cast<int>(ErrorCode::kInvalidArgument);
  }
  context.should_stop = [&stop = catch_signals()] { return stop.load(); };
  try {
    const auto status = context.chosen();
    return status ? 0 : console.fail(status.error());
  } catch (const std::exception& e) {
    return console.fail({.code = ErrorCode::kInternal, .what = e.what()});
  }
}

#include <filesystem>
#include <memory>

#include "apps/commands.h"
#include "apps/mcu_commands.h"
#include "apps/mcu_program.h"
#include "codegen/report.h"
#include "core/file.h"
#include "core/json.h"

namespace hedge::apps {
namespace {

struct Flags {
  McuOptions program;
  std::string target = "cortex-m7", out, ram, flash, json;
};

/// A program, planned and written as C++ within the budgets.
struct Planned {
  codegen::Program program;
  codegen::Plan plan;
  codegen::Generated generated;
  codegen::Report report;
};

Result<Planned> plan_program(const Flags& flags, Context& context) {
  codegen::Budget budget;
  if (!flags.ram.empty()) {
    HEDGE_TRY(budget.ram_bytes, codegen::parse_bytes(flags.ram));
  }
  if (!flags.flash.empty()) {
    HEDGE_TRY(budget.flash_bytes, codegen::parse_bytes(flags.flash));
  }
  HEDGE_TRY(const auto target, codegen::target_named(flags.target));
  auto options = flags.program;
  options.log = context.console.log();
  options.progress = context.console.progress("hedge: ");
  Planned planned;
  HEDGE_TRY(planned.program, open_mcu_program(options));
  // Compact constants cost instructions: only where the flash asks for them.
  for (const bool compact : {false, true}) {
    const codegen::EmitOptions emission{.target = target, .compact = compact};
    HEDGE_TRY(planned.plan,
              codegen::plan_memory(planned.program.base, codegen::kernel_costs(target, compact), {.arena_budget = budget.ram_bytes}));
    HEDGE_TRY(planned.generated, codegen::emit(planned.program, planned.plan, emission));
    planned.report = codegen::make_report(planned.program, planned.plan, planned.generated, emission);
    if (codegen::check_budget(planned.report, planned.program.base, planned.plan, {.flash_bytes = budget.flash_bytes})) break;
  }
  HEDGE_CHECK(codegen::check_budget(planned.report, planned.program.base, planned.plan, budget));
  return planned;
}

Status run_export(const Flags& flags, Context& context) {
  HEDGE_TRY(auto planned, plan_program(flags, context));
  planned.generated.files.push_back({"report.json", codegen::to_json(planned.report).dump(2) + "\n"});
  planned.generated.files.push_back({"memory.svg", codegen::memory_svg(planned.program.base, planned.plan)});
  HEDGE_CHECK(codegen::write_generated(planned.generated, flags.out));
  const Json json = {{"folder", flags.out},
                     {"target", flags.target},
                     {"arena_bytes", planned.report.arena_bytes},
                     {"constant_bytes", planned.report.constant_bytes},
                     {"macs", planned.report.macs},
                     {"estimated_instructions", planned.report.instructions},
                     {"router", planned.report.router},
                     {"threshold", planned.program.threshold}};
  std::printf("%s\n", json.dump().c_str());
  return {};
}

Status run_report(const Flags& flags, Context& context) {
  HEDGE_TRY(const auto planned, plan_program(flags, context));
  std::printf("%s", codegen::to_text(planned.report).c_str());
  if (!flags.json.empty()) HEDGE_CHECK(write_json(flags.json, codegen::to_json(planned.report)));
  if (!flags.out.empty()) HEDGE_CHECK(write_file_atomic(flags.out, codegen::memory_svg(planned.program.base, planned.plan)));
  return {};
}

void add_common(CLI::App& app, Flags& f) {
  app.add_option("SOURCE", f.program.source, "a bundle's folder, or an .onnx file (quantised, or in floats with --calibrate)")->required();
  app.add_option("--target", f.target, "cortex-m4, cortex-m7, cortex-m55 or portable")->capture_default_str();
  app.add_option("--calibrate,--data", f.program.calibrate,
                 "images that set the ranges of a base in floats, and the int8 threshold (docs/formats/datasets.md)");
  app.add_option("--images", f.program.images, "how many of them")->capture_default_str()->check(CLI::Range(1, 100000));
  app.add_option("--threads", f.program.threads, "of calibration; 0: all cores")->capture_default_str();
  app.add_option("--ram", f.ram,
                 "bytes of the arena, such as 320K: fails where it does not fit, else looks for few instructions within it; default: the "
                 "smallest arena");
  app.add_option("--flash", f.flash, "bytes of constants and code, such as 1M: fails where they do not fit");
}

}  // namespace

void add_mcu(CLI::App& root, Context& context) {
  auto* mcu = root.add_subcommand("mcu", "microcontrollers: a bundle or an int8 model as C++ for Cortex-M");
  mcu->require_subcommand(1);
  add_mcu_quantize(*mcu, context);
  add_mcu_import(*mcu, context);
  add_mcu_demo(*mcu, context);
  auto f = std::make_shared<Flags>();  // shared with the callbacks, which outlive this function
  auto* write = mcu->add_subcommand("export", "write a self-contained folder: kernels, constants, steps, an API of a few functions");
  add_common(*write, *f);
  write->add_option("-o,--out", f->out, "the folder")->required();
  write->callback([f, &context] { context.chosen = [f, &context] { return run_export(*f, context); }; });
  auto* report = mcu->add_subcommand("report", "flash, RAM, MACs and instructions, a line a step");
  add_common(*report, *f);
  report->add_option("--json", f->json, "also as JSON, into this file");
  report->add_option("--svg", f->out, "also the arena over time, as SVG, into this file");
  report->callback([f, &context] { context.chosen = [f, &context] { return run_report(*f, context); }; });
}

}  // namespace hedge::apps

#include <filesystem>
#include <memory>

#include "cli/commands.h"
#include "cli/mcu_commands.h"
#include "core/file.h"
#include "core/json.h"
#include "workflow/mcu_export.h"

namespace hedge::cli {
namespace {

struct Flags {
  workflow::McuSource source;
  std::string target = "cortex-m7", out, ram, flash, json;
  std::string space = workflow::McuOptions().space;
};

Result<workflow::McuExport> export_program(const Flags& flags, Context& context) {
  workflow::McuOptions options{.source = flags.source};
  if (!flags.ram.empty()) {
    HEDGE_TRY(options.budget.ram_bytes, codegen::parse_bytes(flags.ram));
  }
  if (!flags.flash.empty()) {
    HEDGE_TRY(options.budget.flash_bytes, codegen::parse_bytes(flags.flash));
  }
  HEDGE_TRY(options.target, codegen::target_named(flags.target));
  options.space = flags.space;
  return workflow::export_mcu(options, context.run());
}

Status run_export(const Flags& flags, Context& context) {
  HEDGE_TRY(const auto made, export_program(flags, context));
  HEDGE_CHECK(workflow::write_mcu(made, flags.out));
  const Json json = {{"folder", flags.out},
                     {"target", flags.target},
                     {"arena_bytes", made.report.arena_bytes},
                     {"constant_bytes", made.report.constant_bytes},
                     {"macs", made.report.macs},
                     {"estimated_instructions", made.report.instructions},
                     {"router", made.report.router},
                     {"threshold", made.program.threshold}};
  std::printf("%s\n", json.dump().c_str());
  return {};
}

Status run_report(const Flags& flags, Context& context) {
  HEDGE_TRY(const auto made, export_program(flags, context));
  std::printf("%s", codegen::to_text(made.report).c_str());
  if (!flags.json.empty()) HEDGE_CHECK(write_json(flags.json, codegen::to_json(made.report)));
  if (!flags.out.empty()) HEDGE_CHECK(write_file_atomic(flags.out, codegen::memory_svg(made.program.base, made.plan)));
  return {};
}

void add_common(CLI::App& app, Flags& f) {
  app.add_option("SOURCE", f.source.model,
                 "a bundle's folder, a quantised .tflite, or an .onnx file: quantised, or in floats with --calibrate")
      ->required();
  app.add_option("--recipe", f.source.recipe,
                 "how images are prepared: a JSON file, or e.g. crop=96,mean=0.5,std=0.5. Default: MODEL.hedge.json or as the model says")
      ->type_name("RECIPE");
  app.add_option("--labels", f.source.labels, "file with the class names of the outputs. Default: as the model says, else their numbers")
      ->type_name("FILE");
  app.add_option("--target", f.target, "processor to write for: cortex-m4, cortex-m7, cortex-m55, or portable (plain C++, slower)")
      ->capture_default_str();
  app.add_option("--calibrate,--data", f.source.calibrate,
                 "images (docs/formats/datasets.md) that set the int8 ranges of a base in floats, and the threshold for int8 scores");
  app.add_option("--images", f.source.images, "how many of these images are used, evenly spread; more take longer and give steadier ranges")
      ->capture_default_str()
      ->check(CLI::Range(1, 100000));
  app.add_option("--threads", f.source.threads, "CPU threads while calibrating; 0: all cores")->capture_default_str();
  app.add_option("--ram", f.ram,
                 "most bytes for the arena, such as 320K: the command fails where the program does not fit, else uses the room for fewer "
                 "instructions. Default: the smallest arena");
  app.add_option("--flash", f.flash, "most bytes for constants and code, such as 1M; the command fails where they do not fit");
}

}  // namespace

void add_mcu(CLI::App& root, Context& context) {
  auto* mcu = root.add_subcommand("mcu", "microcontrollers: turn a bundle or a model into C++ for Cortex-M");
  mcu->require_subcommand(1);
  add_mcu_quantize(*mcu, context);
  add_mcu_import(*mcu, context);
  add_mcu_demo(*mcu, context);
  auto f = std::make_shared<Flags>();  // shared with the callbacks, which outlive this function
  auto* write = mcu->add_subcommand(
      "export", "write a folder of C++ that needs nothing else: kernels, constants, the calls in their order, an API of a few functions");
  add_common(*write, *f);
  write->add_option("-o,--out", f->out, "folder for the C++ sources")->required();
  write
      ->add_option("--name", f->space,
                   "namespace and file names of the generated code: another one for each model, so that several live in one firmware")
      ->capture_default_str();
  write->callback([f, &context] { context.chosen = [f, &context] { return run_export(*f, context); }; });
  auto* report = mcu->add_subcommand("report", "print flash, RAM, MACs and estimated instructions, a line per step");
  add_common(*report, *f);
  report->add_option("--json", f->json, "also write the report as JSON to this file");
  report->add_option("--svg", f->out, "also draw the arena over time as SVG into this file");
  report->callback([f, &context] { context.chosen = [f, &context] { return run_report(*f, context); }; });
}

}  // namespace hedge::cli

#include <memory>

#include "cli/described_flags.h"
#include "cli/mcu_commands.h"
#include "workflow/import_tflite.h"

namespace hedge::cli {
namespace {

Status import(const workflow::ImportOptions& options) {
  HEDGE_TRY(const auto imported, workflow::import_tflite(options));
  std::printf("wrote %s: %zu int8 layers, %lld MACs\n", options.out.c_str(), imported.layers, static_cast<long long>(imported.macs));
  std::printf("its input holds values from %.3f to %.3f", imported.held.low, imported.held.high);
  if (imported.made) std::printf("; the recipe gives %.3f to %.3f", imported.made->low, imported.made->high);
  if (imported.cut_off) std::printf(": values are cut off; use the mean and std that the model was trained with");
  std::printf("\n");
  if (!imported.made) std::printf("its images have no recipe yet: give --recipe here, or to the commands that run it\n");
  return {};
}

}  // namespace

void add_mcu_import(CLI::App& mcu, Context& context) {
  auto* app =
      mcu.add_subcommand("import", "turn a quantised .tflite into an int8 .onnx, which is run, bundled and exported like any other model");
  auto f = std::make_shared<workflow::ImportOptions>();  // shared with the callback, which outlives this function
  app->add_option("MODEL", f->model, "a quantised .tflite file")->required();
  add_described(*app, *f);
  app->callback([f, &context] { context.chosen = [f] { return import(*f); }; });
}

}  // namespace hedge::cli

#pragma once

#include "cli/commands.h"

namespace hedge::cli {

/// Subcommands of `hedge mcu` (commands/quantize.cc, mcu_import.cc): a model in floats to int8, and a quantised .tflite to int8 ONNX.
void add_mcu_quantize(CLI::App& mcu, Context& context);
void add_mcu_import(CLI::App& mcu, Context& context);
/// commands/mcu_demo.cc: a bundle on QEMU's M7 board, with gateway and cloud.
void add_mcu_demo(CLI::App& mcu, Context& context);

}  // namespace hedge::cli

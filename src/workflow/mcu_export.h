#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "codegen/emit.h"
#include "codegen/kernels.h"
#include "codegen/plan.h"
#include "codegen/report.h"
#include "hedge/result.h"
#include "hedge/workflow.h"

namespace hedge::workflow {

/// What becomes a microcontroller's program.
struct McuSource {
  std::string model;         ///< a bundle's folder, a quantised .tflite file, or an .onnx file: quantised, or in floats
  std::string recipe;        ///< how images are prepared, a JSON file or the short form; empty: as the model says. Not of a bundle
  std::string labels;        ///< a file of the outputs' class names; empty: as the model says. Not of a bundle
  std::string calibrate;     ///< a data set's specification: quantises a base in floats, and moves a bundle's threshold
  std::size_t images = 256;  ///< of it, evenly spread
  int threads = 0;           ///< of the base in floats; 0: all cores
};

/// What runs on the microcontroller: the base (quantised here where it is in floats), the bundle's router, labels, recipe and threshold.
/// A threshold was calibrated on the float base's scores: with calibration images it is moved to where the int8 hybrid answers the
/// policy's share of them (the log says from what to what); without them it stays.
/// An .onnx file without a bundle gets the margin as router and an infinite threshold: nothing is queried until set_threshold().
/// Errors: those of reading, calibrating and quantising; kInvalidArgument a base in floats without calibration data, a recipe or labels for
/// a bundle; kNotFound no recipe; kUnsupported a policy of fused answers; kCancelled.
Result<codegen::Program> read_mcu_program(const McuSource& source, const RunContext& context = {});

struct McuOptions {
  McuSource source;
  codegen::Target target = codegen::Target::kCortexM7;
  codegen::Budget budget;                            ///< what the program must fit into
  std::string space = codegen::EmitOptions().space;  ///< the generated code's namespace
};

/// A program, planned and written as C++ within the budget.
struct McuExport {
  codegen::Program program;
  codegen::Plan plan;
  codegen::Generated generated;
  codegen::Report report;
};

/// Plans the program's memory and generates its C++. Constants are compact only where the budget's flash asks for it, as that costs
/// instructions. Nothing is written.
/// Errors: those of read_mcu_program, codegen::plan_memory, emit and check_budget (kUnreachable).
Result<McuExport> export_mcu(const McuOptions& options, const RunContext& context = {});

/// Writes the generated folder with report.json and memory.svg (docs/formats/mcu_export.md). Errors: those of codegen::write_generated.
Status write_mcu(const McuExport& exported, const std::filesystem::path& folder);

}  // namespace hedge::workflow

#pragma once

#include <string>

#include "codegen/emit.h"
#include "hedge/log.h"
#include "hedge/result.h"

namespace hedge::apps {

struct McuOptions {
  std::string source;        ///< a bundle's folder, or an .onnx file: quantised, or in floats
  std::string calibrate;     ///< a data set's specification: quantises a base in floats
  std::size_t images = 256;  ///< of it
  int threads = 0;           ///< 0: all cores
  LogSink log;
  ProgressSink progress;
};

/// What runs on the microcontroller: the base (quantised here where it is in floats), the bundle's router, labels, recipe and threshold.
/// A threshold was calibrated on the float base's scores: with calibration images it is moved to where the int8 hybrid answers the
/// policy's share of them (the log says from what to what); without them it stays.
/// An .onnx file without a bundle gets the margin as router and an infinite threshold: nothing is queried until set_threshold().
/// Errors: those of reading, calibrating and quantising; kInvalidArgument a base in floats without calibration data; kNotFound no recipe;
/// kUnsupported a policy of fused answers.
Result<codegen::Program> open_mcu_program(const McuOptions& options);

}  // namespace hedge::apps

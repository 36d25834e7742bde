#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "hedge/result.h"

namespace hedge::workflow {

struct ImportOptions {
  std::string model;          ///< a quantised .tflite file
  std::filesystem::path out;  ///< where the int8 model goes (.onnx)
  std::string recipe;         ///< how images are prepared, a JSON file or the short form; empty: as the sidecar says
  std::string labels;         ///< a file of the outputs' class names; empty: as the sidecar says
};

/// Real values, low to high.
struct ValueRange {
  double low = 0, high = 0;
};

/// What was imported.
struct Imported {
  std::size_t layers = 0;  ///< int8 ones
  std::int64_t macs = 0;
  ValueRange held;                 ///< what the integers of the network's input can hold
  std::optional<ValueRange> made;  ///< what the recipe makes of images; nothing: no recipe is known
  /// The recipe makes values that the input cannot hold: another mean and std than the file was made with cost accuracy, and nothing else
  /// tells.
  bool cut_off = false;
};

/// Reads a quantised .tflite and writes it as an int8 .onnx, which runs, bundles and exports as any model.
/// Errors: those of codegen::read_tflite and codegen::lower, of the recipe and the names; kIo.
Result<Imported> import_tflite(const ImportOptions& options);

}  // namespace hedge::workflow

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "codegen/kernels.h"
#include "codegen/network.h"
#include "codegen/plan.h"
#include "codegen/router_program.h"
#include "hedge/normalization.h"
#include "hedge/result.h"

namespace hedge::codegen {

/// All that a generated program computes: images of `normalization` -> base -> router -> threshold.
struct Program {
  std::string name;     ///< for people
  std::string made_by;  ///< program and version, for people
  Network base;         ///< outputs: logits, and features where the router reads them
  Normalization normalization;
  std::vector<std::string> labels;  ///< one a class
  RouterProgram router;
  float threshold = 0;  ///< query iff score > threshold
};

struct EmitOptions {
  Target target = Target::kPortable;
  /// The namespace, the files' names and the CMake target, so that several models can live in one firmware: lower-case letters, digits and
  /// underscores, a letter first, no word of the language.
  std::string space = "hedge_model";
  /// Depthwise layers that are not computed by rows keep int8 weights in flash (micro/depthwise_compact.h): a third of the bytes, a few
  /// percent more instructions. No effect on Cortex-M55, whose stream is compact as it is. Plan with KernelCosts of the same target and
  /// form.
  bool compact = false;
};

/// One file of the generated folder.
struct GeneratedFile {
  std::string path;  ///< relative, with "/"
  std::string content;
};

/// The generated folder (docs/formats/mcu_export.md) and its sizes.
struct Generated {
  std::vector<GeneratedFile> files;
  std::int64_t constant_bytes = 0;  ///< weights, tables and the router's constants
  std::int64_t arena_bytes = 0;
};

/// Writes `program` as C++, laid out as `plan` says; the same input gives the same bytes.
/// Errors: those of check_kernels, pack_layer, add_constants; kInvalidArgument a namespace that is none; kMismatch labels, normalisation or
/// router that do not fit the base.
Result<Generated> emit(const Program& program, const Plan& plan, const EmitOptions& options);

/// Puts the files into `folder`, which may exist: files of the same name are replaced, others are left.
/// Errors: kIo.
Status write_generated(const Generated& generated, const std::filesystem::path& folder);

/// The compiler's flags of a target.
std::string compiler_flags(Target target);

/// The int8 value of each grey level of channel `channel`: round((u / 255 - mean) / deviation / scale) + zero point, saturated. What the
/// generated table holds and what a host must feed the base to compute the same bytes.
std::vector<std::int8_t> input_table(const Normalization& normalization, const Activation& input, std::int32_t channel);

}  // namespace hedge::codegen

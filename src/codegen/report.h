#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "codegen/emit.h"
#include "core/json.h"
#include "hedge/result.h"

namespace hedge::codegen {

/// Flash that a program's code takes at -O3, kernels and steps together: what the report counts beside the exact constants. Measured builds
/// lie below it (docs/microcontrollers.md).
inline constexpr std::int64_t kCodeBytesAllowed = 24 * 1024;

/// One step of the generated program.
struct StepReport {
  std::vector<std::string> layers;
  bool rows = false;
  std::int64_t macs = 0;
  std::int64_t instructions = 0;  ///< estimated
  std::int64_t arena_bytes = 0;   ///< in use while it runs
  std::int64_t constant_bytes = 0;
};

/// What a generated program needs.
struct Report {
  std::string name;
  Target target = Target::kPortable;
  std::vector<StepReport> steps;
  std::int64_t macs = 0, instructions = 0;  ///< of the base; instructions estimated
  std::int64_t arena_bytes = 0, arena_lower_bound = 0, constant_bytes = 0;
  std::string router;
  std::int64_t router_macs = 0;
};
Report make_report(const Program& program, const Plan& plan, const Generated& generated, const EmitOptions& options);

/// Schema 1 (docs/formats/mcu_export.md).
Json to_json(const Report& report);
/// A table for people.
std::string to_text(const Report& report);
/// The arena over time: a column a step, each buffer a rectangle from its offset up.
std::string memory_svg(const Network& network, const Plan& plan);

/// Limits of a part; 0: none.
struct Budget {
  std::int64_t ram_bytes = 0;
  std::int64_t flash_bytes = 0;
};
/// Errors: kUnreachable, `where` the step whose buffers (or constants) are the largest, with what would mend it.
Status check_budget(const Report& report, const Network& network, const Plan& plan, const Budget& budget);
/// "320K", "1M", "65536" as bytes. Errors: kInvalidArgument.
Result<std::int64_t> parse_bytes(const std::string& text);

}  // namespace hedge::codegen

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "codegen/fuse.h"
#include "codegen/kernels.h"
#include "codegen/network.h"
#include "hedge/result.h"

namespace hedge::codegen {

/// A place in the arena, live from one step to another (both included).
struct Buffer {
  std::string name;
  std::optional<std::size_t> activation;  ///< none: a step's working memory
  std::int64_t bytes = 0;
  std::int64_t offset = 0;
  std::size_t first_step = 0, last_step = 0;
};

/// One call of the generated program.
struct Step {
  LayerGroup group;
  std::optional<std::size_t> scratch;  ///< into Plan::buffers: the kernels' working memory
};

/// Where everything lies and in which order it is computed. Step i of the program is steps[i].
struct Plan {
  std::vector<Buffer> buffers;
  std::vector<Step> steps;
  std::vector<std::optional<std::size_t>> buffer_of;  ///< an activation: its buffer; none where it never exists as a whole
  std::int64_t arena_bytes = 0;
  std::int64_t lower_bound = 0;  ///< no layout with the same fusion needs less

  /// Bytes of the live buffers at `step`, overlaps counted once.
  [[nodiscard]] std::int64_t occupied(std::size_t step) const;
};

struct PlanOptions {
  /// Bytes: within it the plan of fewest instructions is looked for. 0: the smallest arena there is, then few instructions.
  std::int64_t arena_budget = 0;
  bool fuse_rows = true;
  std::int64_t alignment = 4;  ///< of every buffer, a power of two; the kernels need 4
};

/// Plans `network`: adds joined, blocks computed by rows where that lowers the peak or saves instructions, every buffer at its
/// offset. The search is greedy; its result is checked against the lower bound of its own fusion only.
/// Errors: those of check(network).
Result<Plan> plan_memory(const Network& network, const KernelCosts& costs, const PlanOptions& options);

}  // namespace hedge::codegen

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "codegen/fuse.h"
#include "codegen/network.h"
#include "core/result.h"

namespace hedge::codegen {

/// What a buffer of the arena holds.
enum class BufferKind {
  kActivation,  ///< a whole activation
  kRing,        ///< the last rows of an activation that never exists as a whole
  kScratch,     ///< a kernel's working memory
};

/// A place in the arena, live from one step to another (both included).
struct Buffer {
  BufferKind kind = BufferKind::kActivation;
  std::string name;
  std::optional<std::size_t> activation;  ///< none for scratch
  std::int64_t bytes = 0;
  std::int64_t offset = 0;
  std::size_t first_step = 0, last_step = 0;
};

/// One call, or one row-fused block, of the generated program.
struct Step {
  LayerGroup group;
  std::vector<std::size_t> rings;      ///< into Plan::buffers: one behind each layer of a row-fused group but the last
  std::optional<std::size_t> scratch;  ///< into Plan::buffers
};

/// Where everything lies and in which order it is computed. Step i of the program is steps[i].
struct Plan {
  std::vector<Buffer> buffers;
  std::vector<Step> steps;
  std::vector<std::optional<std::size_t>> buffer_of;  ///< an activation: its buffer; none where it lives in a ring or nowhere
  std::int64_t arena_bytes = 0;
  std::int64_t lower_bound = 0;  ///< no layout with the same fusion needs less

  /// Bytes of the live buffers at `step`, overlaps counted once.
  [[nodiscard]] std::int64_t occupied(std::size_t step) const;
};

/// What the planner must know of the kernels.
struct KernelCosts {
  KernelTraits traits;
  /// Bytes of working memory of a group, computed by rows or not.
  std::function<std::int64_t(const Network&, const LayerGroup&)> scratch_bytes;
  /// Bytes of a row of a ring: the activation's row as the reader's kernel wants it.
  std::function<std::int64_t(const Network&, const LayerGroup&, std::size_t layer)> ring_row_bytes;
  /// Estimated instructions of a group; decides between equals and whether a fusion is worth it.
  std::function<std::int64_t(const Network&, const LayerGroup&)> instructions;
};

struct PlanOptions {
  /// Bytes: row fusion goes only as far as this asks for, as a fused block costs some instructions. 0: the smallest arena there is.
  std::int64_t arena_budget = 0;
  bool fuse_rows = true;
  std::int64_t alignment = 16;  ///< of every buffer, a power of two
};

/// Plans `network`: adds joined, blocks row-fused where that lowers the peak, every buffer at its offset.
/// Errors: those of check(network).
Result<Plan> plan_memory(const Network& network, const KernelCosts& costs, const PlanOptions& options);

}  // namespace hedge::codegen

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "codegen/fuse.h"
#include "codegen/network.h"
#include "hedge/result.h"
#include "micro/block.h"
#include "micro/exact.h"
#include "micro/layout.h"
#include "micro/mul.h"
#include "micro/pack.h"

namespace hedge::codegen {

/// The core that code is generated for. The bytes that it computes are the same on all of them.
enum class Target { kPortable, kCortexM4, kCortexM7, kCortexM55 };
inline constexpr Target kTargets[] = {Target::kPortable, Target::kCortexM4, Target::kCortexM7, Target::kCortexM55};
/// "portable", "cortex-m4", "cortex-m7", "cortex-m55".
const char* to_string(Target target);
/// Errors: kInvalidArgument with the names there are.
Result<Target> target_named(const std::string& name);
/// The constants' layout that a target's kernels read.
micro::Layout layout_of(Target target);

/// The kernels' view of a layer.
micro::Geometry geometry_of(const Network& network, const Layer& layer);
micro::Clamp clamp_of(const Layer& layer);
/// The constants of the add that ends `group`, or of an add alone: the first operand is the group's own pointwise layer.
/// Errors: kUnsupported an input scale of 8 times the output's or more, naming the layer.
Result<micro::AddConstants> add_constants(const Network& network, const LayerGroup& group);

/// Errors: kUnsupported a product of scales of half the output's or more, naming the layer.
Result<micro::MulConstants> mul_constants(const Network& network, const Layer& layer);

/// The block (micro/block.h) of a group by rows, sizes only: its streams are null.
struct BlockForm {
  micro::Geometry front;  ///< of a convolution that is no pointwise one
  bool has_front_conv = false;
  micro::Block block;  ///< front_conv is not set: it would point into this
  std::int32_t kernel = 3, stride = 1;
};
BlockForm block_form(const Network& network, const LayerGroup& group);

/// Bytes of a group's working memory.
std::int64_t scratch_bytes(const Network& network, const LayerGroup& group, bool compact = false);

/// Estimated instructions of a group on `target`: figures an operation, fitted to counts measured in QEMU (docs/microcontrollers.md).
std::int64_t estimate_instructions(Target target, const Network& network, const LayerGroup& group);
/// What the planner must know of the kernels that compute a group of layers.
struct KernelCosts {
  Target target = Target::kPortable;
  bool compact = false;  ///< as EmitOptions::compact

  /// Bytes of the group's working memory.
  [[nodiscard]] std::int64_t scratch_bytes(const Network& network, const LayerGroup& group) const;
  /// An estimate.
  [[nodiscard]] std::int64_t instructions(const Network& network, const LayerGroup& group) const;
};

/// Whether a target's depthwise layers outside blocks can have the compact stream (micro/depthwise_compact.h), and shall.
bool is_compact(Target target, bool wanted);
/// Bytes of the constants of a layer in `layout`; `compact`: of a depthwise layer outside a block.
std::int64_t stream_bytes(micro::Layout layout, const Network& network, const Layer& layer, bool compact = false);
/// The layer's constants, packed as its kernel reads them; empty where it has none.
/// Errors: kUnsupported a scale that no multiplier can hold, or a kernel that there is not, naming the layer.
Result<std::vector<std::int32_t>> pack_layer(micro::Layout layout, const Network& network, const Layer& layer, bool compact = false);

/// Errors: kUnsupported an output scale that is far too small for the mean, naming the layer.
Result<micro::exact::Mean> mean_constants(const Network& network, const Layer& layer);

/// The layer's constants as micro/pack.h takes them; `scales` (effective_scales) and `layer` must outlive the result.
micro::LayerConstants constants_of(const Network& network, const Layer& layer, const std::vector<double>& scales);
/// What Layer::general shall be.
bool needs_general(const Network& network, const Layer& layer);

/// Whether there are kernels for every layer. Errors: kUnsupported, naming the layer and what it would need.
Status check_kernels(const Network& network);

}  // namespace hedge::codegen

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "codegen/network.h"
#include "codegen/router_program.h"
#include "hedge/normalization.h"

namespace hedge::codegen {

/// The score that the generated program computes from these activations of the base (an array an activation): the same bits.
/// Precondition: the router was made for `base`.
float router_score(const RouterProgram& router, const Network& base, const std::vector<std::vector<std::int8_t>>& activations);

/// One u8 image, channels last, as the generated program quantises it.
std::vector<std::int8_t> quantise_u8(const Normalization& normalization, const Network& base, std::span<const std::uint8_t> image);

}  // namespace hedge::codegen

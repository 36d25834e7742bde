#pragma once

#include <string>

#include "codegen/emit.h"

namespace hedge::codegen::internal {

/// The router's part of a generated program.
struct RouterCode {
  std::string description;   ///< for people
  std::string includes;      ///< lines of the model's source
  std::string code;          ///< defines `float router_score()` in the anonymous namespace
  std::string declarations;  ///< of constants
  std::string definitions;
  std::int64_t constant_bytes = 0;
  std::int64_t arena_bytes = 0;  ///< beyond the base's arena
};
/// Errors: kMismatch a router that does not fit the base's outputs.
Result<RouterCode> router_code(const Program& program, const Plan& plan, Target target);

}  // namespace hedge::codegen::internal

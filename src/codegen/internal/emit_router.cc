#include "codegen/internal/emit_router.h"

namespace hedge::codegen::internal {

Result<RouterCode> router_code(const Program& program, const Plan&, Target) {
  (void)program;
  return RouterCode{.description = "none: nothing is queried", .code = "float router_score() { return 0.0F; }\n"};
}

}  // namespace hedge::codegen::internal

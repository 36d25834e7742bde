#pragma once

#include <cstdint>
#include <string>

namespace hedge::codegen::internal {

/// The schema's name of a builtin operator, "CONV_2D"; "code 203" of one that is newer than this list.
std::string tflite_operator_name(std::int32_t code);

}  // namespace hedge::codegen::internal

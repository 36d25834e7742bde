#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codegen/emit.h"

namespace hedge::codegen::internal {

/// A template's placeholders, "@NAME@", and what stands there.
using Places = std::map<std::string, std::string>;
/// The template with every placeholder filled. Precondition (asserted): it has no other ones.
std::string fill(std::string_view text, const Places& places);

/// Text and constants of the steps.
struct StepCode {
  std::string constants;             ///< blocks and geometries, at namespace scope
  std::string calls;                 ///< the body of base::run()
  std::vector<std::int32_t> stream;  ///< all layers' constants, in the order of use
};
/// Errors: those of pack_layer and add_constants.
Result<StepCode> step_code(const Network& network, const Plan& plan, const EmitOptions& options);

/// A value that reads back bit for bit as a C++ float literal.
std::string float_literal(float value);
/// A C++ string literal.
std::string string_literal(std::string_view text);
/// Values as lines of a braced list.
std::string words_text(const std::vector<std::int32_t>& words);
std::string numbers(const std::vector<std::int8_t>& values);

/// The project's kernel headers by path ("micro/add.h"), and the templates by file name; embedded at build time.
std::string_view embedded_file(std::string_view path);
/// Every header of src/micro that these texts include, and what those include, in order of name.
std::vector<std::pair<std::string, std::string_view>> micro_headers(const std::vector<std::string>& texts);

}  // namespace hedge::codegen::internal

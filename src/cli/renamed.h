#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace hedge::cli {

/// docs/renamed.tsv as it was at build time.
std::string_view renamed_table();

/// Names the new flag for each old one in `words` (a command line after the program's name): "--pictures is now --images", a line each;
/// empty where none is old. The command is the longest one of the table that `program` and the words begin with.
/// `table` has lines "flag TAB program and command TAB old TAB new"; others are passed over.
std::string renamed_hint(std::string_view program, std::span<const char* const> words, std::string_view table = renamed_table());
/// The same for what main() was given.
inline std::string renamed_hint(std::string_view program, int argc, const char* const* argv) {
  return argc < 1 ? "" : renamed_hint(program, {argv + 1, static_cast<std::size_t>(argc - 1)});
}

}  // namespace hedge::cli

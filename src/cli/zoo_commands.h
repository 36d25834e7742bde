#pragma once

#include "cli/commands.h"

namespace hedge::cli {

/// A subcommand of `hedge zoo` in a file of its own (commands/zoo_extract.cc).
void add_zoo_extract(CLI::App& zoo, Context& context);

}  // namespace hedge::cli

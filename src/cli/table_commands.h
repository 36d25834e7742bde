#pragma once

#include <string>

#include "cli/commands.h"
#include "hedge/predictions.h"

namespace hedge::cli {

/// Subcommands of `hedge table` in files of their own (commands/table_import.cc, commands/table_split.cc).
void add_table_import(CLI::App& table, Context& context);
void add_table_split(CLI::App& table, Context& context);
/// A line of JSON of a table that was written to `path`.
void print_table(const routing::PredictionTable& table, const std::string& path);

}  // namespace hedge::cli

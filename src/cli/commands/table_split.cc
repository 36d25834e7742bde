#include <charconv>
#include <memory>

#include "cli/table_commands.h"
#include "workflow/table_rows.h"

namespace hedge::cli {
namespace {

struct Flags {
  std::string table, out;
  std::vector<std::string> parts = {"fit=0.4", "calibration=0.1", "test=0.5"};
  workflow::TableSplit split;
};

/// "NAME=SHARE" or "NAME=FILE[:NAME]", a source of ids.
Result<workflow::TablePart> parse_part(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals + 1 == text.size())
    return Error{
        .code = ErrorCode::kInvalidArgument, .what = "this is no part", .got = text.substr(0, 80), .expected = "NAME=SHARE or NAME=IDS"};
  workflow::TablePart part{.name = text.substr(0, equals)};
  const char *begin = text.data() + equals + 1, *end = text.data() + text.size();
  const auto [at, error] = std::from_chars(begin, end, part.share);
  if (error == std::errc{} && at == end) return part;
  part.share = 0;
  part.ids = text.substr(equals + 1);
  return part;
}

Status run_split(const Flags& flags, Context& context) {
  auto options = flags.split;
  options.table = flags.table;
  options.out = flags.out;
  for (const auto& text : flags.parts) {
    HEDGE_TRY(auto part, parse_part(text));
    options.parts.push_back(std::move(part));
  }
  HEDGE_TRY(const auto parts, workflow::split_table(options, context.run()));
  for (const auto& part : parts) print_table(part, options.out / (part.info.split + ".table"));
  return {};
}

}  // namespace

void add_table_split(CLI::App& table, Context& context) {
  auto f = std::make_shared<Flags>();  // shared with the callback, which outlives this function
  auto* app = table.add_subcommand("split", "divide a table into tables that share no image: to fit on, to calibrate on, to test on");
  app->add_option("TABLE", f->table, "a prediction table")->required();
  app->add_option("PART", f->parts, "NAME=SHARE of the rows, or NAME=FILE[:NAME] with the ids of its images; becomes NAME.table")
      ->capture_default_str();
  app->add_option("--out", f->out, "folder for the tables")->required();
  app->add_option("--seed", f->split.seed, "of the drawing; the same seed and shares give the same tables")->capture_default_str();
  app->add_flag("--stratified", f->split.stratified, "give each part its share of every class; without it all rows are drawn alike");
  app->callback([f, &context] { context.chosen = [f, &context] { return run_split(*f, context); }; });
}

}  // namespace hedge::cli

#include "cli/renamed.h"

#include <array>
#include <optional>

#include "cli/assets.h"

namespace hedge::cli {
namespace {

struct Line {
  std::string_view kind, command, old_word, new_word;
};

std::optional<Line> parse_line(std::string_view text) {
  std::array<std::string_view, 4> cells;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const auto tab = text.find('\t');
    if ((tab == std::string_view::npos) != (i + 1 == cells.size())) return std::nullopt;
    cells[i] = text.substr(0, tab);
    if (tab != std::string_view::npos) text.remove_prefix(tab + 1);
  }
  return Line{cells[0], cells[1], cells[2], cells[3]};
}

/// "hedge mcu export" for {"mcu", "export", "--out", …}.
std::string command_of(std::string_view program, std::span<const char* const> words) {
  std::string command(program);
  for (const std::string_view word : words) {
    if (word.starts_with('-')) break;
    command.append(" ").append(word);
  }
  return command;
}

bool has_flag(std::span<const char* const> words, std::string_view flag) {
  for (const std::string_view word : words)
    if (word == flag || (word.starts_with(flag) && word.substr(flag.size()).starts_with('='))) return true;
  return false;
}

}  // namespace

std::string_view renamed_table() { return assets::renamed(); }

std::string renamed_hint(std::string_view program, std::span<const char* const> words, std::string_view table) {
  const auto command = command_of(program, words) + " ";  // positional arguments may follow the command
  std::string hints;
  while (!table.empty()) {
    const auto end = table.find('\n');
    const auto line = parse_line(table.substr(0, end));
    table.remove_prefix(end == std::string_view::npos ? table.size() : end + 1);
    if (!line || line->kind != "flag" || !command.starts_with(std::string(line->command) + " ") || !has_flag(words, line->old_word))
      continue;
    hints.append(line->old_word).append(" is now ").append(line->new_word).append("\n");
  }
  return hints;
}

}  // namespace hedge::cli

#pragma once

#include <algorithm>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "hedge/result.h"

namespace hedge::architecture {

/// A library from outside: its headers (a whole name, or a folder ending in "/") and where they may be included.
struct Vendor {
  std::string name;
  std::vector<std::string> headers;
  std::set<std::string> rooms;  ///< "any": all
  bool in_public_headers = false;
};

/// What docs/architecture.md says in its tables.
struct Rules {
  std::map<std::string, std::set<std::string>> rooms;  ///< room -> the rooms it may include; "any": all
  std::vector<Vendor> vendors;
  std::map<std::string, std::string> promised;  ///< header of include/ ("hedge/tensor.h") -> the room that it belongs to
};

/// "`a`, b" -> {"a", "b"}
inline std::vector<std::string> split_cell(const std::string& cell) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : cell + ",") {
    if (c == ',') {
      if (!word.empty()) words.push_back(word);
      word.clear();
    } else if (c != ' ' && c != '`') {
      word.push_back(c);
    }
  }
  return words;
}

/// The cells of the table whose header's first cell is `first`, without header and rule.
inline std::vector<std::vector<std::string>> table_of(const std::string& markdown, const std::string& first) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream lines(markdown);
  std::string line;
  bool inside = false;
  while (std::getline(lines, line)) {
    if (line.rfind("| " + first + " |", 0) == 0) {
      inside = true;
    } else if (line.empty() || line[0] != '|') {
      inside = false;
    } else if (inside && line.rfind("|---", 0) != 0) {
      std::vector<std::string> cells;
      std::istringstream parts(line.substr(1));
      for (std::string cell; std::getline(parts, cell, '|');) cells.push_back(cell);
      rows.push_back(cells);
    }
  }
  return rows;
}

/// Errors: kBadFormat where a table is missing or a line has too few cells.
inline Result<Rules> parse_rules(const std::string& markdown) {
  Rules rules;
  for (const auto& cells : table_of(markdown, "room")) {
    if (cells.size() < 3 || split_cell(cells[0]).size() != 1)
      return Error{.code = ErrorCode::kBadFormat, .what = "a line of the rooms' table"};
    const auto allowed = split_cell(cells[2]);
    rules.rooms[split_cell(cells[0])[0]] = {allowed.begin(), allowed.end()};
  }
  for (const auto& cells : table_of(markdown, "library")) {
    if (cells.size() < 4) return Error{.code = ErrorCode::kBadFormat, .what = "a line of the libraries' table"};
    const auto rooms = split_cell(cells[2]);
    rules.vendors.push_back(
        {cells[0], split_cell(cells[1]), {rooms.begin(), rooms.end()}, split_cell(cells[3]) == std::vector<std::string>{"yes"}});
  }
  for (const auto& cells : table_of(markdown, "promised header")) {
    if (cells.size() < 2 || split_cell(cells[1]).size() != 1)
      return Error{.code = ErrorCode::kBadFormat, .what = "a line of the promised headers' table"};
    for (const auto& header : split_cell(cells[0])) rules.promised["hedge/" + header] = split_cell(cells[1])[0];
  }
  if (rules.rooms.empty() || rules.vendors.empty()) return Error{.code = ErrorCode::kBadFormat, .what = "no rooms' or libraries' table"};
  return rules;
}

/// The room that `path` ("graph/onnx/internal/x.h") lies in: the one with the longest name that begins it, a promised header's own; ""
/// for none.
inline std::string room_of(const Rules& rules, std::string path) {
  if (const auto header = rules.promised.find(path); header != rules.promised.end()) return header->second;
  for (auto slash = path.rfind('/'); slash != std::string::npos; slash = path.rfind('/')) {
    path.resize(slash);
    if (rules.rooms.contains(path)) return path;
  }
  return "";
}

inline bool is_internal(const std::string& path) { return path.find("internal/") != std::string::npos; }

/// What is wrong with a quoted include, or "".
inline std::string check_own(const Rules& rules, const std::string& room, const std::string& included) {
  const std::string other = room_of(rules, included);
  if (other.empty()) return "\"" + included + "\" is in no room (include by room path)";
  if (other == room) return "";
  const auto& allowed = rules.rooms.at(room);
  if (!allowed.contains(other) && !allowed.contains("any")) return room + " may not include " + other + " (\"" + included + "\")";
  if (is_internal(included)) return "\"" + included + "\" is " + other + "'s own business";
  return "";
}

/// What is wrong with an include in angle brackets, or "".
inline std::string check_vendor(const Rules& rules, const std::string& room, const std::string& path, const std::string& included) {
  if (included.find_first_of("./") == std::string::npos) return "";  // the standard library
  for (const auto& vendor : rules.vendors) {
    const bool matches = std::any_of(vendor.headers.begin(), vendor.headers.end(), [&](const std::string& header) {
      return header.ends_with('/') ? included.starts_with(header) : included == header;
    });
    if (!matches) continue;
    if (!vendor.rooms.contains(room) && !vendor.rooms.contains("any")) return room + " may not include <" + included + ">";
    if (path.ends_with(".h") && !is_internal(path) && !vendor.in_public_headers) return "<" + included + "> in a public header";
    return "";
  }
  return "<" + included + "> is of no library in the table";
}

/// Everything in `content`, the file `path` below src/, that breaks the rules on includes.
inline std::vector<std::string> check_includes(const Rules& rules, const std::string& path, const std::string& content) {
  const std::string room = room_of(rules, path);
  if (room.empty()) return {path + ": its folder is no room of docs/architecture.md"};
  static const std::regex kInclude(R"re(^\s*#\s*include\s*([<"])([^>"]+)[>"])re");
  std::vector<std::string> wrong;
  std::istringstream lines(content);
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    std::smatch match;
    if (!std::regex_search(line, match, kInclude)) continue;
    const std::string what = match[1] == "<" ? check_vendor(rules, room, path, match[2]) : check_own(rules, room, match[2]);
    if (!what.empty()) wrong.push_back(path + ":" + std::to_string(number) + ": " + what);
  }
  return wrong;
}

/// Places where a library prints, exits or reads the environment. Comments and strings do not count.
inline std::vector<std::string> check_manners(const std::string& path, const std::string& content) {
  static const std::regex kUnmannered(
      R"re(\bstd::(cout|cerr|clog)\b|(^|[^\w.>])(printf|fprintf|puts|exit|quick_exit|_Exit|getenv|setenv|putenv)\s*\()re");
  static const std::regex kNoise(R"re("(\\.|[^"\\])*"|//.*$)re");
  std::vector<std::string> wrong;
  std::istringstream lines(content);
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    std::smatch match;
    const std::string code = std::regex_replace(line, kNoise, "\"\"");
    if (std::regex_search(code, match, kUnmannered)) wrong.push_back(path + ":" + std::to_string(number) + ": " + match[0].str());
  }
  return wrong;
}

/// Rooms that reach themselves along the table; "any" does not count.
inline std::set<std::string> rooms_in_cycles(const Rules& rules) {
  std::set<std::string> guilty;
  for (const auto& [start, unused] : rules.rooms) {
    std::set<std::string> seen;
    std::vector<std::string> open = {start};
    while (!open.empty()) {
      const std::string room = open.back();
      open.pop_back();
      if (!rules.rooms.contains(room)) continue;
      for (const auto& next : rules.rooms.at(room)) {
        if (next == start) guilty.insert(start);
        if (seen.insert(next).second) open.push_back(next);
      }
    }
  }
  return guilty;
}

}  // namespace hedge::architecture

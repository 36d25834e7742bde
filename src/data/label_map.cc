#include "data/label_map.h"

#include <algorithm>

#include "core/file.h"
#include "core/json.h"

namespace hedge::data {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 26;
constexpr std::int64_t kMostOutputs = std::int64_t{1}
                                      << 20;  // an object may leave indices out, so that a short file could ask for any memory

Error bad(ErrorCode code, std::string what, std::string where, std::string got = {}, std::string expected = {}) {
  return Error{.code = code, .what = std::move(what), .where = std::move(where), .got = std::move(got), .expected = std::move(expected)};
}

std::vector<std::string> names_of_lines(const std::string& text) {
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    auto line = text.substr(begin, end - begin);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) line.pop_back();
    names.push_back(std::move(line));
    begin = end + 1;
  }
  while (!names.empty() && names.back().empty()) names.pop_back();
  return names;
}

Result<std::vector<std::string>> names_of_array(const Json& json, const std::string& where) {
  std::vector<std::string> names;
  for (const auto& name : json) {
    if (!name.is_string()) return bad(ErrorCode::kBadFormat, "a class's name is no text", where, name.dump().substr(0, 60));
    names.push_back(name.get<std::string>());
  }
  return names;
}

Result<std::vector<std::string>> names_of_object(const Json& json, const std::string& where) {
  std::vector<std::string> names;
  for (const auto& [name, index] : json.items()) {
    if (!json_detail::holds<std::int64_t>(index) || index.get<std::int64_t>() < 0 || index.get<std::int64_t>() >= kMostOutputs)
      return bad(ErrorCode::kBadFormat, "a class's index is none", where + ": " + name, index.dump().substr(0, 60), "an integer from 0");
    const auto at = index.get<std::size_t>();
    if (at >= names.size()) names.resize(at + 1);
    if (!names[at].empty()) return bad(ErrorCode::kBadData, "two classes have one index", where, names[at] + " and " + name);
    names[at] = name;
  }
  return names;
}

}  // namespace

Result<ClassIndex> index_class_names(const std::vector<std::string>& names, const std::string& where) {
  ClassIndex index;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (!names[i].empty() && !index.emplace(names[i], static_cast<std::int64_t>(i)).second)
      return bad(ErrorCode::kBadData, "two classes have the same name", where, names[i], "a name for each class alone");
  return index;
}

Result<std::vector<std::string>> parse_class_names(const std::string& text, const std::string& where) {
  const auto first = text.find_first_not_of(" \t\r\n");
  std::vector<std::string> names;
  if (first != std::string::npos && (text[first] == '[' || text[first] == '{')) {
    HEDGE_TRY(const auto json, parse_json(text, where));
    HEDGE_TRY(names, json.is_array() ? names_of_array(json, where) : names_of_object(json, where));
  } else {
    names = names_of_lines(text);
  }
  HEDGE_TRY(const auto index, index_class_names(names, where));
  if (index.size() < 2) return bad(ErrorCode::kBadData, "there are fewer than two class names", where, std::to_string(index.size()));
  return names;
}

Result<std::vector<std::string>> read_class_names(const std::filesystem::path& path) {
  HEDGE_TRY(const auto text, read_file(path, kMostBytes));
  return parse_class_names(text, path.string());
}

}  // namespace hedge::data

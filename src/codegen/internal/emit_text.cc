#include "codegen/internal/emit_text.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdio>
#include <span>

namespace hedge::codegen::assets {
/// Path and text of every embedded file, by the build (cmake/HedgeEmbed.cmake).
std::span<const std::pair<std::string_view, std::string_view>> files();
}  // namespace hedge::codegen::assets

namespace hedge::codegen::internal {

std::string fill(std::string_view text, const Places& places) {
  std::string filled;
  for (std::size_t i = 0; i < text.size();) {
    const auto begin = text.find('@', i);
    filled += text.substr(i, begin - i);
    if (begin == std::string_view::npos) break;
    const auto end = text.find('@', begin + 1);
    const auto place = places.find(std::string(text.substr(begin + 1, end - begin - 1)));
    assert(end != std::string_view::npos && place != places.end());
    filled += place->second;
    i = end + 1;
  }
  return filled;
}

std::string float_literal(float value) {
  if (!std::isfinite(value)) return value > 0 ? "__builtin_huge_valf()" : "-__builtin_huge_valf()";
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", static_cast<double>(value));
  std::string literal = text;
  if (literal.find_first_of(".e") == std::string::npos) literal += ".0";
  return literal + "F";
}

std::string string_literal(std::string_view text) {
  std::string literal = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    char escaped[8];
    std::snprintf(escaped, sizeof escaped, "\\%03o", code);
    if (code < 32 || code > 126 || c == '"' || c == '\\' || c == '?')
      literal += escaped;
    else
      literal += c;
  }
  return literal + "\"";
}

std::string words_text(const std::vector<std::int32_t>& words) {
  std::string text;
  text.reserve(words.size() * 12);
  for (std::size_t i = 0; i < words.size(); ++i) text += std::to_string(words[i]) + (i % 12 == 11 ? ",\n" : ",");
  return text;
}

std::string numbers(const std::vector<std::int8_t>& values) {
  std::string text;
  for (std::size_t i = 0; i < values.size(); ++i) text += std::to_string(values[i]) + (i % 24 == 23 ? ",\n" : ", ");
  return text;
}

std::string_view embedded_file(std::string_view path) {
  for (const auto& [name, text] : assets::files())
    if (name == path) return text;
  assert(false && "a file is not embedded");
  return {};
}

std::vector<std::pair<std::string, std::string_view>> micro_headers(const std::vector<std::string>& texts) {
  constexpr std::string_view kInclude = "#include \"micro/";
  std::vector<std::string_view> unread(texts.begin(), texts.end());
  std::map<std::string, std::string_view> found;
  while (!unread.empty()) {
    const auto text = unread.back();
    unread.pop_back();
    for (auto at = text.find(kInclude); at != std::string_view::npos; at = text.find(kInclude, at + 1)) {
      const auto begin = at + std::string_view("#include \"").size();
      const std::string path(text.substr(begin, text.find('"', begin) - begin));
      if (found.contains(path)) continue;
      found[path] = embedded_file(path);
      unread.push_back(found[path]);
    }
  }
  return {found.begin(), found.end()};
}

}  // namespace hedge::codegen::internal

#include "core/json.h"

#include "core/file.h"

namespace hedge {

namespace {

constexpr int kMostDepth = 64;

/// Looks before the parser does, which takes any depth and seconds a megabyte of brackets. Brackets inside strings do not count;
/// of text that is no JSON nothing is promised, as the parser refuses it anyway.
bool nested_too_deeply(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMostDepth) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

}  // namespace

Result<Json> parse_json(std::string_view text, std::string_view where) {
  if (nested_too_deeply(text))
    return Error{.code = ErrorCode::kBadFormat,
                 .what = "the JSON is nested too deeply",
                 .where = std::string(where),
                 .expected = "at most 64 levels"};
  try {
    return Json::parse(text);
  } catch (const nlohmann::json::exception& e) {
    return Error{.code = ErrorCode::kBadFormat, .what = std::string("not JSON: ") + e.what(), .where = std::string(where)};
  }
}

Result<Json> read_json(const std::filesystem::path& path) {
  HEDGE_TRY(auto text, read_file(path, std::size_t{1} << 28));
  return parse_json(text, path.string());
}

Status write_json(const std::filesystem::path& path, const Json& json) {
  return write_file_atomic(path, json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace hedge

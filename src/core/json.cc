#include "core/json.h"

#include "core/file.h"

namespace hedge {

Result<Json> parse_json(std::string_view text, std::string_view where) {
  constexpr int kMostDepth = 64;
  int depth = 0;
  bool too_deep = false;
  const auto watch = [&](int at, Json::parse_event_t event, Json&) {
    depth = at;
    if (event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start) too_deep = too_deep || depth > kMostDepth;
    return !too_deep;
  };
  try {
    Json json = Json::parse(text, watch);
    if (too_deep)
      return Error{.code = ErrorCode::kBadFormat, .what = "the JSON is nested too deeply", .where = std::string(where), .expected = "at most 64 levels"};
    return json;
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

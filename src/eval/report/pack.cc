#include "eval/report/internal/pack.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <string>

#include "core/base64.h"

namespace hedge::eval {
namespace {

void append(std::string& bytes, std::uint32_t value, int count) {
  for (int i = 0; i < count; ++i) bytes.push_back(static_cast<char>((value >> (8 * i)) & 0xFFU));
}

bool all_scores(const Json& column) {
  return std::all_of(column.begin(), column.end(), [](const Json& x) { return x.is_number(); });
}

bool all_whole(const Json& column, std::uint64_t most) {
  return std::all_of(column.begin(), column.end(),
                     [most](const Json& x) { return json_detail::holds<std::uint64_t>(x) && x.get<std::uint64_t>() <= most; });
}

Json packed(const Json& column, const char* type) {
  std::string bytes;
  const bool real = std::string_view(type) == "f32";
  const int width = std::string_view(type) == "u16" ? 2 : 4;
  for (const Json& x : column)
    append(bytes, real ? std::bit_cast<std::uint32_t>(x.get<float>()) : static_cast<std::uint32_t>(x.get<std::uint64_t>()), width);
  return {{"type", type}, {"base64", base64(bytes)}};
}

}  // namespace

Json pack_explorer(Json report) {
  const auto found = report.find("explorer");
  if (found == report.end() || !found->is_object()) return report;
  for (auto& [key, column] : found->items()) {
    if (!column.is_array() || column.empty()) continue;
    if (key == "scores" && all_scores(column))
      column = packed(column, "f32");
    else if (key != "scores" && all_whole(column, std::numeric_limits<std::uint16_t>::max()))
      column = packed(column, "u16");
    else if (key != "scores" && all_whole(column, std::numeric_limits<std::uint32_t>::max()))
      column = packed(column, "u32");
  }
  return report;
}

}  // namespace hedge::eval

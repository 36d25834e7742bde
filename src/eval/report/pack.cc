#include "eval/report/internal/pack.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <string>

namespace hedge::eval {
namespace {

std::string base64(const std::string& bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve(bytes.size() / 3 * 4 + 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t word = 0;
    const auto n = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < 3; ++k) word = word << 8 | (k < n ? static_cast<std::uint8_t>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) text.push_back(k <= n ? kDigits[(word >> (18 - 6 * k)) & 63] : '=');
  }
  return text;
}

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

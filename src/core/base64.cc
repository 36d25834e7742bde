#include "core/base64.h"

#include <algorithm>
#include <cstdint>

namespace hedge {
namespace {

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string base64(std::string_view bytes) {
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

Result<std::string> parse_base64(std::string_view text, std::string_view where) {
  const auto bad = [&](const char* what, std::string_view got) {
    return Error{.code = ErrorCode::kBadFormat, .what = what, .where = std::string(where), .got = std::string(got)};
  };
  if (text.size() % 4 != 0) return bad("the text is no base 64: its length is no multiple of 4", std::to_string(text.size()));
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool pads = i >= text.size() - padding;
    const auto digit = pads ? 0 : kDigits.find(text[i]);
    if (digit == std::string_view::npos) return bad("the text is no base 64: another character", text.substr(i, 1));
    word = word << 6 | static_cast<std::uint32_t>(digit);
    if (i % 4 != 3) continue;
    const std::size_t kept = i + 1 == text.size() ? 3 - padding : 3;
    for (std::size_t k = 0; k < 3; ++k) {
      const auto byte = static_cast<char>(word >> (16 - 8 * k) & 255);
      if (k < kept)
        bytes.push_back(byte);
      else if (byte != 0)
        return bad("the text is no base 64: bits that no byte has are set", text.substr(i - 3, 4));
    }
    word = 0;
  }
  return bytes;
}

}  // namespace hedge

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hedge::data::internal {

/// Whole numbers out of a file's bytes. Reading beyond the end gives 0: check with `has` where that matters.
class Bytes {
 public:
  Bytes(std::string_view bytes, bool little) : bytes_(bytes), little_(little) {}

  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] bool has(std::size_t at, std::size_t count) const { return at <= bytes_.size() && count <= bytes_.size() - at; }
  [[nodiscard]] std::uint8_t u8(std::size_t at) const { return has(at, 1) ? static_cast<std::uint8_t>(bytes_[at]) : std::uint8_t{0}; }
  [[nodiscard]] std::uint32_t u16(std::size_t at) const {
    const std::uint32_t first = u8(at), second = u8(at + 1);
    return little_ ? first | second << 8 : first << 8 | second;
  }
  [[nodiscard]] std::uint32_t u32(std::size_t at) const {
    const auto first = u16(at), second = u16(at + 2);
    return little_ ? first | second << 16 : first << 16 | second;
  }

 private:
  std::string_view bytes_;
  bool little_;
};

}  // namespace hedge::data::internal

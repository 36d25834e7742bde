#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "hedge/result.h"

namespace hedge {

/// SHA-256 (FIPS 180-4), incremental. Order: update… then hex() once.
class Sha256 {
 public:
  Sha256();
  Sha256& update(std::string_view bytes);
  /// 64 lower-case hexadecimal digits. Ends the computation.
  [[nodiscard]] std::string hex();

 private:
  void block(const std::uint8_t* bytes);
  std::array<std::uint32_t, 8> state_;
  std::array<std::uint8_t, 64> buffer_{};
  std::uint64_t length_ = 0;
};

std::string sha256_hex(std::string_view bytes);
/// Errors: those of read_file.
Result<std::string> sha256_file(const std::filesystem::path& path);

}  // namespace hedge

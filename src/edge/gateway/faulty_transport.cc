#include "edge/gateway/faulty_transport.h"

namespace hedge::edge {

Status FaultOptions::validate() const {
  if (share >= 0 && share <= 1) return {};
  return Error{.code = ErrorCode::kInvalidArgument,
               .what = "the share of faults is out of range",
               .got = std::to_string(share),
               .expected = "0 to 1"};
}

std::optional<std::uint8_t> FaultyTransport::Damage::pass(std::uint8_t byte) {
  constexpr std::size_t kDamagedByte = 2;  // of the stuffed frame: its type or a code, which the checksum must notice
  if (byte == 0) {
    at_ = 0;
    return byte;
  }
  if (at_++ == 0) {
    const double drawn = rng_.uniform();
    fate_ = drawn >= share_ ? Fate::kWhole : drawn < share_ / 2 ? Fate::kDropped : Fate::kCorrupted;
  }
  if (fate_ == Fate::kDropped) return std::nullopt;
  if (fate_ == Fate::kCorrupted && at_ == kDamagedByte + 1) return static_cast<std::uint8_t>(byte ^ (1U << rng_.below(8)));
  return byte;
}

Result<std::size_t> FaultyTransport::read(std::uint8_t* to, std::size_t most) {
  HEDGE_TRY(const auto came, line_->read(to, most));
  std::size_t kept = 0;
  for (std::size_t i = 0; i < came; ++i)
    if (const auto byte = in_.pass(to[i])) to[kept++] = *byte;
  return kept;
}

Status FaultyTransport::write(const std::uint8_t* bytes, std::size_t size) {
  std::vector<std::uint8_t> passed;
  for (std::size_t i = 0; i < size; ++i)
    if (const auto byte = out_.pass(bytes[i])) passed.push_back(*byte);
  return line_->write(passed.data(), passed.size());
}

}  // namespace hedge::edge

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/rng.h"
#include "edge/gateway/transport.h"

namespace hedge::edge {

struct FaultOptions {
  double share = 0;  ///< of the frames, each way: so many are dropped or corrupted (half and half); 0 to 1
  std::uint64_t seed = 1;
  /// Errors: kInvalidArgument, naming the field.
  [[nodiscard]] Status validate() const;
};

/// A line that loses frames, for tests and drills: a decorator around one that does not. Frames are told by their borders (zeros).
class FaultyTransport final : public Transport {
 public:
  FaultyTransport(std::unique_ptr<Transport> line, const FaultOptions& options)
      : line_(std::move(line)), in_(options.share, options.seed), out_(options.share, options.seed + 1) {}

  Result<std::size_t> read(std::uint8_t* to, std::size_t most) override;
  Status write(const std::uint8_t* bytes, std::size_t size) override;
  void wait(std::chrono::milliseconds most) override { line_->wait(most); }

 private:
  /// One direction.
  class Damage {
   public:
    Damage(double share, std::uint64_t seed) : share_(share), rng_(seed) {}
    /// The byte as it arrives, or none.
    std::optional<std::uint8_t> pass(std::uint8_t byte);

   private:
    enum class Fate : std::uint8_t { kWhole, kDropped, kCorrupted };
    double share_;
    Rng rng_;
    Fate fate_ = Fate::kWhole;
    std::size_t at_ = 0;  ///< within the frame
  };

  std::unique_ptr<Transport> line_;
  Damage in_, out_;
};

}  // namespace hedge::edge

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/json.h"

namespace hedge::search {

/// What a network costs for an image. What nobody asked for is not there.
struct Costs {
  std::int64_t macs = 0;
  std::int64_t parameters = 0;
  std::optional<std::int64_t> ram_bytes;     ///< int8 activations on a microcontroller, as the planner lays them
  std::optional<std::int64_t> flash_bytes;   ///< int8 constants and code
  std::optional<std::int64_t> instructions;  ///< estimated
  std::optional<double> latency_ms;          ///< on this machine, by the table of its operators
};

/// The most that a network may cost; what is not there is not limited.
struct Limits {
  std::optional<std::int64_t> macs, parameters, ram_bytes, flash_bytes, instructions;
  std::optional<double> latency_ms;

  [[nodiscard]] bool need_device() const { return ram_bytes || flash_bytes || instructions; }
  [[nodiscard]] bool any() const { return macs || parameters || need_device() || latency_ms; }
  [[nodiscard]] bool hold(const Costs& costs) const { return share_used(costs) <= 1; }
  /// The largest share of a limit that is used; above 1 a limit is broken. A limited cost that is not known counts as too large.
  [[nodiscard]] double share_used(const Costs& costs) const;
};

/// "2.1 M MACs, 30.2 k parameters, 20.1 KiB RAM…".
std::string to_string(const Costs& costs);
/// With "at most" before each.
std::string to_string(const Limits& limits);

/// docs/formats/search_json.md. Errors: kBadFormat.
Json to_json(const Costs& costs);
Result<Costs> costs_from_json(const Json& json, std::string_view where);

}  // namespace hedge::search

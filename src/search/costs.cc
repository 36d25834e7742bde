#include "search/costs.h"

#include <algorithm>
#include <cstdio>
#include <limits>
#include <vector>

namespace hedge::search {
namespace {

/// A cost's name in files and for people, with the people's unit.
struct Named {
  const char* key;
  const char* unit;
  double divisor;
  std::optional<double> cost, limit;
};

template <typename T>
std::optional<double> as_double(const std::optional<T>& value) {
  return value ? std::optional(static_cast<double>(*value)) : std::nullopt;
}

std::vector<Named> named(const Costs& costs, const Limits& limits) {
  return {{"macs", "M MACs", 1e6, static_cast<double>(costs.macs), as_double(limits.macs)},
          {"parameters", "k parameters", 1e3, static_cast<double>(costs.parameters), as_double(limits.parameters)},
          {"ram_bytes", "KiB of RAM", 1024, as_double(costs.ram_bytes), as_double(limits.ram_bytes)},
          {"flash_bytes", "KiB of flash", 1024, as_double(costs.flash_bytes), as_double(limits.flash_bytes)},
          {"instructions", "M instructions", 1e6, as_double(costs.instructions), as_double(limits.instructions)},
          {"latency_ms", "ms", 1, costs.latency_ms, limits.latency_ms}};
}

void append(std::string& text, const char* before, double value, const Named& one) {
  char number[64];
  std::snprintf(number, sizeof number, "%s%s%.4g %s", text.empty() ? "" : ", ", before, value / one.divisor, one.unit);
  text += number;
}

}  // namespace

double Limits::share_used(const Costs& costs) const {
  double most = 0;
  for (const auto& one : named(costs, *this))
    if (one.limit) most = std::max(most, one.cost ? *one.cost / *one.limit : std::numeric_limits<double>::infinity());
  return most;
}

std::string to_string(const Costs& costs) {
  std::string text;
  for (const auto& one : named(costs, {}))
    if (one.cost) append(text, "", *one.cost, one);
  return text;
}

std::string to_string(const Limits& limits) {
  std::string text;
  for (const auto& one : named({}, limits))
    if (one.limit) append(text, "at most ", *one.limit, one);
  return text;
}

Json to_json(const Costs& costs) {
  Json json = {{"macs", costs.macs}, {"parameters", costs.parameters}};
  if (costs.ram_bytes) json["ram_bytes"] = *costs.ram_bytes;
  if (costs.flash_bytes) json["flash_bytes"] = *costs.flash_bytes;
  if (costs.instructions) json["instructions"] = *costs.instructions;
  if (costs.latency_ms) json["latency_ms"] = *costs.latency_ms;
  return json;
}

Result<Costs> costs_from_json(const Json& json, std::string_view where) {
  Costs costs;
  HEDGE_TRY(costs.macs, get_field<std::int64_t>(json, "macs", where));
  HEDGE_TRY(costs.parameters, get_field<std::int64_t>(json, "parameters", where));
  for (const auto& [key, value] :
       {std::pair{"ram_bytes", &costs.ram_bytes}, {"flash_bytes", &costs.flash_bytes}, {"instructions", &costs.instructions}})
    if (json.contains(key)) {
      HEDGE_TRY(*value, get_field<std::int64_t>(json, key, where));
    }
  if (json.contains("latency_ms")) {
    HEDGE_TRY(costs.latency_ms, get_field<double>(json, "latency_ms", where));
  }
  return costs;
}

}  // namespace hedge::search

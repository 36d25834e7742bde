#include "plan/profiles.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "core/json.h"
#include "plan/internal/assets.h"

namespace hedge::plan {
namespace {

constexpr std::int64_t kSchema = 1;
constexpr double kMillisecondsASecond = 1000.0;

Error bad(std::string what, std::string where, std::string got = {}, std::string expected = {}) {
  return Error{.code = ErrorCode::kBadFormat,
               .what = std::move(what),
               .where = std::move(where),
               .got = std::move(got),
               .expected = std::move(expected)};
}

/// One profile's JSON with its place.
struct Entry {
  const Json& json;
  std::string where;
};

Result<double> number(const Entry& entry, const char* key, bool positive) {
  HEDGE_TRY(const auto value, get_field<double>(entry.json, key, entry.where));
  if (!std::isfinite(value) || value < 0 || (positive && value == 0))
    return bad(std::string("the field \"") + key + "\" is out of range", entry.where, entry.json.at(key).dump(), positive ? "> 0" : ">= 0");
  return value;
}

Status only(const Entry& entry, std::initializer_list<const char*> fields) {
  for (const auto& [key, value] : entry.json.items())
    if (std::find(fields.begin(), fields.end(), key) == fields.end()) return bad("the profile has an unknown field", entry.where, key);
  return {};
}

template <typename Profile>
Status take_names(const Entry& entry, Profile& profile) {
  HEDGE_TRY(profile.name, get_field<std::string>(entry.json, "name", entry.where));
  if (profile.name.empty()) return bad("the profile has no name", entry.where);
  HEDGE_TRY(profile.about, get_field<std::string>(entry.json, "about", entry.where));
  HEDGE_TRY(profile.source, get_field<std::string>(entry.json, "source", entry.where));
  return {};
}

/// Speed and power of a device from one model that was measured on it.
Status take_reference(const Entry& entry, DeviceProfile& device) {
  HEDGE_CHECK(only(entry, {"macs", "latency_ms", "energy_mj"}));
  HEDGE_TRY(const double macs, number(entry, "macs", true));
  HEDGE_TRY(const double latency_ms, number(entry, "latency_ms", true));
  HEDGE_TRY(const double energy_mj, number(entry, "energy_mj", false));
  device.macs_per_ms = macs / latency_ms;
  device.power_mw = energy_mj / latency_ms * kMillisecondsASecond;
  return {};
}

Result<DeviceProfile> device_of(const Entry& entry) {
  DeviceProfile device;
  HEDGE_CHECK(take_names(entry, device));
  if (entry.json.contains("overhead_ms")) {
    HEDGE_TRY(device.overhead_ms, number(entry, "overhead_ms", false));
  }
  if (entry.json.contains("reference")) {
    HEDGE_CHECK(only(entry, {"name", "about", "source", "reference", "overhead_ms"}));
    HEDGE_CHECK(take_reference({entry.json.at("reference"), entry.where + ".reference"}, device));
    return device;
  }
  HEDGE_CHECK(only(entry, {"name", "about", "source", "macs_per_ms", "power_mw", "overhead_ms"}));
  HEDGE_TRY(device.macs_per_ms, number(entry, "macs_per_ms", true));
  HEDGE_TRY(device.power_mw, number(entry, "power_mw", false));
  return device;
}

Result<LinkProfile> link_of(const Entry& entry) {
  LinkProfile link;
  HEDGE_CHECK(take_names(entry, link));
  HEDGE_CHECK(only(entry, {"name", "about", "source", "rtt_ms", "bytes_per_ms", "session_mj", "energy_uj_per_byte", "wait_mw"}));
  HEDGE_TRY(link.rtt_ms, number(entry, "rtt_ms", false));
  HEDGE_TRY(link.bytes_per_ms, number(entry, "bytes_per_ms", true));
  HEDGE_TRY(link.session_mj, number(entry, "session_mj", false));
  HEDGE_TRY(link.energy_uj_per_byte, number(entry, "energy_uj_per_byte", false));
  HEDGE_TRY(link.wait_mw, number(entry, "wait_mw", false));
  return link;
}

Result<CloudProfile> cloud_of(const Entry& entry) {
  CloudProfile cloud;
  HEDGE_CHECK(take_names(entry, cloud));
  HEDGE_CHECK(only(entry, {"name", "about", "source", "macs_per_ms", "overhead_ms"}));
  HEDGE_TRY(cloud.macs_per_ms, number(entry, "macs_per_ms", true));
  HEDGE_TRY(cloud.overhead_ms, number(entry, "overhead_ms", false));
  return cloud;
}

/// All profiles of one kind; a file may leave a kind out.
template <typename Profile>
Result<std::vector<Profile>> list_of(const Json& json, const char* key, std::string_view where, Result<Profile> (*read)(const Entry&)) {
  std::vector<Profile> list;
  if (!json.contains(key)) return list;
  const Json& entries = json.at(key);
  if (!entries.is_array()) return bad(std::string("\"") + key + "\" is no array", std::string(where));
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Entry entry{entries[i], std::string(where) + ": " + key + "[" + std::to_string(i) + "]"};
    HEDGE_TRY(auto profile, read(entry));
    const bool twice = std::any_of(list.begin(), list.end(), [&](const Profile& other) { return other.name == profile.name; });
    if (twice) return bad("two profiles have the same name", entry.where, profile.name);
    list.push_back(std::move(profile));
  }
  return list;
}

template <typename Profile>
void merge_list(std::vector<Profile>& mine, std::vector<Profile> more) {
  for (auto& profile : more) {
    const auto found = std::find_if(mine.begin(), mine.end(), [&](const Profile& other) { return other.name == profile.name; });
    if (found != mine.end())
      *found = std::move(profile);
    else
      mine.push_back(std::move(profile));
  }
}

template <typename Profile>
Result<Profile> choose(const std::vector<Profile>& profiles, std::string_view name, const char* kind) {
  std::string names;
  for (const auto& profile : profiles) {
    if (profile.name == name) return profile;
    names += (names.empty() ? "" : ", ") + profile.name;
  }
  return Error{.code = ErrorCode::kNotFound,
               .what = std::string("there is no such ") + kind + " profile",
               .got = std::string(name),
               .expected = names,
               .hint = "give a file with yours (--profiles, docs/formats/plan_profiles.md)"};
}

}  // namespace

void Profiles::merge(Profiles more) {
  merge_list(devices, std::move(more.devices));
  merge_list(links, std::move(more.links));
  merge_list(clouds, std::move(more.clouds));
}

Result<Profiles> parse_profiles(std::string_view text, std::string_view where) {
  HEDGE_TRY(const auto json, parse_json(text, where));
  HEDGE_TRY(const auto schema, get_field<std::int64_t>(json, "schema", where));
  if (schema > kSchema)
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "the profiles are of a newer version",
                 .where = std::string(where),
                 .got = std::to_string(schema),
                 .expected = std::to_string(kSchema)};
  HEDGE_CHECK(only({json, std::string(where)}, {"schema", "devices", "links", "clouds"}));
  Profiles profiles;
  HEDGE_TRY(profiles.devices, list_of<DeviceProfile>(json, "devices", where, device_of));
  HEDGE_TRY(profiles.links, list_of<LinkProfile>(json, "links", where, link_of));
  HEDGE_TRY(profiles.clouds, list_of<CloudProfile>(json, "clouds", where, cloud_of));
  return profiles;
}

Result<Profiles> default_profiles() { return parse_profiles(assets::profiles(), "built-in profiles"); }

Result<Setting> choose_setting(const Profiles& profiles, std::string_view device, std::string_view link, std::string_view cloud) {
  Setting setting;
  HEDGE_TRY(setting.device, choose(profiles.devices, device, "device"));
  HEDGE_TRY(setting.link, choose(profiles.links, link, "link"));
  HEDGE_TRY(setting.cloud, choose(profiles.clouds, cloud, "cloud"));
  return setting;
}

}  // namespace hedge::plan

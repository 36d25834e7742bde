#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "hedge/result.h"

namespace hedge::plan {

/// A device that computes base and router on a battery.
struct DeviceProfile {
  std::string name;        ///< how --device calls it
  std::string about;       ///< one line for people
  std::string source;      ///< where its figures come from, and which are assumed
  double macs_per_ms = 0;  ///< > 0
  double overhead_ms = 0;  ///< >= 0; an image, whatever the model
  double power_mw = 0;     ///< >= 0; while it computes
};

/// The way of a query to the cloud and back. All energies are the device's.
struct LinkProfile {
  std::string name, about, source;
  double rtt_ms = 0;              ///< >= 0; there and back, without the bytes
  double bytes_per_ms = 0;        ///< > 0
  double session_mj = 0;          ///< >= 0; a query, whatever its size
  double energy_uj_per_byte = 0;  ///< >= 0
  double wait_mw = 0;             ///< >= 0; from the first byte until the answer is there, beside the bytes' energy
};

/// What answers a query.
struct CloudProfile {
  std::string name, about, source;
  double macs_per_ms = 0;  ///< > 0
  double overhead_ms = 0;  ///< >= 0; a query, whatever the model
};

/// Everything that plans choose from (docs/formats/plan_profiles.md).
struct Profiles {
  std::vector<DeviceProfile> devices;
  std::vector<LinkProfile> links;
  std::vector<CloudProfile> clouds;

  /// Adds `more`; a profile of a name that is there already takes its place.
  void merge(Profiles more);
};

/// Errors: kBadFormat (with the profile and the field: missing, of another type, outside its range, an unknown one, a name twice);
/// kUnsupported (a newer schema).
Result<Profiles> parse_profiles(std::string_view text, std::string_view where);

/// Those that come with Hedge: src/plan/profiles.json, built in.
Result<Profiles> default_profiles();

/// One device, one link and one cloud: where a hybrid runs.
struct Setting {
  DeviceProfile device;
  LinkProfile link;
  CloudProfile cloud;
};

/// Errors: kNotFound, with the names there are.
Result<Setting> choose_setting(const Profiles& profiles, std::string_view device, std::string_view link, std::string_view cloud);

}  // namespace hedge::plan

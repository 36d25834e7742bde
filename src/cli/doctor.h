#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/json.h"

namespace hedge::cli {

/// One thing a machine has or lacks.
struct Check {
  std::string name;  ///< "BLAS"
  bool ok = false;
  bool required = false;  ///< whether something stops working without it
  std::string found;      ///< what there is, with its version or size
  std::string hint;       ///< how to mend it; empty where ok
};

/// Where to look, and what only the caller knows (this file links none of the vendors).
struct DoctorOptions {
  std::filesystem::path root = "/";                                           ///< the file system's root; tests give a folder of their own
  std::filesystem::path work = ".";                                           ///< where outputs go; its disk is measured
  std::string torch_version;                                                  ///< of the linked libtorch; empty: built without
  std::string openvino_version;                                               ///< of the OpenVINO found at run time; empty: none
  std::filesystem::path fashion_mnist = "/usr/share/datasets/fashion-mnist";  ///< below `root`
  std::vector<int> ports = {8001};                                            ///< that a server would take on 127.0.0.1
};

/// Looks at processor, memory, disk, BLAS, libraries, data and ports. Reads /proc and a few files; changes nothing.
/// What cannot be read is reported as not found, never an error.
std::vector<Check> examine_machine(const DoctorOptions& options);

/// Whether all that is required is there.
bool healthy(const std::vector<Check>& checks);

/// A line a check, "ok", "MISSING" or "note" first, hints below.
std::string to_text(const std::vector<Check>& checks);
/// {"healthy": bool, "checks": [{"name", "ok", "required", "found", "hint"}]}
Json to_json(const std::vector<Check>& checks);

}  // namespace hedge::cli

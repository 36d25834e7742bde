#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "edge/bundle.h"
#include "hedge/result.h"
#include "hedge/workflow.h"
#include "workflow/accepted_globals.h"
#include "workflow/predict.h"

namespace hedge::workflow {

struct BundleOptions {
  ModelOptions base;                   ///< the device's model (.onnx); its features are those that the policy names
  ModelOptions global;                 ///< the cloud's model: how the device must cut its images, and which output is which class
  std::filesystem::path fitted;        ///< the folder that fit() wrote
  std::string global_name = "global";  ///< the name that the cloud serves it under
  std::filesystem::path out;           ///< the bundle's folder
  bool strict = false;                 ///< refuse models whose classes are matched by position because one does not name its outputs
  /// Labelled images, on which base and global are run as the bundle will hold them: a model that is not above chance, or a base that is
  /// worse than its policy says, is an error, kAlarm. By some of them a server is known that does not say which model it serves. Empty: the
  /// images of the policy's calibration split, where they can be opened.
  std::string data = {};
  std::vector<AlsoGlobal> also = {};  ///< new versions of the global, which may be served in its place
  bool accept_risk = false;           ///< alarms are logged and recorded in the bundle's policy instead
};

/// What a bundle was made of.
struct Bundled {
  float threshold = 0;
  edge::ClassesBy classes_by = edge::ClassesBy::kName;
  std::vector<std::string> notes;                      ///< what was taken for granted of the classes; logged as well
  std::size_t handshake = 0;                           ///< images of the handshake; 0: there is none
  std::vector<routing::AcceptedGlobal> accepted = {};  ///< of `also`
};

/// Packs base, router and policy for a device (docs/formats/bundle.md). Which output is which class the policy says, as it was judged;
/// names in `base` and `global` may only confirm it. An older policy does not say it: then the names decide. Errors: kMismatch a global or
/// base that the policy was not calibrated with, names that place the outputs otherwise than they were judged, with `strict` classes by
/// position; kUnsupported a base that is no single ONNX file; kAlarm, unless the risk is accepted; those of read_fitted, model::open_model,
/// model::map_outputs, judge_version, make_handshake (with `data`) and edge::write_bundle.
Result<Bundled> bundle(const BundleOptions& options, const RunContext& context = {});

}  // namespace hedge::workflow

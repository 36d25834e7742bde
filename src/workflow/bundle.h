#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "edge/bundle.h"
#include "hedge/result.h"
#include "hedge/workflow.h"
#include "workflow/predict.h"

namespace hedge::workflow {

struct BundleOptions {
  ModelOptions base;                   ///< the device's model (.onnx); its features are those that the policy names
  ModelOptions global;                 ///< the cloud's model: how the device must cut its images, and which output is which class
  std::filesystem::path fitted;        ///< the folder that fit() wrote
  std::string global_name = "global";  ///< the name that the cloud serves it under
  std::filesystem::path out;           ///< the bundle's folder
  bool strict = false;                 ///< refuse models whose classes are matched by position because one does not name its outputs
  /// Labelled images on which base and global are run as the bundle holds them, before it is written: a model that is not above chance, or
  /// a base that is worse than its policy says, is an error, kAlarm. Empty: the policy's calibration split, where it can be opened.
  std::string data = {};
  bool accept_risk = false;  ///< alarms are logged and recorded in the bundle's policy instead
};

/// What a bundle was made of.
struct Bundled {
  float threshold = 0;
  edge::ClassesBy classes_by = edge::ClassesBy::kName;
  std::vector<std::string> notes;  ///< what was taken for granted of the classes; logged as well
};

/// Packs base, router and policy for a device (docs/formats/bundle.md).
/// Errors: kMismatch a global or base that the policy was not calibrated with, with `strict` classes by position; kUnsupported a base that
/// is no single ONNX file; kAlarm, unless the risk is accepted; those of read_fitted, model::open_model, model::map_outputs and
/// edge::write_bundle.
Result<Bundled> bundle(const BundleOptions& options, const RunContext& context = {});

}  // namespace hedge::workflow

#pragma once

#include <string>
#include <vector>

#include "hedge/open_model.h"
#include "hedge/policy.h"
#include "hedge/result.h"
#include "hedge/workflow.h"
#include "model/class_map.h"

namespace hedge::workflow::internal {

/// What is going into a bundle; borrowed.
struct BundleCheck {
  const model::OpenedModel& base;
  const model::OpenedModel& global;
  const model::ClassMap& classes;
  const routing::Policy& policy;
  std::string data;  ///< as the user says; empty: the policy's calibration split
};

/// Runs both models on some of the images as the bundle holds them, with its recipes and classes. Alarms: a model that is not above chance;
/// a base that is right on fewer than the policy's base was, by more than chance allows (0.1 %): recipe or names are not those that were
/// judged. No alarm where `data` is empty and the calibration split cannot be opened here, which is logged. Errors: those of opening `data`
/// where it is given; kCancelled.
Result<std::vector<std::string>> bundle_alarms(const BundleCheck& check, const RunContext& context);

}  // namespace hedge::workflow::internal

#pragma once

#include <filesystem>
#include <vector>

#include "edge/manifest.h"
#include "hedge/open_model.h"
#include "hedge/policy.h"
#include "hedge/workflow.h"
#include "workflow/routers.h"

namespace hedge::workflow {

/// A new version of a bundle's global, which may be served in its place.
struct AlsoGlobal {
  ModelOptions model;
  std::filesystem::path table;  ///< what it, and the bundle's base, say of images that the router was not fitted on
};

/// The same, opened and judged with the bundle's router and threshold.
struct JudgedVersion {
  model::OpenedModel model;
  edge::GlobalVersion version;
  routing::AcceptedGlobal figures;
};

/// Judges `also` with `fitted`; `recipe`: of the bundle's global. The figures are logged.
/// Errors: those of opening the model and reading the table; kMismatch: the table is of another base or global, of other classes, or of the
/// images that the router was fitted on; a recipe by which a device would have to send other images; kBadFormat: a table of before 0.3.0,
/// which does not say which outputs its classes are.
Result<JudgedVersion> judge_version(const AlsoGlobal& also, const FittedFolder& fitted, const std::vector<std::string>& labels,
                                    const data::Preprocess& recipe, const RunContext& context);

}  // namespace hedge::workflow

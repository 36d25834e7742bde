#include "train/adapt_method.h"

#include <array>

#include "train/adapt_weights.h"

namespace hedge::train {
namespace {

struct Named {
  AdaptMethod method;
  const char* name;
};
constexpr std::array kMethods = {
    Named{AdaptMethod::kReweight, "reweight"},     Named{AdaptMethod::kEndToEnd, "end_to_end"}, Named{AdaptMethod::kExpected, "expected"},
    Named{AdaptMethod::kCoverage, "coverage"},     Named{AdaptMethod::kDistil, "distil"},       Named{AdaptMethod::kScaffold, "scaffold"},
    Named{AdaptMethod::kGatekeeper, "gatekeeper"}, Named{AdaptMethod::kOneSided, "one_sided"},
};

/// Of kExpected: the curve is wanted high at all of them, as it is judged.
constexpr std::array kCoverages = {0.5, 0.6, 0.7, 0.8, 0.9, 0.95};

}  // namespace

const char* to_string(AdaptMethod method) {
  for (const auto& named : kMethods)
    if (named.method == method) return named.name;
  return "reweight";
}

Result<AdaptMethod> adapt_method(const std::string& name) {
  std::string names;
  for (const auto& named : kMethods) {
    if (name == named.name) return named.method;
    names.append(names.empty() ? "" : ", ").append(named.name);
  }
  return Error{.code = ErrorCode::kInvalidArgument, .what = "no such way to adapt", .got = name.substr(0, 60), .expected = names};
}

double default_strength(AdaptMethod method) {
  switch (method) {
    case AdaptMethod::kReweight:
    case AdaptMethod::kEndToEnd: return 0;
    case AdaptMethod::kGatekeeper: return 0.2;
    default: return 0.5;
  }
}

bool needs_share(AdaptMethod method) { return method == AdaptMethod::kReweight || method == AdaptMethod::kScaffold; }

bool teaches(AdaptMethod method) { return method == AdaptMethod::kDistil || method == AdaptMethod::kScaffold; }

Objective base_objective(AdaptMethod method, const MethodInput& input) {
  Objective objective;
  switch (method) {
    case AdaptMethod::kReweight: objective.sample_weights = base_weights(input.share); break;
    case AdaptMethod::kCoverage: objective.sample_weights = coverage_weights(*input.table, input.coverage, input.strength); break;
    case AdaptMethod::kGatekeeper: objective.deferring = Deferring{Deferring::Kind::kGatekeeper, input.strength}; break;
    case AdaptMethod::kOneSided: objective.deferring = Deferring{Deferring::Kind::kOneSided, input.strength}; break;
    case AdaptMethod::kExpected:
      objective.deferring =
          Deferring{Deferring::Kind::kExpected, input.strength, entropies_at(*input.table, kCoverages), global_errors(*input.table)};
      break;
    case AdaptMethod::kEndToEnd:
    case AdaptMethod::kDistil:
    case AdaptMethod::kScaffold: break;
  }
  return objective;
}

}  // namespace hedge::train

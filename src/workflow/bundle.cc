#include "workflow/bundle.h"

#include <tuple>
#include <utility>

#include "core/file.h"
#include "hedge/open_model.h"
#include "model/class_map.h"
#include "workflow/internal/bundle_check.h"
#include "workflow/internal/card_options.h"
#include "workflow/internal/quiet_check.h"
#include "workflow/routers.h"

namespace hedge::workflow {
namespace {

Status check_global(const model::ModelCard& global, const routing::Policy& policy) {
  if (global.sha256 == policy.global_sha256) return {};
  return Error{.code = ErrorCode::kMismatch,
               .what = "the policy was calibrated with another global",
               .where = global.path.string(),
               .got = global.sha256,
               .expected = policy.global_sha256,
               .hint = "bundle the global that \"hedge predict\" judged, or fit again with this one"};
}

/// A bundle holds its base in one file.
Status check_base(const model::ModelCard& base) {
  const bool onnx = base.format == model::Format::kOnnx;
  if (onnx && base.weight_files.empty()) return {};
  return Error{.code = ErrorCode::kUnsupported,
               .what = onnx ? "the base of a bundle must be one file, and this one has weights in other files"
                            : "the base of a bundle must be an ONNX file",
               .where = base.path.string(),
               .got = onnx ? base.weight_files.front() : to_string(base.format),
               .expected = onnx ? "a file with its weights in it" : "a file named .onnx",
               .hint = "convert the model, then run \"hedge fit\" and \"hedge bundle\" with the converted file"};
}

Result<model::OpenedModel> open(ModelOptions options, const std::string& features, const RunContext& context) {
  options.features = features;
  return model::open_model(options.path, {.card = internal::card_options(options, context.log)});
}

Result<model::ClassMap> map_classes(const model::ModelCard& base, const model::ModelCard& global, bool strict, const RunContext& context) {
  HEDGE_TRY(auto map, model::map_outputs(model::classes_of(base), model::classes_of(global)));
  if (strict) HEDGE_CHECK(model::check_by_name(map));
  for (const auto& note : map.notes) log(context.log, LogLevel::kInfo, note);
  return map;
}

/// Runs the models as the bundle will hold them, unless their risks were accepted before. What is accepted goes into `policy`.
Status check_models(const internal::BundleCheck& parts, const BundleOptions& options, const RunContext& context, routing::Policy& policy) {
  for (const auto& risk : policy.accepted_risks) log(context.log, LogLevel::kWarning, "risk accepted before: " + risk);
  if (!policy.accepted_risks.empty() && options.data.empty()) return {};
  HEDGE_TRY(const auto alarms, internal::bundle_alarms(parts, context));
  HEDGE_CHECK(internal::accept(alarms, options.accept_risk, options.base.path.string(), context.log));
  internal::add_risks(alarms, policy.accepted_risks);
  return {};
}

}  // namespace

Result<Bundled> bundle(const BundleOptions& options, const RunContext& context) {
  HEDGE_TRY(auto fitted, read_fitted(options.fitted));
  const auto features = fitted.policy.features;
  HEDGE_TRY(const auto device, open(options.base, features, context));
  HEDGE_TRY(const auto cloud, open(options.global, "", context));
  const auto& [base, global] = std::tie(device.card, cloud.card);
  HEDGE_CHECK(check_base(base));
  HEDGE_CHECK(check_global(global, fitted.policy));
  HEDGE_TRY(auto map, map_classes(base, global, options.strict, context));
  HEDGE_CHECK(check_models({.base = device, .global = cloud, .classes = map, .policy = fitted.policy, .data = options.data}, options,
                           context, fitted.policy));
  HEDGE_TRY(auto base_bytes, read_file(options.base.path));
  edge::BundleParts parts{.created_by = "hedge " HEDGE_VERSION,
                          .base_onnx = std::move(base_bytes),
                          .router_onnx = std::move(fitted.router_onnx),
                          .policy = std::move(fitted.policy),
                          .labels = std::move(map.names),
                          .base = {.preprocess = *base.input.recipe,
                                   .features = features,
                                   .macs = base.macs,
                                   .outputs = base.output.classes,
                                   .columns = std::move(map.base_columns)},
                          .router_macs = fitted.macs,
                          .global = {.name = options.global_name,
                                     .preprocess = *global.input.recipe,
                                     .macs = global.macs,
                                     .sha256 = global.sha256,
                                     .outputs = global.output.classes,
                                     .columns = std::move(map.global_columns)},
                          .classes_by = map.decided == model::Decided::kByName ? edge::ClassesBy::kName : edge::ClassesBy::kPosition,
                          .class_notes = std::move(map.notes)};
  std::vector<std::string> notes;  // said already
  HEDGE_TRY(parts.global.classes, model::names_by_output(model::classes_of(global), "global", notes));
  HEDGE_CHECK(edge::write_bundle(options.out, parts));
  return Bundled{.threshold = parts.policy.chosen.threshold, .classes_by = parts.classes_by, .notes = std::move(parts.class_notes)};
}

}  // namespace hedge::workflow

#include "workflow/bundle.h"

#include <optional>
#include <tuple>
#include <utility>

#include "core/file.h"
#include "hedge/open_model.h"
#include "model/class_map.h"
#include "workflow/handshake.h"
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

edge::ModelForm form_of(const model::ModelCard& card) {
  return {.output = card.output.name,
          .kind = card.output.kind,
          .layout = card.input.layout,
          .least = card.input.least,
          .most = card.input.most};
}

/// As the models' names have it.
Result<model::ClassMap> map_by_names(const model::ModelCard& base, const model::ModelCard& global) {
  return model::map_outputs(model::classes_of(base), model::classes_of(global));
}

model::ClassMap judged_map(const routing::JudgedClasses& judged) {
  return {.names = judged.names,
          .base_columns = judged.base.columns,
          .global_columns = judged.global.columns,
          .decided = judged.by == "name" ? model::Decided::kByName : model::Decided::kByPosition,
          .notes = judged.notes,
          .base_names = judged.base.names,
          .global_names = judged.global.names};
}

/// Names that are given now may say how the classes were matched, not match them otherwise.
Result<model::ClassMap> confirm(model::ClassMap judged, const model::ModelCard& base, const model::ModelCard& global) {
  HEDGE_TRY(auto named, map_by_names(base, global));
  if (named.names == judged.names && named.base_columns == judged.base_columns && named.global_columns == judged.global_columns)
    return named;
  return Error{.code = ErrorCode::kMismatch,
               .what = "these names match the outputs otherwise than they were judged",
               .where = base.path.string(),
               .got = named.names.front() + " first",
               .expected = judged.names.front() + " first, and each class at the output that \"hedge predict\" took it from",
               .hint =
                   "leave --labels, --base-labels and --global-labels out: the bundle has the names that \"hedge predict\" was given; or "
                   "give them to \"hedge predict\" and fit again"};
}

Result<model::ClassMap> map_classes(const BundleOptions& options, const routing::Policy& policy, const model::ModelCard& base,
                                    const model::ModelCard& global, const RunContext& context) {
  model::ClassMap map;
  const bool given = !options.base.labels.empty() || !options.global.labels.empty();
  if (!policy.classes) {  // of before 0.3.0
    HEDGE_TRY(map, map_by_names(base, global));
  } else if (given) {
    HEDGE_TRY(map, confirm(judged_map(*policy.classes), base, global));
  } else {
    map = judged_map(*policy.classes);
  }
  if (options.strict) HEDGE_CHECK(model::check_by_name(map));
  for (const auto& note : map.notes) log(context.log, LogLevel::kInfo, note);
  return map;
}

/// The images by which a server is known that does not say which model it serves. Where the policy's cannot be opened any more the bundle
/// does without, and says so; those that the user names must be there.
Result<std::optional<edge::Handshake>> handshake_of(const BundleOptions& options, const std::string& calibration,
                                                    const data::Preprocess& recipe, const std::vector<HandshakeGlobal>& globals,
                                                    const RunContext& context) {
  const bool given = !options.data.empty();
  auto made = make_handshake(given ? options.data : calibration, recipe, globals);
  if (!made && given) return std::move(made).error();
  if (made && made->handshake) return std::move(made->handshake);
  log(context.log, LogLevel::kWarning,
      "the bundle has no images to know a server by that does not say which model it serves; such a server will be refused: " +
          (made ? made->why_not : made.error().message() + "; name images with --data"));
  return std::optional<edge::Handshake>();
}

edge::GlobalInfo global_info(const BundleOptions& options, const model::ModelCard& card, const model::ClassMap& map) {
  return {.name = options.global_name,
          .preprocess = *card.input.recipe,
          .macs = card.macs,
          .sha256 = card.sha256,
          .classes = map.global_names,
          .outputs = card.output.classes,
          .columns = map.global_columns,
          .form = form_of(card)};
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
  HEDGE_TRY(auto map, map_classes(options, fitted.policy, base, global, context));
  HEDGE_CHECK(check_models({.base = device, .global = cloud, .classes = map, .policy = fitted.policy, .data = options.data}, options,
                           context, fitted.policy));
  HEDGE_TRY(auto base_bytes, read_file(options.base.path));
  edge::BundleParts parts{.created_by = "hedge " HEDGE_VERSION,
                          .base_onnx = std::move(base_bytes),
                          .router_onnx = fitted.router_onnx,
                          .policy = fitted.policy,
                          .labels = map.names,
                          .base = {.preprocess = *base.input.recipe,
                                   .features = features,
                                   .macs = base.macs,
                                   .outputs = base.output.classes,
                                   .columns = map.base_columns,
                                   .form = form_of(base)},
                          .router_macs = fitted.macs,
                          .global = global_info(options, global, map),
                          .classes_by = map.decided == model::Decided::kByName ? edge::ClassesBy::kName : edge::ClassesBy::kPosition,
                          .class_notes = map.notes};
  std::vector<JudgedVersion> versions;
  std::vector<HandshakeGlobal> known = {{.executor = cloud.executor.get(), .sha256 = global.sha256, .columns = map.global_columns}};
  for (const auto& also : options.also) {
    HEDGE_TRY(auto judged, judge_version(also, fitted, map.names, *global.input.recipe, context));
    known.push_back({.executor = judged.model.executor.get(), .sha256 = judged.version.sha256, .columns = judged.version.columns});
    parts.policy.accepted_globals.push_back(judged.figures);
    parts.global.also.push_back(judged.version);
    versions.push_back(std::move(judged));
  }
  HEDGE_TRY(parts.handshake, handshake_of(options, parts.policy.calibration_dataset, *global.input.recipe, known, context));
  HEDGE_CHECK(edge::write_bundle(options.out, parts));
  return Bundled{.threshold = parts.policy.chosen.threshold,
                 .classes_by = parts.classes_by,
                 .notes = std::move(parts.class_notes),
                 .handshake = parts.handshake ? parts.handshake->images.size() : 0,
                 .accepted = std::move(parts.policy.accepted_globals)};
}

}  // namespace hedge::workflow

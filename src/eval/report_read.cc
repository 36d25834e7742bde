// The report's file back as the typed report (docs/formats/report_json.md); report_json.cc writes it.
#include <algorithm>

#include "core/base64.h"
#include "eval/baselines_json.h"
#include "eval/internal/report_fields.h"
#include "eval/report_json.h"
#include "routing/policy_parts.h"

namespace hedge::eval {
namespace {

/// Reads a list of objects with `read`.
template <typename T, typename Read>
Status read_list(const Fields& fields, const char* key, std::vector<T>& list, Read read) {
  HEDGE_TRY(const auto objects, fields.objects(key));
  for (const auto& object : objects) {
    HEDGE_TRY(T one, read(object));
    list.push_back(std::move(one));
  }
  return {};
}

Result<Interval> read_interval(const Fields& fields) { return fields.as_interval(); }

Result<ModelSummary> read_model(const Fields& fields) {
  ModelSummary model;
  HEDGE_CHECK(fields.take("name", model.name));
  HEDGE_CHECK(fields.need("macs", model.macs));
  HEDGE_CHECK(fields.take("parameters", model.parameters));
  HEDGE_TRY(model.accuracy, fields.interval("accuracy"));
  return model;
}

/// What is missing is that of the report's own models, as in files from before methods had models of their own.
Result<MethodSummary> read_method(const Fields& fields, const EvaluationReport& report) {
  MethodSummary method{.base_macs = report.base.macs,
                       .global_macs = report.global.macs,
                       .base_accuracy = report.base.accuracy.value,
                       .global_accuracy = report.global.accuracy.value};
  HEDGE_CHECK(fields.need("name", method.name));
  if (fields.has("kind")) {
    HEDGE_TRY(method.kind, fields.named("kind", method_kind));
  }
  HEDGE_CHECK(fields.take("router", method.router));
  HEDGE_CHECK(fields.take("protocol", method.protocol));
  HEDGE_CHECK(fields.take("seeds", method.seeds));
  HEDGE_CHECK(fields.take("router_macs", method.router_macs));
  HEDGE_CHECK(fields.take("base_macs", method.base_macs));
  HEDGE_CHECK(fields.take("global_macs", method.global_macs));
  HEDGE_CHECK(fields.take("base_accuracy", method.base_accuracy));
  HEDGE_CHECK(fields.take("global_accuracy", method.global_accuracy));
  HEDGE_CHECK(fields.take_interval("answer_gain", method.answer_gain));
  return method;
}

/// A row's members that are objects are methods.
Result<CurveRow> read_curve_row(const Fields& fields) {
  CurveRow row;
  HEDGE_CHECK(fields.need("coverage", row.coverage));
  HEDGE_CHECK(fields.take("macs", row.macs));
  for (const auto& [key, value] : fields.json().items()) {
    if (!value.is_object()) continue;
    const Fields point(value, fields.where() + ": " + key);
    MethodPoint method{.method = key};
    HEDGE_TRY(method.accuracy, point.as_interval());
    HEDGE_CHECK(point.take("sd", method.sd));
    HEDGE_CHECK(point.take("macs", method.macs));
    row.methods.push_back(std::move(method));
  }
  return row;
}

Result<AreaRow> read_area(const Fields& fields) {
  AreaRow row;
  HEDGE_CHECK(fields.need("method", row.method));
  HEDGE_TRY(row.area, fields.as_interval());
  HEDGE_CHECK(fields.take_interval("to_entropy", row.to_entropy));
  HEDGE_CHECK(fields.take_interval("to_margin", row.to_margin));
  HEDGE_CHECK(fields.take_interval("gap_closed_percent", row.gap_closed_percent));
  HEDGE_CHECK(fields.take("gap_closed_sd", row.gap_closed_sd));
  return row;
}

Result<PairedRow> read_paired_row(const Fields& fields) {
  PairedRow row;
  HEDGE_CHECK(fields.need("a", row.a));
  HEDGE_CHECK(fields.need("b", row.b));
  HEDGE_TRY(row.area, fields.interval("area"));
  HEDGE_CHECK(read_list(fields, "at", row.at, read_interval));
  if (row.at.size() != kPairedCoverages.size()) return fields.misfit("at", std::to_string(kPairedCoverages.size()) + " intervals");
  return row;
}

Result<ClassRow> read_class_row(const Fields& fields) {
  ClassRow row;
  HEDGE_CHECK(fields.need("class", row.index));
  HEDGE_CHECK(fields.take("pictures", row.images));
  HEDGE_CHECK(fields.take("base", row.base));
  HEDGE_CHECK(fields.take("global", row.global));
  HEDGE_CHECK(fields.take("hybrid", row.hybrid));
  HEDGE_CHECK(fields.take("coverage", row.coverage));
  HEDGE_CHECK(fields.take("helped", row.helped));
  HEDGE_CHECK(fields.take("hurt", row.hurt));
  HEDGE_CHECK(fields.take_interval("over_base", row.over_base));
  return row;
}

Result<PerClass> read_per_class(const Fields& fields) {
  PerClass classes;
  HEDGE_CHECK(fields.take("method", classes.method));
  HEDGE_CHECK(fields.take("coverage", classes.coverage));
  HEDGE_CHECK(fields.take("threshold", classes.threshold));
  if (fields.has("balanced")) {
    HEDGE_TRY(const auto balanced, fields.object("balanced"));
    HEDGE_CHECK(balanced.take_interval("base", classes.balanced.base));
    HEDGE_CHECK(balanced.take_interval("global", classes.balanced.global));
    HEDGE_CHECK(balanced.take_interval("hybrid", classes.balanced.hybrid));
    HEDGE_CHECK(balanced.take_interval("hybrid_over_base", classes.balanced.hybrid_over_base));
    HEDGE_CHECK(balanced.take_interval("hybrid_over_global", classes.balanced.hybrid_over_global));
  }
  HEDGE_CHECK(read_list(fields, "rows", classes.rows, read_class_row));
  return classes;
}

Result<AbstentionRow> read_abstention_row(const Fields& fields) {
  AbstentionRow row;
  HEDGE_CHECK(fields.need("method", row.method));
  HEDGE_CHECK(read_list(fields, "at", row.at, read_interval));
  HEDGE_CHECK(fields.take_interval("aurc", row.aurc));
  HEDGE_CHECK(fields.take_interval("e_aurc", row.e_aurc));
  HEDGE_CHECK(fields.take_interval("e_aurc_to_entropy", row.e_aurc_to_first));
  return row;
}

Result<Abstention> read_abstention(const Fields& fields) {
  Abstention abstention;
  HEDGE_CHECK(fields.take("coverages", abstention.coverages));
  HEDGE_CHECK(read_list(fields, "methods", abstention.rows, read_abstention_row));
  for (const auto& row : abstention.rows)
    if (row.at.size() != abstention.coverages.size()) return fields.misfit("methods", "an interval a coverage");
  abstention.risk.resize(abstention.rows.size());
  HEDGE_TRY(const auto curve, fields.objects("curve"));
  for (const auto& row : curve) {
    HEDGE_TRY(const double coverage, row.get<double>("coverage"));
    abstention.grid.push_back(coverage);
    for (std::size_t m = 0; m < abstention.rows.size(); ++m) {
      HEDGE_TRY(const double risk, row.get<double>(abstention.rows[m].method.c_str()));
      abstention.risk[m].push_back(risk);
    }
  }
  return abstention;
}

Result<FusionReport> read_fusion(const Fields& fields) {
  FusionReport report;
  HEDGE_TRY(report.fusion, routing::fusion_from_json(fields.json(), fields.where()));
  HEDGE_CHECK(fields.take_interval("test_gain", report.test_gain));
  return report;
}

Result<Explorer> read_explorer(const Fields& fields) {
  Explorer explorer;
  HEDGE_CHECK(fields.take("method", explorer.method));
  HEDGE_CHECK(fields.take("fused", explorer.fused));
  HEDGE_CHECK(fields.take("pictures", explorer.images));
  HEDGE_CHECK(fields.take("rows", explorer.rows));
  HEDGE_CHECK(fields.need("scores", explorer.scores));
  HEDGE_CHECK(fields.need("labels", explorer.labels));
  HEDGE_CHECK(fields.need("base", explorer.base));
  HEDGE_CHECK(fields.need("global", explorer.global));
  for (const auto* column : {&explorer.labels, &explorer.base, &explorer.global})
    if (column->size() != explorer.scores.size()) return fields.misfit("scores", "columns of one length");
  return explorer;
}

Result<routing::PromiseKind> promise_kind(const std::string& name) {
  for (const auto kind : {routing::PromiseKind::kCoverage, routing::PromiseKind::kAccuracy, routing::PromiseKind::kRisk})
    if (name == routing::to_string(kind)) return kind;
  return Error{
      .code = ErrorCode::kBadFormat, .what = "no such promise", .got = name.substr(0, 60), .expected = "coverage, accuracy or risk"};
}

Result<PromiseReport> read_promise(const Fields& fields) {
  PromiseReport report;
  HEDGE_TRY(report.promise.kind, fields.named("kind", promise_kind));
  HEDGE_CHECK(fields.need("target", report.promise.target));
  HEDGE_CHECK(fields.need("delta", report.promise.delta));
  HEDGE_CHECK(fields.take("pictures", report.images));
  HEDGE_CHECK(fields.take("bound", report.bound));
  HEDGE_TRY(const auto exact, fields.object("exact"));
  HEDGE_CHECK(exact.need("threshold", report.exact_threshold));
  HEDGE_CHECK(exact.need("coverage", report.exact_coverage));
  HEDGE_CHECK(exact.need("accuracy", report.exact_accuracy));
  HEDGE_CHECK(fields.take("accuracy_given_up", report.accuracy_given_up));
  HEDGE_CHECK(fields.take("coverage_given_up", report.coverage_given_up));
  HEDGE_CHECK(fields.take("measured", report.measured));
  HEDGE_CHECK(fields.take("kept", report.kept));
  return report;
}

Result<OperatingReport> read_operating_point(const Fields& fields) {
  OperatingReport point;
  HEDGE_CHECK(fields.take("method", point.method));
  HEDGE_CHECK(fields.take("target_coverage", point.target_coverage));
  HEDGE_CHECK(fields.need("threshold", point.threshold));
  HEDGE_TRY(point.coverage, fields.interval("coverage"));
  HEDGE_TRY(point.accuracy, fields.interval("accuracy"));
  HEDGE_CHECK(fields.take_interval("risk_on_covered", point.risk_on_covered));
  HEDGE_CHECK(fields.take_interval("predicted_coverage", point.predicted_coverage));
  HEDGE_CHECK(fields.take_interval("predicted_accuracy", point.predicted_accuracy));
  HEDGE_CHECK(fields.take("inside", point.inside));
  if (fields.has("promise")) {
    HEDGE_TRY(const auto promise, fields.object("promise"));
    HEDGE_TRY(point.promise, read_promise(promise));
  }
  return point;
}

Result<ReliabilityBin> read_bin(const Fields& fields) {
  ReliabilityBin bin;
  HEDGE_CHECK(fields.need("confidence", bin.confidence));
  HEDGE_CHECK(fields.need("accuracy", bin.accuracy));
  HEDGE_CHECK(fields.need("count", bin.count));
  return bin;
}

Status read_reliability(const Fields& fields, const char* model, Reliability& reliability) {
  if (!fields.has(model)) return {};
  HEDGE_TRY(const auto one, fields.object(model));
  HEDGE_CHECK(one.take("ece", reliability.ece));
  return read_list(one, "bins", reliability.bins, read_bin);
}

Result<ReportImage> read_image(const Fields& fields) {
  ReportImage image{.jpeg = fields.has("jpeg")};
  HEDGE_TRY(const auto text, fields.get<std::string>(image.jpeg ? "jpeg" : "png"));
  HEDGE_TRY(image.bytes, parse_base64(text, fields.where()));
  HEDGE_CHECK(fields.take("row", image.row));
  HEDGE_CHECK(fields.take("id", image.id));
  HEDGE_CHECK(fields.take("label", image.label));
  HEDGE_CHECK(fields.take("base", image.base));
  HEDGE_CHECK(fields.take("base_confidence", image.base_confidence));
  HEDGE_CHECK(fields.take("score", image.score));
  HEDGE_CHECK(fields.take("global", image.global));
  HEDGE_CHECK(fields.take("helped", image.helped));
  return image;
}

/// A report with queried images alone is from before the explorer had some.
Status read_gallery(const Fields& fields, std::optional<Gallery>& gallery) {
  Gallery images;
  HEDGE_CHECK(read_list(fields, "pictures_queried", images.queried, read_image));
  HEDGE_CHECK(read_list(fields, "explorer_pictures", images.spread, read_image));
  if (fields.has("explorer_pictures") || !images.queried.empty()) gallery = std::move(images);
  return {};
}

Result<MostAnswered> read_most_answered(const Fields& fields) {
  MostAnswered most;
  HEDGE_CHECK(fields.need("class", most.name));
  HEDGE_CHECK(fields.need("share", most.share));
  HEDGE_CHECK(fields.need("label_share", most.label_share));
  return most;
}

Result<AnswerCounts> read_answers(const Fields& fields) {
  AnswerCounts counts;
  HEDGE_TRY(const auto base, fields.object("base"));
  HEDGE_TRY(counts.base, read_most_answered(base));
  if (fields.has("global")) {
    HEDGE_TRY(const auto global, fields.object("global"));
    HEDGE_TRY(counts.global, read_most_answered(global));
  }
  HEDGE_CHECK(fields.need("classes", counts.classes));
  HEDGE_CHECK(fields.need("tiny_classes", counts.tiny_classes));
  HEDGE_TRY(const auto smallest, fields.object("smallest"));
  HEDGE_CHECK(smallest.need("class", counts.smallest));
  HEDGE_CHECK(smallest.need("pictures", counts.smallest_images));
  HEDGE_TRY(const auto largest, fields.object("largest"));
  HEDGE_CHECK(largest.need("class", counts.largest));
  HEDGE_CHECK(largest.need("pictures", counts.largest_images));
  return counts;
}

Result<CopyReport> read_copies(const Fields& fields) {
  CopyReport copies;
  HEDGE_CHECK(fields.need("pictures", copies.images));
  HEDGE_CHECK(fields.need("in_train", copies.in_train));
  HEDGE_CHECK(fields.need("in_calibration", copies.in_calibration));
  HEDGE_TRY(const auto without, fields.object("without"));
  for (auto [key, interval] : {std::pair{"base", &copies.base}, {"global", &copies.global}, {"hybrid", &copies.hybrid}}) {
    HEDGE_TRY(const auto object, without.object(key));
    if (!object.has("value")) continue;
    HEDGE_TRY(*interval, object.as_interval());
  }
  return copies;
}

Result<routing::Price> read_price(const Fields& fields) {
  routing::Price price;
  HEDGE_CHECK(fields.need("per_query", price.per_query));
  HEDGE_CHECK(fields.take("currency", price.currency));
  return price;
}

/// Sets an optional section with `read`.
template <typename T, typename Read>
Status read_section(const Fields& fields, const char* key, std::optional<T>& section, Read read) {
  if (!fields.has(key)) return {};
  HEDGE_TRY(const auto object, fields.object(key));
  HEDGE_TRY(section, read(object));
  return {};
}

Status read_head(const Fields& fields, EvaluationReport& report) {
  HEDGE_CHECK(fields.take("title", report.title));
  HEDGE_CHECK(fields.take("dataset", report.dataset));
  HEDGE_CHECK(fields.take("split", report.split));
  HEDGE_CHECK(fields.take("pictures", report.images));
  HEDGE_CHECK(fields.take("classes", report.classes));
  HEDGE_CHECK(fields.take("executor", report.executor));
  HEDGE_TRY(const auto base, fields.object("base"));
  HEDGE_TRY(report.base, read_model(base));
  report.has_global = fields.has("global");
  if (report.has_global) {
    HEDGE_TRY(const auto global, fields.object("global"));
    HEDGE_TRY(report.global, read_model(global));
  }
  if (fields.has("router")) {
    HEDGE_TRY(const auto router, fields.object("router"));
    HEDGE_CHECK(router.take("name", report.router_name));
    HEDGE_CHECK(router.take("macs", report.router_macs));
  }
  report.default_method = "hybrid";  // in files from before it could be another
  HEDGE_CHECK(fields.take("default_method", report.default_method));
  HEDGE_CHECK(fields.take("seeds", report.seeds));
  HEDGE_CHECK(fields.take("groups", report.groups));
  HEDGE_CHECK(fields.take("notes", report.notes));
  return fields.take("verdict", report.verdict);
}

Status read_figures(const Fields& fields, EvaluationReport& report) {
  HEDGE_CHECK(read_list(fields, "methods", report.methods, [&](const Fields& row) { return read_method(row, report); }));
  HEDGE_CHECK(read_list(fields, "curve", report.curve, read_curve_row));
  HEDGE_CHECK(read_list(fields, "areas", report.areas, read_area));
  if (fields.has("paired")) {
    HEDGE_TRY(const auto paired, fields.object("paired"));
    HEDGE_CHECK(read_list(paired, "rows", report.paired, read_paired_row));
  }
  if (fields.has("abstention")) {
    HEDGE_TRY(const auto abstention, fields.object("abstention"));
    HEDGE_TRY(report.abstention, read_abstention(abstention));
  }
  if (!fields.has("reliability")) return {};
  HEDGE_TRY(const auto reliability, fields.object("reliability"));
  HEDGE_CHECK(read_reliability(reliability, "base", report.base_reliability));
  return read_reliability(reliability, "global", report.global_reliability);
}

}  // namespace

Result<EvaluationReport> report_from_json(const Json& json, std::string_view where) {
  const Fields fields(json, where);
  HEDGE_CHECK(fields.check_schema(kReportFileSchema));
  EvaluationReport report;
  HEDGE_CHECK(read_head(fields, report));
  HEDGE_CHECK(read_figures(fields, report));
  HEDGE_CHECK(read_section(fields, "per_class", report.per_class, read_per_class));
  HEDGE_CHECK(read_section(fields, "fusion", report.fusion, read_fusion));
  HEDGE_CHECK(read_section(fields, "choice", report.choice,
                           [](const Fields& choice) { return routing::choice_from_json(choice.json(), choice.where()); }));
  HEDGE_CHECK(read_section(fields, "explorer", report.explorer, read_explorer));
  HEDGE_CHECK(read_section(fields, "operating_point", report.operating_point, read_operating_point));
  HEDGE_CHECK(read_section(fields, "baselines", report.baselines,
                           [](const Fields& baselines) { return baselines_from_json(baselines.json(), baselines.where()); }));
  HEDGE_CHECK(read_section(fields, "answers", report.answers, read_answers));
  HEDGE_CHECK(read_section(fields, "copies", report.copies, read_copies));
  HEDGE_CHECK(read_section(fields, "price", report.price, read_price));
  HEDGE_CHECK(read_gallery(fields, report.gallery));
  return report;
}

Result<EvaluationReport> read_report(const std::filesystem::path& path) {
  HEDGE_TRY(const auto json, read_json(path));
  return report_from_json(json, path.string());
}

}  // namespace hedge::eval

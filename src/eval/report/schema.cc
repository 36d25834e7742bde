#include <array>
#include <string>
#include <string_view>

#include "eval/report/html.h"
#include "eval/report/internal/schema.h"

namespace hedge::eval {
namespace {

enum class Kind {
  kNumber,
  kText,
  kFlag,
  kObject,
  kArray,
  kInterval,  ///< an object whose value, low, high and sd are numbers
  kName,      ///< text, or the number of a class
};

struct Field {
  std::string_view path;  ///< keys joined with dots; [] stands for every element
  Kind kind;
};

constexpr auto kFields = std::to_array<Field>({
    {"title", Kind::kText},
    {"dataset", Kind::kText},
    {"split", Kind::kText},
    {"executor", Kind::kText},
    {"verdict", Kind::kText},
    {"pictures", Kind::kNumber},
    {"seeds", Kind::kNumber},
    {"classes", Kind::kArray},
    {"classes[]", Kind::kName},
    {"notes", Kind::kArray},
    {"notes[]", Kind::kText},
    {"base", Kind::kObject},
    {"base.name", Kind::kText},
    {"base.macs", Kind::kNumber},
    {"base.parameters", Kind::kNumber},
    {"base.accuracy", Kind::kInterval},
    {"global", Kind::kObject},
    {"global.name", Kind::kText},
    {"global.macs", Kind::kNumber},
    {"global.parameters", Kind::kNumber},
    {"global.accuracy", Kind::kInterval},
    {"router", Kind::kObject},
    {"router.name", Kind::kText},
    {"router.macs", Kind::kNumber},
    {"curve", Kind::kArray},
    {"curve[]", Kind::kObject},
    {"curve[].coverage", Kind::kNumber},
    {"curve[].macs", Kind::kNumber},
    {"curve[].hybrid", Kind::kInterval},
    {"curve[].poster_router", Kind::kInterval},
    {"curve[].entropy", Kind::kInterval},
    {"curve[].margin", Kind::kInterval},
    {"curve[].max_probability", Kind::kInterval},
    {"curve[].upper_bound", Kind::kInterval},
    {"areas", Kind::kArray},
    {"areas[]", Kind::kInterval},
    {"areas[].method", Kind::kText},
    {"areas[].to_entropy", Kind::kInterval},
    {"areas[].to_margin", Kind::kInterval},
    {"areas[].gap_closed_percent", Kind::kInterval},
    {"area_difference_to_entropy", Kind::kInterval},
    {"operating_point", Kind::kObject},
    {"operating_point.target_coverage", Kind::kNumber},
    {"operating_point.threshold", Kind::kNumber},
    {"operating_point.coverage", Kind::kInterval},
    {"operating_point.accuracy", Kind::kInterval},
    {"operating_point.predicted_coverage", Kind::kInterval},
    {"operating_point.predicted_accuracy", Kind::kInterval},
    {"operating_point.inside", Kind::kFlag},
    {"reliability", Kind::kObject},
    {"reliability.base", Kind::kObject},
    {"reliability.base.ece", Kind::kNumber},
    {"reliability.base.bins", Kind::kArray},
    {"reliability.base.bins[]", Kind::kObject},
    {"reliability.base.bins[].confidence", Kind::kNumber},
    {"reliability.base.bins[].accuracy", Kind::kNumber},
    {"reliability.base.bins[].count", Kind::kNumber},
    {"reliability.global", Kind::kObject},
    {"reliability.global.ece", Kind::kNumber},
    {"reliability.global.bins", Kind::kArray},
    {"reliability.global.bins[]", Kind::kObject},
    {"reliability.global.bins[].confidence", Kind::kNumber},
    {"reliability.global.bins[].accuracy", Kind::kNumber},
    {"reliability.global.bins[].count", Kind::kNumber},
    {"pictures_queried", Kind::kArray},
    {"pictures_queried[]", Kind::kObject},
    {"pictures_queried[].png", Kind::kText},
    {"pictures_queried[].id", Kind::kName},
    {"pictures_queried[].label", Kind::kName},
    {"pictures_queried[].base", Kind::kName},
    {"pictures_queried[].global", Kind::kName},
    {"pictures_queried[].base_confidence", Kind::kNumber},
    {"pictures_queried[].score", Kind::kNumber},
    {"pictures_queried[].helped", Kind::kFlag},
    {"live", Kind::kObject},
    {"live.coverage", Kind::kNumber},
    {"live.accuracy", Kind::kNumber},
    {"live.answered", Kind::kNumber},
    {"live.total", Kind::kNumber},
    {"live.edge", Kind::kNumber},
    {"live.cloud", Kind::kNumber},
    {"live.fallback", Kind::kNumber},
    {"live.p50_ms", Kind::kNumber},
    {"live.p99_ms", Kind::kNumber},
    {"live.agreement_with_table", Kind::kNumber},
});

Error bad(std::string what, std::string where, const Json* got, std::string expected) {
  std::string shown = got ? got->dump(-1, ' ', true, Json::error_handler_t::replace) : std::string();
  if (shown.size() > 60) shown = shown.substr(0, 57) + "...";
  return Error{.code = ErrorCode::kBadFormat,
               .what = std::move(what),
               .where = "report: " + std::move(where),
               .got = std::move(shown),
               .expected = std::move(expected),
               .hint = "make the report again with `hedge eval`"};
}

const char* expected_of(Kind kind) {
  switch (kind) {
    case Kind::kNumber: return "a number";
    case Kind::kText: return "text";
    case Kind::kFlag: return "true or false";
    case Kind::kObject: return "an object";
    case Kind::kArray: return "an array";
    case Kind::kInterval: return "an object with the numbers value, low and high";
    case Kind::kName: return "text or a number";
  }
  return "";
}

/// The first of value, low, high, sd that is there and no number; nullptr where all fit.
const char* misfit_of_interval(const Json& value) {
  for (const char* key : {"value", "low", "high", "sd"}) {
    const auto part = value.find(key);
    if (part != value.end() && !part->is_null() && !part->is_number()) return key;
  }
  return nullptr;
}

Status check_kind(const Json& value, Kind kind, const std::string& where) {
  bool fits = false;
  switch (kind) {
    case Kind::kNumber: fits = value.is_number(); break;
    case Kind::kText: fits = value.is_string(); break;
    case Kind::kFlag: fits = value.is_boolean(); break;
    case Kind::kArray: fits = value.is_array(); break;
    case Kind::kObject:
    case Kind::kInterval: fits = value.is_object(); break;
    case Kind::kName: fits = value.is_string() || value.is_number(); break;
  }
  if (!fits) return bad("the field has another type", where, &value, expected_of(kind));
  if (kind == Kind::kInterval) {
    if (const char* key = misfit_of_interval(value))
      return bad("the field has another type", where + "." + key, &value.at(key), "a number");
  }
  return {};
}

/// `value` stands at `path` (with [] for an index), which errors call `where` (with the index). Recurses three levels deep at most,
/// because it descends only along the paths of kFields.
Status check_value(const Json& value, const std::string& path, const std::string& where) {
  if (value.is_null()) return {};
  bool known = path.empty();
  for (const Field& field : kFields) {
    if (field.path != path) continue;
    known = true;
    HEDGE_CHECK(check_kind(value, field.kind, where));
  }
  if (!known) return {};
  if (value.is_object()) {
    for (const auto& [key, inner] : value.items()) {
      const std::string prefix = path.empty() ? "" : path + ".";
      HEDGE_CHECK(check_value(inner, prefix + key, where.empty() ? key : where + "." + key));
    }
  } else if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i) HEDGE_CHECK(check_value(value[i], path + "[]", where + "[" + std::to_string(i) + "]"));
  }
  return {};
}

Status check_schema(const Json& report) {
  if (!report.is_object()) return bad("this is no report", "(whole file)", &report, "a JSON object");
  const auto schema = report.find("schema");
  if (schema == report.end()) return bad("the field is missing", "schema", nullptr, std::to_string(kReportSchema));
  if (!schema->is_number_integer() || *schema < 1)
    return bad("this is no schema version", "schema", &*schema, std::to_string(kReportSchema));
  if (*schema > kReportSchema) {
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "this report is of a newer version",
                 .where = "report: schema",
                 .got = schema->dump(),
                 .expected = "at most " + std::to_string(kReportSchema),
                 .hint = "render it with the version of hedge that made it, or a newer one"};
  }
  return {};
}

}  // namespace

Status check_report(const Json& report) {
  HEDGE_CHECK(check_schema(report));
  return check_value(report, "", "");
}

}  // namespace hedge::eval

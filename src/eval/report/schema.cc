#include <string>
#include <string_view>

#include "eval/report/html.h"
#include "eval/report/internal/fields.h"
#include "eval/report/internal/schema.h"

namespace hedge::eval {
namespace {

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

/// The explorer's columns are of one length and its scores ascend: the page counts along them.
Status check_explorer(const Json& report) {
  const auto explorer = report.find("explorer");
  if (explorer == report.end() || explorer->is_null()) return {};
  const auto column = [&](const char* key) { return explorer->find(key); };
  const auto scores = column("scores");
  if (scores == explorer->end() || !scores->is_array()) return bad("the explorer has no scores", "explorer.scores", nullptr, "an array");
  for (const char* key : {"labels", "base", "global"}) {
    const auto found = column(key);
    const Json length = found != explorer->end() && found->is_array() ? Json(found->size()) : Json();
    if (length != Json(scores->size()))
      return bad("the explorer's columns differ in length", std::string("explorer.") + key, &length, std::to_string(scores->size()));
  }
  for (std::size_t i = 0; i < scores->size(); ++i) {
    const Json& score = scores->at(i);
    const bool descends =
        i > 0 && scores->at(i - 1).is_number() && score.is_number() && score.get<double>() < scores->at(i - 1).get<double>();
    if (!score.is_number() || descends)
      return bad("the explorer's scores do not ascend", "explorer.scores[" + std::to_string(i) + "]", &score, "ascending numbers");
  }
  return {};
}

}  // namespace

Status check_report(const Json& report) {
  HEDGE_CHECK(check_schema(report));
  HEDGE_CHECK(check_value(report, "", ""));
  return check_explorer(report);
}

}  // namespace hedge::eval

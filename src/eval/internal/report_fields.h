#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/json.h"
#include "eval/statistics.h"
#include "hedge/result.h"

namespace hedge::eval {

/// The fields of one JSON object, read with their types checked. `json` is borrowed; `where` names it in errors ("report.json: curve[3]").
/// Errors of all: kBadFormat, with the field and `where`.
class Fields {
 public:
  Fields(const Json& json, std::string_view where) : json_(&json), where_(where) {}

  [[nodiscard]] const Json& json() const { return *json_; }
  [[nodiscard]] const std::string& where() const { return where_; }
  [[nodiscard]] bool is_object() const { return json_->is_object(); }
  /// Whether the field is there and not null.
  [[nodiscard]] bool has(const char* key) const { return is_object() && json_->contains(key) && !json_->at(key).is_null(); }

  template <typename T>
  [[nodiscard]] Result<T> get(const char* key) const {
    return get_field<T>(*json_, key, where_);
  }
  /// Sets `value`; the field must be there.
  template <typename T>
  Status need(const char* key, T& value) const {
    HEDGE_TRY(value, get<T>(key));
    return {};
  }
  /// Sets `value` where the field is there and not null.
  template <typename T>
  Status take(const char* key, T& value) const {
    if (!has(key)) return {};
    return need(key, value);
  }
  template <typename T>
  Status take(const char* key, std::optional<T>& value) const {
    if (!has(key)) return {};
    HEDGE_TRY(value, get<T>(key));
    return {};
  }
  /// A field whose text is a name that `parse` knows.
  template <typename Parse>
  [[nodiscard]] auto named(const char* key, Parse parse) const -> decltype(parse(std::string())) {
    HEDGE_TRY(const auto name, get<std::string>(key));
    auto parsed = parse(name);
    if (parsed) return parsed;
    Error error = parsed.error();
    error.code = ErrorCode::kBadFormat;
    error.where = where_ + ": " + key;
    return error;
  }
  [[nodiscard]] Result<Interval> interval(const char* key) const {
    HEDGE_TRY(const auto fields, object(key));
    return fields.as_interval();
  }
  /// The object itself as an interval.
  [[nodiscard]] Result<Interval> as_interval() const {
    Interval interval;
    HEDGE_CHECK(need("value", interval.value));
    HEDGE_CHECK(need("low", interval.low));
    HEDGE_CHECK(need("high", interval.high));
    return interval;
  }
  /// Sets `value` where the field is there, not null, and its value is not null either.
  Status take_interval(const char* key, Interval& value) const {
    if (!has(key)) return {};
    HEDGE_TRY(value, interval(key));
    return {};
  }
  Status take_interval(const char* key, std::optional<Interval>& value) const {
    if (!has(key) || !Fields(json_->at(key), where_).has("value")) return {};
    HEDGE_TRY(value, interval(key));
    return {};
  }
  /// A field that is an object.
  [[nodiscard]] Result<Fields> object(const char* key) const {
    if (has(key) && json_->at(key).is_object()) return Fields(json_->at(key), where_ + ": " + key);
    return misfit(key, "an object");
  }
  /// A field that is an array of objects; none where it is missing or null.
  [[nodiscard]] Result<std::vector<Fields>> objects(const char* key) const {
    std::vector<Fields> list;
    if (!has(key)) return list;
    const Json& array = json_->at(key);
    if (!array.is_array()) return misfit(key, "an array");
    for (std::size_t i = 0; i < array.size(); ++i) {
      list.emplace_back(array[i], where_ + ": " + key + "[" + std::to_string(i) + "]");
      if (!array[i].is_object()) return list.back().misfit("", "an object");
    }
    return list;
  }
  /// The object is of schema 1 to `newest`. Errors: also kUnsupported.
  [[nodiscard]] Status check_schema(int newest) const {
    HEDGE_TRY(const auto schema, get<std::int64_t>("schema"));
    if (schema >= 1 && schema <= newest) return {};
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "the file is of another version",
                 .where = where_,
                 .got = std::to_string(schema),
                 .expected = "at most " + std::to_string(newest)};
  }
  [[nodiscard]] Error misfit(std::string key, std::string expected) const {
    return Error{.code = ErrorCode::kBadFormat,
                 .what = key.empty() ? "this is of another type" : "the field \"" + key + "\" is missing or of another type",
                 .where = where_,
                 .expected = std::move(expected)};
  }

 private:
  const Json* json_;
  std::string where_;
};

}  // namespace hedge::eval

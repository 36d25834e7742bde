#include "workflow/internal/given_ids.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>
#include <unordered_set>

#include "data/array.h"

namespace hedge::workflow::internal {
namespace {

constexpr const char* kIdNames[] = {"id", "ids", "image_id", "image", "path", "file", "filename"};

using RowOf = std::unordered_map<std::string_view, std::size_t>;

RowOf rows_by_id(const Ids& ids) {
  RowOf rows;
  for (std::size_t i = 0; i < ids.of_row.size(); ++i) rows.emplace(ids.of_row[i], i);
  return rows;
}

/// The source of ids beside one of the sources; empty: there is none.
Result<std::string> find_ids(const std::vector<std::string>& sources) {
  for (const auto& source : sources) {
    if (source.empty()) continue;
    const auto file = data::split_source(source).file;
    HEDGE_TRY(const auto names, data::array_names(file));
    for (const char* name : kIdNames)
      if (std::find(names.begin(), names.end(), name) != names.end()) return file + ":" + name;
  }
  return std::string();
}

Status check_ids(const Ids& ids) {
  std::unordered_set<std::string_view> seen;
  for (std::size_t i = 0; i < ids.of_row.size(); ++i) {
    const auto& id = ids.of_row[i];
    if (!id.empty() && seen.insert(id).second) continue;
    return Error{.code = ErrorCode::kBadData,
                 .what = id.empty() ? "an id is empty" : "an id stands twice",
                 .where = ids.where + ", row " + std::to_string(i),
                 .got = id.substr(0, 80),
                 .expected = "each image once",
                 .hint = id.empty() ? "" : "remove the repeated row"};
  }
  return {};
}

Result<std::vector<std::string>> texts_of(const data::Array& array) {
  if (array.shape.size() == 1 && !array.texts.empty()) return array.texts;
  if (array.shape.size() != 1 || array.numbers.dtype() != DType::kI64)
    return Error{.code = ErrorCode::kMismatch,
                 .what = "ids are neither texts nor whole numbers, one a row",
                 .where = array.where,
                 .got = to_string(array.numbers.dtype()) + to_string(array.shape),
                 .expected = "[images]"};
  std::vector<std::string> texts;
  for (const auto number : array.numbers.data<std::int64_t>()) texts.push_back(std::to_string(number));
  return texts;
}

Error not_matched(const Part& lacking, const Part& having, const std::string& id, std::size_t missing) {
  return {.code = ErrorCode::kMismatch,
          .what = std::to_string(missing) + " of the " + std::to_string(having.rows) + " images of the " + having.name +
                  " are not among the " + lacking.name,
          .where = lacking.ids->where,
          .got = "no \"" + id.substr(0, 80) + "\" (" + having.ids->where + ")",
          .expected = "the same ids",
          .hint = "--common keeps the images that all have"};
}

/// Every id of `having` is one of `lacking`.
Status check_all_there(const Part& lacking, const RowOf& rows, const Part& having) {
  std::size_t missing = 0;
  const std::string* first = nullptr;
  for (const auto& id : having.ids->of_row)
    if (!rows.contains(id) && missing++ == 0) first = &id;
  if (missing == 0) return {};
  return not_matched(lacking, having, *first, missing);
}

Status check_same_length(const std::vector<Part>& parts) {
  for (const auto& part : parts)
    if (part.rows != parts[0].rows)
      return Error{.code = ErrorCode::kMismatch,
                   .what = "the " + part.name + " have another number of rows than the " + parts[0].name,
                   .got = std::to_string(part.rows),
                   .expected = std::to_string(parts[0].rows),
                   .hint = "give ids (--ids, --base-ids, --global-ids) where the files hold other images"};
  return {};
}

Error some_have_ids(const std::vector<Part>& parts) {
  std::string with, without;
  for (const auto& part : parts) {
    auto& list = part.ids ? with : without;
    list += (list.empty() ? "" : ", ") + part.name + (part.ids ? " (" + part.ids->where + ")" : "");
  }
  return {.code = ErrorCode::kMismatch,
          .what = "some parts have ids and others do not, so their rows cannot be matched",
          .got = "ids of " + with + "; none of " + without,
          .expected = "ids of all, or of none",
          .hint = "give --ids, --base-ids and --global-ids; \"none\" says that all files are in one order"};
}

}  // namespace

Result<std::optional<Ids>> read_ids(const std::string& given, const std::vector<std::string>& sources) {
  if (given == "none") return std::optional<Ids>();
  std::string source = given;
  if (source.empty()) {
    HEDGE_TRY(source, find_ids(sources));
  }
  if (source.empty()) return std::optional<Ids>();
  HEDGE_TRY(const auto array, data::read_array(source));
  Ids ids{.of_row = {}, .where = array.where};
  HEDGE_TRY(ids.of_row, texts_of(array));
  HEDGE_CHECK(check_ids(ids));
  return std::optional(std::move(ids));
}

Result<std::vector<std::vector<std::size_t>>> match_rows(const std::vector<Part>& parts, bool common) {
  const auto with_ids = std::count_if(parts.begin(), parts.end(), [](const Part& part) { return part.ids.has_value(); });
  if (with_ids != 0 && with_ids != static_cast<std::ptrdiff_t>(parts.size())) return some_have_ids(parts);
  std::vector<std::vector<std::size_t>> rows(parts.size());
  if (with_ids == 0) {
    HEDGE_CHECK(check_same_length(parts));
    for (auto& one : rows) {
      one.resize(parts[0].rows);
      std::iota(one.begin(), one.end(), std::size_t{0});
    }
    return rows;
  }
  std::vector<RowOf> by_id;
  for (const auto& part : parts) by_id.push_back(rows_by_id(*part.ids));
  for (std::size_t p = 1; p < parts.size() && !common; ++p) {
    HEDGE_CHECK(check_all_there(parts[p], by_id[p], parts[0]));
    HEDGE_CHECK(check_all_there(parts[0], by_id[0], parts[p]));
  }
  for (const auto& id : parts[0].ids->of_row) {
    if (!std::all_of(by_id.begin(), by_id.end(), [&](const RowOf& known) { return known.contains(id); })) continue;
    for (std::size_t p = 0; p < parts.size(); ++p) rows[p].push_back(by_id[p].at(id));
  }
  return rows;
}

}  // namespace hedge::workflow::internal

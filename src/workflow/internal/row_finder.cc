#include "workflow/internal/row_finder.h"

#include <algorithm>

#include "routing/row_identity.h"
#include "workflow/internal/given_ids.h"

namespace hedge::workflow::internal {

RowFinder::RowFinder(const routing::PredictionTable& table) {
  const auto hashes = table.image_hashes.data<std::int64_t>();
  for (std::size_t i = 0; i < hashes.size(); ++i) rows_.emplace(hashes[i], i);
  auto rest = std::string_view(table.info.dataset);
  constexpr std::string_view kAnd = " | ";
  while (!rest.empty()) {
    const auto end = rest.find(kAnd);
    if (auto name = routing::name_of_table(rest.substr(0, end)); !name.empty()) names_.push_back(std::move(name));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + kAnd.size());
  }
}

Result<std::vector<std::size_t>> RowFinder::find(const std::string& source, const std::filesystem::path& table) const {
  HEDGE_TRY(const auto ids, read_ids(source, {}));
  if (names_.empty() || !ids)
    return Error{.code = ErrorCode::kNotFound,
                 .what = "the table knows no ids of its rows",
                 .where = table.string(),
                 .expected = "a table that `hedge table import` made of predictions with ids"};
  std::vector<std::size_t> rows;
  for (const auto& id : ids->of_row) {
    const auto row = row_of(id);
    if (!row)
      return Error{.code = ErrorCode::kNotFound,
                   .what = "the table has no image of this id",
                   .where = ids->where,
                   .got = "\"" + id.substr(0, 80) + "\"",
                   .expected = "ids of " + table.string()};
    rows.push_back(*row);
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

std::optional<std::size_t> RowFinder::row_of_hash(std::int64_t hash) const {
  const auto found = rows_.find(hash);
  return found == rows_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::size_t> RowFinder::row_of(const std::string& id) const {
  for (const auto& name : names_)
    if (const auto row = row_of_hash(routing::row_hash(name, id))) return row;
  return std::nullopt;
}

}  // namespace hedge::workflow::internal

#include "train/router_data.h"

#include <cassert>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <numeric>
#include <unordered_map>

#include "core/rng.h"
#include "hedge/router.h"
#include "routing/splits.h"

namespace hedge::train {
namespace {

constexpr std::uint64_t kStream = 0x666f6c6473ULL;

std::vector<std::size_t> shuffled(std::size_t rows, std::uint64_t seed) {
  std::vector<std::size_t> order(rows);
  std::iota(order.begin(), order.end(), std::size_t{0});
  Rng(seed, kStream).shuffle(std::span<std::size_t>(order));
  return order;
}

/// The rows of each group, in the order of the groups' first rows; without groups each row by itself.
std::vector<std::vector<std::size_t>> rows_of_groups(std::size_t rows, std::span<const std::int64_t> groups) {
  std::vector<std::vector<std::size_t>> members;
  std::unordered_map<std::int64_t, std::size_t> place;
  for (std::size_t row = 0; row < rows; ++row) {
    const auto at = groups.empty() ? members.size() : place.emplace(groups[row], members.size()).first->second;
    if (at == members.size()) members.emplace_back();
    members[at].push_back(row);
  }
  return members;
}

std::string percent(double share) {
  char text[24];
  std::snprintf(text, sizeof text, "%.1f %%", 100 * share);
  return text;
}

}  // namespace

const char* to_string(RouterProtocol protocol) {
  switch (protocol) {
    case RouterProtocol::kTrainingSet: return "training-set predictions, evaluation mode";
    case RouterProtocol::kHeldOut: return "held-out predictions";
    case RouterProtocol::kCrossFitted: return "cross-fitted held-out predictions";
  }
  return "unknown";
}

RouterProtocol protocol_of(const routing::TableInfo& info) {
  const bool known = !info.base_trained_on.empty() || !info.base_trained_on_hash.empty();
  if (!known && info.split == "train") return RouterProtocol::kTrainingSet;
  return routing::check_unseen(info).ok() ? RouterProtocol::kHeldOut : RouterProtocol::kTrainingSet;
}

Tensor take_tensor_rows(const Tensor& from, const std::vector<std::size_t>& rows) {
  if (from.shape()[0] == 0) return from;
  Shape shape = from.shape();
  shape[0] = static_cast<std::int64_t>(rows.size());
  Tensor to(from.dtype(), shape);
  const auto width = from.num_elements() / from.shape()[0];
  const std::size_t bytes = static_cast<std::size_t>(width) * size_of(from.dtype());
  for (std::size_t i = 0; i < rows.size() && bytes > 0; ++i) {
    assert(rows[i] < static_cast<std::size_t>(from.shape()[0]));
    std::memcpy(to.bytes() + i * bytes, from.bytes() + rows[i] * bytes, bytes);
  }
  return to;
}

Result<routing::PredictionTable> take_rows(const routing::PredictionTable& table, const std::vector<std::size_t>& rows) {
  if (rows.empty())
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "a part of a table has no rows",
                 .where = table.info.dataset,
                 .expected = "at least one"};
  return routing::PredictionTable{.labels = take_tensor_rows(table.labels, rows),
                                  .base_logits = take_tensor_rows(table.base_logits, rows),
                                  .base_features = take_tensor_rows(table.base_features, rows),
                                  .global_logits = take_tensor_rows(table.global_logits, rows),
                                  .info = table.info,
                                  .groups = take_tensor_rows(table.groups, rows),
                                  .image_hashes = take_tensor_rows(table.image_hashes, rows)};
}

Result<std::vector<std::vector<std::size_t>>> make_folds(std::size_t rows, int folds, std::uint64_t seed,
                                                         std::span<const std::int64_t> groups) {
  const auto members = rows_of_groups(rows, groups);
  if (folds < 2 || members.size() < static_cast<std::size_t>(folds))
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = groups.empty() ? "the rows cannot be cut into so many folds" : "the groups cannot be cut into so many folds",
                 .got = std::to_string(folds) + " folds of " + std::to_string(members.size()) + (groups.empty() ? " rows" : " groups"),
                 .expected = groups.empty() ? "at least 2 folds, and a row for each" : "at least 2 folds, and a group for each"};
  const auto order = shuffled(members.size(), seed);
  std::vector<std::vector<std::size_t>> parts(static_cast<std::size_t>(folds));
  for (std::size_t i = 0; i < order.size(); ++i) {
    auto& part = parts[i % parts.size()];
    part.insert(part.end(), members[order[i]].begin(), members[order[i]].end());
  }
  return parts;
}

Result<std::pair<routing::PredictionTable, routing::PredictionTable>> divide(const routing::PredictionTable& table, double share,
                                                                             std::uint64_t seed) {
  const auto members = rows_of_groups(table.size(), table.groups.data<std::int64_t>());
  const auto wanted =
      share > 0 && share < 1 ? static_cast<std::size_t>(std::llround(share * static_cast<double>(table.size()))) : std::size_t{0};
  std::vector<std::size_t> first, second;
  for (const auto group : shuffled(members.size(), seed)) {
    auto& part = first.size() < wanted ? first : second;
    part.insert(part.end(), members[group].begin(), members[group].end());
  }
  if (wanted == 0 || first.empty() || second.empty())
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "the table cannot be divided into these parts",
                 .where = table.info.dataset,
                 .got = "a share of " + std::to_string(share) + " of " + std::to_string(table.size()) + " rows" +
                        (table.has_groups() ? " in " + std::to_string(members.size()) + " groups" : ""),
                 .expected = "two parts with rows"};
  HEDGE_TRY(auto one, take_rows(table, first));
  HEDGE_TRY(auto other, take_rows(table, second));
  return std::pair{std::move(one), std::move(other)};
}

Result<std::optional<std::string>> interpolation_warning(const routing::PredictionTable& fit, const routing::PredictionTable& held_out) {
  constexpr double kFlattered = 0.5;  // of the held-out error
  HEDGE_TRY(const auto there, routing::outcomes(fit));
  HEDGE_TRY(const auto here, routing::outcomes(held_out));
  std::string text;
  const auto compare = [&](const char* model, double fitted, double held) {
    if (1 - fitted >= kFlattered * (1 - held)) return;
    text += (text.empty() ? "the " : ", the ") + std::string(model) + " is right on " + percent(fitted) +
            " of the images the router learns from and on " + percent(held) + " of held-out ones";
  };
  compare("base", there.base_accuracy(), here.base_accuracy());
  compare("global", there.global_accuracy(), here.global_accuracy());
  if (text.empty()) return std::optional<std::string>{};
  return std::optional<std::string>(text +
                                    ": the model has learned these images by heart, so they show little of where it errs; predictions of "
                                    "images it has not seen teach a router better");
}

}  // namespace hedge::train

#include <optional>
#include <string>
#include <vector>

#include "apps/study.h"
#include "apps/study_tables.h"

namespace hedge::apps {
namespace {

/// Rows of the same pair and seed, in order.
std::vector<Json> groups_of(const Json& summary) {
  std::vector<Json> groups;
  for (const auto& row : summary) {
    const bool same = !groups.empty() && groups.back().front().at("pair") == row.at("pair") &&
                      groups.back().front().at("model_seed") == row.at("model_seed");
    if (!same) groups.push_back(Json::array());
    groups.back().push_back(row);
  }
  return groups;
}

/// A method's share of the area, where the pair has the method and a gap.
std::optional<double> gap_of(const Json& group, const std::string& method) {
  for (const auto& row : group)
    if (row.at("method") == method && row.contains("area_gap_percent")) return row.at("area_gap_percent").at("mean").get<double>();
  return std::nullopt;
}

/// What a pair is asked first: a cell a column of the table "In short".
struct Short {
  std::optional<double> gain, poster, free_score, chosen;  ///< percent of the area closed
  std::string fused;
};

Short short_of(const Json& group) {
  Short cells{.gain = gap_of(group, "gain"), .chosen = gap_of(group, "auto")};
  for (const auto& one : group.front().value("comparisons", Json::array())) {
    if (one.at("question") == "poster" && one.at("a") == "gain") cells.poster = gap_of(group, one.at("b").get<std::string>());
    if (one.at("question") == "free_score" && one.at("a") == "gain") cells.free_score = gap_of(group, one.at("b").get<std::string>());
  }
  for (const auto& row : group)
    if (row.contains("fused") && cells.fused.empty())
      cells.fused = row.at("fused").at("adopted").get<bool>() ? interval(row.at("fused").at("gain"), 100, 2) : "not adopted";
  return cells;
}

/// The mean over a pair's model seeds, where each has a value.
std::string mean_cell(const std::vector<Short>& seeds, std::optional<double> Short::*column) {
  double sum = 0;
  for (const auto& seed : seeds) {
    if (!(seed.*column)) return "";
    sum += *(seed.*column);
  }
  return number(sum / static_cast<double>(seeds.size()), 1);
}

std::string in_short(const std::vector<Json>& groups) {
  std::string text =
      "## In short\n\n% of the area closed, mean over model and router seeds. Poster: at its best data protocol; best free score: both "
      "chosen in hindsight,\nin the rival's favour. Fused answers: accuracy when every image is asked, less the global's, points.\n\n"
      "| pair | model seeds | gain | poster | best free score | auto | fused answers |\n|---|---|---|---|---|---|---|\n";
  for (std::size_t i = 0; i < groups.size();) {
    std::vector<Short> seeds;
    std::string fused;
    const auto pair = groups[i].front().at("pair").get<std::string>();
    for (; i < groups.size() && groups[i].front().at("pair") == pair; ++i) {
      seeds.push_back(short_of(groups[i]));
      if (!seeds.back().fused.empty()) fused += (fused.empty() ? "" : "; ") + seeds.back().fused;
    }
    text += "| " + pair + " | " + std::to_string(seeds.size()) + " | " + mean_cell(seeds, &Short::gain) + " | " +
            mean_cell(seeds, &Short::poster) + " | " + mean_cell(seeds, &Short::free_score) + " | " + mean_cell(seeds, &Short::chosen) +
            " | " + fused + " |\n";
  }
  return text + "\n";
}

std::string sections(const Json& group) {
  const auto& first = group.front();
  std::string text = "## " + first.at("pair").get<std::string>() + ", model seed " +
                     std::to_string(first.at("model_seed").get<std::int64_t>()) + "\n\n" + routers_table(group);
  if (first.contains("comparisons")) text += comparisons_table(first.at("comparisons"));
  text += fused_table(group);
  if (first.contains("adapt")) text += "### Adapted, beside a control trained as long\n\n" + adapt_table(first.at("adapt"));
  if (first.contains("plan")) text += order_table(first.at("plan"));
  if (first.contains("baselines")) text += "### Baselines\n\n" + baselines_table(first.at("baselines"));
  return text;
}

}  // namespace

Result<std::string> study_results(const Json& summary) {
  try {
    std::string text =
        "# Results\n\nWritten by `hedge bench learn` from `summary.json`; no figure here is typed by hand. Accuracies in percent, "
        "intervals 95 % (paired bootstrap\n"
        "over the test images), on test splits on which nothing was chosen, fitted or calibrated. \"% of the area closed\" is the share "
        "of the way from\n"
        "entropy's area under the accuracy-coverage curve (coverage 30 to 100 %) to the oracle's.\n\n";
    const auto groups = groups_of(summary);
    text += in_short(groups);
    for (const auto& group : groups) text += sections(group);
    return text;
  } catch (const nlohmann::json::exception& e) {
    return Error{
        .code = ErrorCode::kBadFormat, .what = std::string("a row without an expected field: ") + e.what(), .where = "summary.json"};
  }
}

}  // namespace hedge::apps

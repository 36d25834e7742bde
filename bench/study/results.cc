#include "study/results.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <map>
#include <optional>
#include <vector>

#include "study/rows.h"

namespace hedge::study {
namespace {

// Parts of the results in Markdown, from rows of summary.json (docs/formats/study.md). A field that is missing throws the JSON library's
// exception, which results_text makes an error of.

constexpr double kPaperMargin = -0.1;  ///< points: an upper end above it everywhere is "not worse than the paper's"
constexpr double kNothing = 1e-9;      ///< of a difference: what rounding leaves between equal figures
constexpr double kRegret = 2;          ///< percent points of the gap

std::string number(double value, int digits) {
  char text[48];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  if (text[0] == '-' && std::strspn(text + 1, "0.") == std::strlen(text + 1)) return text + 1;  // no minus before what is shown as nothing
  return text;
}

/// "mean [low, high]", each times `scale`.
std::string interval(const Json& value, double scale, int digits) {
  return number(scale * value.at("mean").get<double>(), digits) + " [" + number(scale * value.at("low").get<double>(), digits) + ", " +
         number(scale * value.at("high").get<double>(), digits) + "]";
}

std::string percent(const Json& value) {
  if (!value.is_object()) return "";
  return number(100 * value.at("value").get<double>(), 2) + " [" + number(100 * value.at("low").get<double>(), 2) + ", " +
         number(100 * value.at("high").get<double>(), 2) + "]";
}

/// The routers of one pair and model seed, whose rows stand together.
std::string routers_table(const Json& rows) {
  const auto& first = rows.front();
  std::string text;
  if (const auto note = first.value("note", std::string()); !note.empty()) text += note + "\n\n";
  const auto model = [&](const char* name) {
    const auto& m = first.at(name);
    return std::string(name) + " " + number(100 * m.at("accuracy").get<double>(), 2) + " % at " +
           number(m.at("macs").get<double>() / 1e6, 2) + " M MACs";
  };
  text += "`" + first.at("dataset").get<std::string>() + "`: " + model("base") + ", " + model("global") + "; " +
          std::to_string(first.at("router_seeds").size()) + " router seeds" +
          (first.value("one_model_seed", false) ? ", one model seed" : "") + ".\n\n";
  text +=
      "| method | router MACs | % of the area closed | sd | accuracy at 95 % | at 90 % | at 80 % | at 70 % | at 50 % "
      "|\n|---|---|---|---|---|---|---|---|---|\n";
  for (const auto& row : rows) {
    text += "| " + row.at("method").get<std::string>() + " | " + std::to_string(row.at("macs").get<std::int64_t>()) + " | ";
    if (row.contains("area_gap_percent"))
      text += interval(row.at("area_gap_percent"), 1, 1) + " | " + number(row.at("area_gap_percent").at("sd").get<double>(), 1);
    else
      text += " | ";
    for (const char* coverage : kCoverages)
      text += " | " + (row.at("accuracy_at").contains(coverage) ? interval(row.at("accuracy_at").at(coverage), 100, 2) : std::string());
    text += " |\n";
  }
  return text + "\n";
}

/// The baselines at the coverages that people look at.
std::string baselines_table(const Json& baselines) {
  std::string text =
      "| method | variant | coverage | accuracy, % | minus the hybrid, points | device MACs | cloud MACs | bytes a query | share sent "
      "|\n|---|---|---|---|---|---|---|---|---|\n";
  for (const auto& row : baselines.at("rows")) {
    const double coverage = row.at("coverage").get<double>();
    const bool shown = coverage < 1e-9 || std::abs(coverage - 0.5) < 1e-9 || std::abs(coverage - 0.8) < 1e-9 ||
                       std::abs(coverage - 0.9) < 1e-9 || coverage > 1 - 1e-9;
    if (!shown) continue;
    text += "| " + row.at("name").get<std::string>() + " | " + row.at("variant").get<std::string>() + " | " + number(coverage, 2) + " | " +
            percent(row.at("accuracy")) + " | " + percent(row.at("to_hybrid")) + " | " + number(row.at("device_macs").get<double>(), 0) +
            " | " + number(row.at("cloud_macs").get<double>(), 0) + " | " + number(row.at("bytes_a_query").get<double>(), 0) + " | " +
            number(row.at("share_sent").get<double>(), 2) + " |\n";
  }
  return text + "\n";
}

/// How a pair was adapted. Files of before there was a choice have no method.
std::string how_adapted(const Json& adapt) {
  const auto method = adapt.value("method", "reweight");
  const auto strength = adapt.value("strength", 0.0);
  return ", method " + method + (strength > 0 ? ", strength " + number(strength, 2) : "") +
         (method == "reweight" || method == "scaffold" ? ", r " + adapt.at("share").get<std::string>() : "");
}

/// The hybrids of an adapting by their best free scores, against the control by its own.
std::string free_table(const Json& hybrids) {
  if (!hybrids.front().contains("free")) return "";
  std::string text =
      "Without a router, by the free score that was best on held-out training images; minus the control by its own, points.\n\n| "
      "hybrid | free score | area |";
  std::string rule = "\n|---|---|---|";
  const auto& first = hybrids.front().at("free").at("at");
  for (auto at = first.rbegin(); at != first.rend(); ++at) text += " at " + at.key() + " |", rule += "---|";
  text += rule + "\n";
  for (const auto& row : hybrids) {
    const auto& free = row.at("free");
    text += "| " + row.at("name").get<std::string>() + " | " + free.at("score").get<std::string>() + " | " +
            percent(free.at("to_control")) + " |";
    for (auto at = free.at("at").rbegin(); at != free.at("at").rend(); ++at) text += " " + percent(at.value().at("to_control")) + " |";
    text += "\n";
  }
  return text + "\n";
}

/// What adapting gave: both arms and the start, on the same images.
std::string adapt_table(const Json& adapt) {
  std::string text =
      "Trained on `" + adapt.at("trained_on").get<std::string>() + "`, " + std::to_string(adapt.at("epochs_a_round").get<std::int64_t>()) +
      " epochs a round" + how_adapted(adapt) + ", judged on the test images; areas in percent, coverage 30 to 100 %.\n\n" +
      "| hybrid | base, % | global, % | area | minus the control, points | minus the start, points |\n|---|---|---|---|---|---|\n";
  for (const auto& row : adapt.at("hybrids"))
    text += "| " + row.at("name").get<std::string>() + " | " + number(100 * row.at("base_accuracy").get<double>(), 2) + " | " +
            number(100 * row.at("global_accuracy").get<double>(), 2) + " | " + percent(row.at("area")) + " | " +
            percent(row.at("to_control")) + " | " + percent(row.at("to_before")) + " |\n";
  return text + "\n" + free_table(adapt.at("hybrids"));
}

bool at_every_coverage(const Json& comparison, double least_high) {
  return std::all_of(std::begin(kCoverages), std::end(kCoverages),
                     [&](const char* coverage) { return 100 * comparison.at("at").at(coverage).at("high").get<double>() > least_high; });
}

/// What a comparison was made to find out, and whether it came out so.
std::string finding(const Json& comparison) {
  const auto question = comparison.at("question").get<std::string>();
  const auto said = [](bool holds, const char* what) { return std::string(what) + (holds ? ": yes" : ": no"); };
  const double low = comparison.at("area").at("low").get<double>(), high = comparison.at("area").at("high").get<double>();
  if (question == "selective_query") return said(at_every_coverage(comparison, kPaperMargin), "upper ends above -0.1 everywhere");
  if (question == "free_score") return said(low > 0, "larger area with confidence");
  if (question == "few_samples")
    return said(high > -kNothing && at_every_coverage(comparison, -kNothing), "not below margin with confidence");
  if (question != "hindsight") return low > 0 ? "larger area with confidence" : high < 0 ? "smaller area with confidence" : "not separated";
  if (!comparison.contains("area_gap_points")) return "no gap to close";
  const double regret = -comparison.at("area_gap_points").at("mean").get<double>();
  return "regret " + number(std::max(0.0, regret), 1) + ", " + said(regret <= kRegret, "within 2");
}

const char* words_of(const std::string& question) {
  static const std::map<std::string, const char*> kWords = {{"selective_query", "the selective-query router at its best data protocol"},
                                                            {"free_score", "the best free score"},
                                                            {"hindsight", "the best router in hindsight"},
                                                            {"few_samples", "margin, from few samples"},
                                                            {"fused", "the same router, answers not fused"}};
  const auto found = kWords.find(question);
  return found == kWords.end() ? "" : found->second;
}

/// A method at one place of the plot.
struct Rank {
  std::string name;
  double accuracy = 0;
  std::optional<double> low, high;
};

/// Those of a row of the order that the paper's plot is about; both codings of a cut are split computation, the better one counts.
std::vector<Rank> ranks_of(const Json& list) {
  static const std::map<std::string, std::string> kNames = {{"hybrid", "hybrid"},
                                                            {"entropy", "entropy"},
                                                            {"split_f32", "split_computation"},
                                                            {"split_int8", "split_computation"},
                                                            {"on_device", "on_device"},
                                                            {"early_exit", "early_exit"},
                                                            {"distilled", "distilled"},
                                                            {"distilled_entropy", "distilled_entropy"},
                                                            {"upper_bound", "upper_bound"},
                                                            {"split_computation", "split_computation"}};
  std::vector<Rank> ranks;
  for (const auto& one : list) {
    const auto known = kNames.find(one.at("name").get<std::string>());
    if (known == kNames.end()) continue;
    if (std::any_of(ranks.begin(), ranks.end(), [&](const Rank& rank) { return rank.name == known->second; })) continue;
    Rank rank{.name = known->second, .accuracy = one.at("accuracy").get<double>()};
    if (one.at("low").is_number()) rank.low = one.at("low").get<double>();
    if (one.at("high").is_number()) rank.high = one.at("high").get<double>();
    ranks.push_back(std::move(rank));
  }
  return ranks;
}

std::string list_of(const std::vector<Rank>& ranks, int digits) {
  std::string text;
  for (const auto& rank : ranks) {
    text += (text.empty() ? "" : ", ") + rank.name + " " + number(100 * rank.accuracy, digits);
    if (rank.low && rank.high) text += " [" + number(100 * *rank.low, digits) + ", " + number(100 * *rank.high, digits) + "]";
  }
  return text;
}

const Rank* find(const std::vector<Rank>& ranks, const std::string& name) {
  const auto found = std::find_if(ranks.begin(), ranks.end(), [&](const Rank& rank) { return rank.name == name; });
  return found == ranks.end() ? nullptr : &*found;
}

/// Each of the paper's pairs of methods, the better one first: does it stand so here?
std::string agreement(const std::vector<Rank>& here, const std::vector<Rank>& paper) {
  std::map<std::string, std::string> said;
  for (std::size_t i = 0; i < paper.size(); ++i)
    for (std::size_t j = i + 1; j < paper.size(); ++j) {
      const auto* a = find(here, paper[i].name);
      const auto* b = find(here, paper[j].name);
      if (a == nullptr || b == nullptr || !a->low || !b->low || !a->high || !b->high) continue;
      const char* verdict = *a->low > *b->high ? "the same" : *a->high < *b->low ? "reversed" : "not separated";
      said[verdict] += (said[verdict].empty() ? "" : ", ") + paper[i].name + " > " + paper[j].name;
    }
  std::string text;
  for (const auto& [verdict, pairs] : said) text += (text.empty() ? "" : "; ") + ("**" + verdict + "**: " + pairs);
  return text;
}

bool energy_follows_latency(const Json& setting) {
  return setting.at("device").at("power_mw") == setting.at("link").at("wait_mw") && setting.at("link").at("session_mj") == 0.0 &&
         setting.at("link").at("energy_uj_per_byte") == 0.0;
}

/// The pair's methods against one another, image by image.
std::string comparisons_table(const Json& comparisons) {
  if (comparisons.empty()) return "";
  std::string text =
      "### Methods compared\n\nDifferences in points, image by image (paired bootstrap); the area also in percent points of the "
      "gap.\n\n"
      "| method | minus | area | of the gap | at 95 % | at 90 % | at 80 % | at 70 % | at 50 % | finding "
      "|\n|---|---|---|---|---|---|---|---|---|---|\n";
  for (const auto& one : comparisons) {
    text += "| " + one.at("a").get<std::string>() + " | " + one.at("b").get<std::string>() + " (" +
            words_of(one.at("question").get<std::string>()) + ") | " + interval(one.at("area"), 100, 2) + " | " +
            (one.contains("area_gap_points") ? interval(one.at("area_gap_points"), 1, 1) : std::string());
    for (const char* coverage : kCoverages) text += " | " + interval(one.at("at").at(coverage), 100, 2);
    text += " | " + finding(one) + " |\n";
  }
  return text + "\n";
}

/// Fused answers: their rows among `rows`; empty where there is none.
std::string fused_table(const Json& rows) {
  std::string lines;
  for (const auto& row : rows) {
    if (!row.contains("fused")) continue;
    const auto& fused = row.at("fused");
    const auto& gain = fused.at("gain");
    const bool adopted = fused.at("adopted").get<bool>();
    const char* finding = !adopted                            ? "not adopted: the global answers"
                          : gain.at("low").get<double>() > 0  ? "above with confidence"
                          : gain.at("high").get<double>() < 0 ? "below with confidence"
                                                              : "not separated";
    lines += "| " + row.at("method").get<std::string>() + " | " + number(100 * row.at("global").at("accuracy").get<double>(), 2) + " | " +
             number(100 * fused.at("answer_accuracy").get<double>(), 2) + " | " + interval(gain, 100, 2) + " | " + finding;
    for (const char* coverage : kCoverages) lines += " | " + interval(row.at("accuracy_at").at(coverage), 100, 2);
    lines += " |\n";
  }
  if (lines.empty()) return "";
  return "### Fused answers\n\nCoverage 0 %: every image is queried, and answered by the global alone or from both models' logits.\n\n"
         "| method | global at 0 % | fused at 0 % | difference, points | finding | fused curve at 95 % | at 90 % | at 80 % | at 70 % | at "
         "50 % "
         "|\n|---|---|---|---|---|---|---|---|---|---|\n" +
         lines + "\n";
}

/// The methods on the edge-cloud plot, beside the paper's order; empty where nothing is to be compared.
std::string order_table(const Json& plan) {
  if (!plan.at("order").is_object()) return "";
  const auto& setting = plan.at("setting");
  std::string text = "### The edge-cloud plot: the order of the methods\n\nDevice `" + setting.at("device").at("name").get<std::string>() +
                     "`, link `" + setting.at("link").at("name").get<std::string>() + "`, cloud `" +
                     setting.at("cloud").at("name").get<std::string>() +
                     "`; accuracy at the mean latencies that lie at the same share of the way from the base alone to the\n"
                     "cloud alone as the paper's 600, 1000 and 1400 ms. Two methods differ where their intervals do not overlap.";
  if (energy_follows_latency(setting)) text += " Energy is proportional to latency here, so its order is the same.";
  text += "\n\n| latency, ms (share of the way) | here | the paper, at ms | the paper's order here |\n|---|---|---|---|\n";
  for (const auto& row : plan.at("order").at("rows")) {
    const auto here = ranks_of(row.at("here")), paper = ranks_of(row.at("poster"));
    text += "| " + number(row.at("latency_ms").get<double>(), 0) + " (" + number(100 * row.at("relative").get<double>(), 0) + " %) | " +
            list_of(here, 2) + " | " + number(row.at("poster_latency_ms").get<double>(), 0) + ": " + list_of(paper, 1) + " | " +
            agreement(here, paper) + " |\n";
  }
  if (const auto& measured = plan.at("measured"); measured.is_object())
    text += "\nOne image at a time with " + measured.at("executor").get<std::string>() + ": base " +
            number(measured.at("base_ms").get<double>(), 3) + " ms, router " + number(measured.at("router_ms").get<double>(), 3) +
            " ms, global " + number(measured.at("global_ms").get<double>(), 3) + " ms.\n";
  return text + "\n";
}

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
  std::optional<double> gain, paper, free_score, chosen;  ///< percent of the area closed
  std::string fused;
};

Short short_of(const Json& group) {
  Short cells{.gain = gap_of(group, "gain"), .chosen = gap_of(group, "auto")};
  for (const auto& one : group.front().value("comparisons", Json::array())) {
    if (one.at("question") == "selective_query" && one.at("a") == "gain") cells.paper = gap_of(group, one.at("b").get<std::string>());
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
      "## In short\n\n% of the area closed, mean over model and router seeds. The paper's router is taken at its better data protocol; it "
      "and the "
      "best free\nscore are chosen in hindsight, in the rival's favour. Fused answers: accuracy when every image is queried, minus the "
      "global's, in "
      "points.\n\n"
      "| pair | model seeds | gain | paper | best free score | auto | fused answers |\n|---|---|---|---|---|---|---|\n";
  for (std::size_t i = 0; i < groups.size();) {
    std::vector<Short> seeds;
    std::string fused;
    const auto pair = groups[i].front().at("pair").get<std::string>();
    for (; i < groups.size() && groups[i].front().at("pair") == pair; ++i) {
      seeds.push_back(short_of(groups[i]));
      if (!seeds.back().fused.empty()) fused += (fused.empty() ? "" : "; ") + seeds.back().fused;
    }
    text += "| " + pair + " | " + std::to_string(seeds.size()) + " | " + mean_cell(seeds, &Short::gain) + " | " +
            mean_cell(seeds, &Short::paper) + " | " + mean_cell(seeds, &Short::free_score) + " | " + mean_cell(seeds, &Short::chosen) +
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
  if (first.contains("adapt")) text += "### Adapted, and a control trained as long\n\n" + adapt_table(first.at("adapt"));
  if (first.contains("plan")) text += order_table(first.at("plan"));
  if (first.contains("baselines")) text += "### Baselines\n\n" + baselines_table(first.at("baselines"));
  return text;
}

}  // namespace

Result<std::string> results_text(const Json& summary) {
  try {
    std::string text =
        "# Results\n\nWritten by `hedge-study` from `summary.json`; no figure here is typed by hand. Accuracies in percent, "
        "intervals 95 % (paired bootstrap\n"
        "over the test images), on test splits on which nothing was chosen, fitted or calibrated. \"% of the area closed\" is the share "
        "of the way from\n"
        "entropy's area under the accuracy-coverage curve (coverage 30 to 100 %) to the oracle's.\n\n";
    const auto groups = groups_of(summary);
    text += in_short(groups);
    for (const auto& group : groups) text += sections(group);
    return text;
  } catch (const nlohmann::json::exception& e) {
    return Error{.code = ErrorCode::kBadFormat, .what = std::string("a row lacks an expected field: ") + e.what(), .where = "summary.json"};
  }
}

}  // namespace hedge::study

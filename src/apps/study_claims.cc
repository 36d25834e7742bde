#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <vector>

#include "apps/study_tables.h"

namespace hedge::apps {
namespace {

constexpr double kPosterMargin = -0.1;  ///< points: an upper end above it everywhere is "not worse than the poster's"
constexpr double kNothing = 1e-9;       ///< of a difference: what rounding leaves between equal figures
constexpr double kRegret = 2;           ///< percent points of the gap

bool at_every_coverage(const Json& comparison, double least_high) {
  return std::all_of(std::begin(kCoverages), std::end(kCoverages),
                     [&](const char* coverage) { return 100 * comparison.at("at").at(coverage).at("high").get<double>() > least_high; });
}

/// What a comparison was made to find out, and whether it came out so.
std::string finding(const Json& comparison) {
  const auto question = comparison.at("question").get<std::string>();
  const auto said = [](bool holds, const char* what) { return std::string(what) + (holds ? ": yes" : ": no"); };
  const double low = comparison.at("area").at("low").get<double>(), high = comparison.at("area").at("high").get<double>();
  if (question == "poster") return said(at_every_coverage(comparison, kPosterMargin), "upper ends above -0.1 everywhere");
  if (question == "free_score") return said(low > 0, "larger area with confidence");
  if (question == "few_samples")
    return said(high > -kNothing && at_every_coverage(comparison, -kNothing), "not below margin with confidence");
  if (question != "hindsight") return low > 0 ? "larger area with confidence" : high < 0 ? "smaller area with confidence" : "not separated";
  if (!comparison.contains("area_gap_points")) return "no gap to close";
  const double regret = -comparison.at("area_gap_points").at("mean").get<double>();
  return "regret " + number(std::max(0.0, regret), 1) + ", " + said(regret <= kRegret, "within 2");
}

const char* words_of(const std::string& question) {
  static const std::map<std::string, const char*> kWords = {{"poster", "the poster's router at its best data protocol"},
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

/// Those of a row of the order that the poster's plot is about; both codings of a cut are split computation, the better one counts.
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

/// Each of the poster's pairs of methods, the better one first: does it stand so here?
std::string agreement(const std::vector<Rank>& here, const std::vector<Rank>& poster) {
  std::map<std::string, std::string> said;
  for (std::size_t i = 0; i < poster.size(); ++i)
    for (std::size_t j = i + 1; j < poster.size(); ++j) {
      const auto* a = find(here, poster[i].name);
      const auto* b = find(here, poster[j].name);
      if (a == nullptr || b == nullptr || !a->low || !b->low || !a->high || !b->high) continue;
      const char* verdict = *a->low > *b->high ? "the same" : *a->high < *b->low ? "reversed" : "not separated";
      said[verdict] += (said[verdict].empty() ? "" : ", ") + poster[i].name + " > " + poster[j].name;
    }
  std::string text;
  for (const auto& [verdict, pairs] : said) text += (text.empty() ? "" : "; ") + ("**" + verdict + "**: " + pairs);
  return text;
}

bool energy_follows_latency(const Json& setting) {
  return setting.at("device").at("power_mw") == setting.at("link").at("wait_mw") && setting.at("link").at("session_mj") == 0.0 &&
         setting.at("link").at("energy_uj_per_byte") == 0.0;
}

}  // namespace

std::string comparisons_table(const Json& comparisons) {
  if (comparisons.empty()) return "";
  std::string text =
      "### Against one another\n\nDifferences in points, image by image (paired bootstrap); the area also in percent points of the "
      "gap.\n\n"
      "| method | less | area | of the gap | at 95 % | at 90 % | at 80 % | at 70 % | at 50 % | finding "
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
  return "### Fused answers\n\nCoverage 0 %: every image is asked, and answered by the global alone or by both models' logits.\n\n"
         "| method | global at 0 % | fused at 0 % | difference, points | finding | fused curve at 95 % | at 90 % | at 80 % | at 70 % | at "
         "50 % "
         "|\n|---|---|---|---|---|---|---|---|---|---|\n" +
         lines + "\n";
}

std::string order_table(const Json& plan) {
  if (!plan.at("order").is_object()) return "";
  const auto& setting = plan.at("setting");
  std::string text = "### The edge-cloud plot: the order of the methods\n\nDevice `" + setting.at("device").at("name").get<std::string>() +
                     "`, link `" + setting.at("link").at("name").get<std::string>() + "`, cloud `" +
                     setting.at("cloud").at("name").get<std::string>() +
                     "`; accuracy at the mean latency that lies as far on the way from the base alone to the cloud alone\n"
                     "as the poster's 600, 1000 and 1400 ms do. Intervals that do not overlap separate two methods.";
  if (energy_follows_latency(setting)) text += " Energy is proportional to latency here, so its order is the same.";
  text += "\n\n| latency, ms (of the way) | here | the poster, at ms | the poster's order here |\n|---|---|---|---|\n";
  for (const auto& row : plan.at("order").at("rows")) {
    const auto here = ranks_of(row.at("here")), poster = ranks_of(row.at("poster"));
    text += "| " + number(row.at("latency_ms").get<double>(), 0) + " (" + number(100 * row.at("relative").get<double>(), 0) + " %) | " +
            list_of(here, 2) + " | " + number(row.at("poster_latency_ms").get<double>(), 0) + ": " + list_of(poster, 1) + " | " +
            agreement(here, poster) + " |\n";
  }
  if (const auto& measured = plan.at("measured"); measured.is_object())
    text += "\nOne image at a time with " + measured.at("executor").get<std::string>() + ": base " +
            number(measured.at("base_ms").get<double>(), 3) + " ms, router " + number(measured.at("router_ms").get<double>(), 3) +
            " ms, global " + number(measured.at("global_ms").get<double>(), 3) + " ms.\n";
  return text + "\n";
}

}  // namespace hedge::apps

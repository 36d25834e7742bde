#include "study/table_results.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <vector>

namespace hedge::study {
namespace {

constexpr const char* kShown[] = {"0.95", "0.90", "0.80", "0.70", "0.50"};
constexpr const char* kMethods[] = {"entropy", "max_probability", "margin", "gain", "auto", "auto_fused", "upper_bound"};

std::string number(double value, int digits) {
  char text[48];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return std::string(text).find_first_not_of("-0.") == std::string::npos && text[0] == '-' ? text + 1 : text;
}

std::string signed_number(double value, int digits) { return (value > 0 ? "+" : "") + number(value, digits); }

/// "mean [low, high]"; the mean alone where there is no interval.
std::string interval(const Json& value, double scale, int digits) {
  const auto mean = number(scale * value.at("mean").get<double>(), digits);
  if (!value.contains("low")) return mean;
  return mean + " [" + number(scale * value.at("low").get<double>(), digits) + ", " +
         number(scale * value.at("high").get<double>(), digits) + "]";
}

const Json* method_of(const Json& row, const std::string& name) {
  for (const auto& method : row.at("methods"))
    if (method.at("name") == name) return &method;
  return nullptr;
}

const Json& best_free(const Json& row) {
  const Json* best = nullptr;
  for (const auto& method : row.at("methods"))
    if (method.at("kind") == "free_score" && (best == nullptr || method.at("area").get<double>() > best->at("area").get<double>()))
      best = &method;
  return best != nullptr ? *best : row.at("methods").at(0);
}

std::string closed(const Json* method) {
  if (method == nullptr || !method->contains("area_gap_percent")) return "";
  return interval(method->at("area_gap_percent"), 1, 1);
}

/// Points of area that auto is ahead of the best free score in hindsight.
double ahead(const Json& row) { return 100 * (method_of(row, "auto")->at("area").get<double>() - best_free(row).at("area").get<double>()); }

/// -1, 0 or 1: fused answers at coverage 0 below the global's with confidence, not separated, above.
int fused_side(const Json& method) {
  const auto& gain = method.at("answer_gain");
  return gain.at("low").get<double>() > 0 ? 1 : gain.at("high").get<double>() < 0 ? -1 : 0;
}

bool fusion_adopted(const Json& row) { return row.contains("fusion") && row.at("fusion").value("auto_fused", false); }

std::string fused_cells(const Json& row) {
  const auto* fused = method_of(row, "auto_fused");
  if (fused == nullptr) return " |  |";
  if (!fusion_adopted(row)) return " 0 | not adopted |";
  const int side = fused_side(*fused);
  return " " + interval(fused->at("answer_gain"), 100, 2) +
         (side > 0   ? " | above with confidence |"
          : side < 0 ? " | below with confidence |"
                     : " | not separated |");
}

std::string in_short(const Json& rows) {
  std::string text =
      "% of the area between entropy's curve and the oracle's (coverage 30 to 100 %); the best free score is chosen in hindsight, on the "
      "test images. Fused: accuracy at coverage 0, minus the global's, in points. CPU: all fits and the evaluation, seconds of one "
      "core.\n\n| pair | base, % | global, % | best free score | gain | auto | auto took | auto minus the best free score, points of area "
      "| "
      "fused at 0 % | finding | CPU, s |\n|---|---|---|---|---|---|---|---|---|---|---|\n";
  for (const auto& row : rows) {
    const auto& free = best_free(row);
    text += "| " + row.at("pair").get<std::string>() + " | " + number(100 * row.at("base_accuracy").get<double>(), 1) + " | " +
            number(100 * row.at("global_accuracy").get<double>(), 1) + " | " + free.at("name").get<std::string>() + " " + closed(&free) +
            " | " + closed(method_of(row, "gain")) + " | " + closed(method_of(row, "auto")) + " | " +
            row.at("routers").at("auto").get<std::string>() + " | " + signed_number(ahead(row), 3) + " |" + fused_cells(row) + " " +
            number(row.at("cpu_seconds").get<double>(), 0) + " |\n";
  }
  return text + "\n";
}

/// What the rows show together.
std::string counted(const Json& rows) {
  double least = 0, sum = 0;
  std::size_t adopted = 0, above = 0, below = 0, fused_rows = 0;
  for (const auto& row : rows) {
    const double lead = ahead(row);
    least = sum == 0 && &row == &rows.front() ? lead : std::min(least, lead);
    sum += lead;
    const auto* fused = method_of(row, "auto_fused");
    if (fused == nullptr) continue;
    ++fused_rows;
    adopted += fusion_adopted(row) ? 1 : 0;
    above += fusion_adopted(row) && fused_side(*fused) > 0 ? 1 : 0;
    below += fusion_adopted(row) && fused_side(*fused) < 0 ? 1 : 0;
  }
  std::string text = "- `auto` minus the best free score, points of area: mean " +
                     signed_number(sum / static_cast<double>(rows.size()), 3) + ", least " + signed_number(least, 3) + ".\n";
  if (fused_rows > 0)
    text += "- Fused answers at coverage 0: adopted on " + std::to_string(adopted) + " of " + std::to_string(fused_rows) +
            ", above the global with confidence on " + std::to_string(above) + ", below it with confidence on " + std::to_string(below) +
            ".\n";
  return text + "\n";
}

std::string curves(const Json& rows) {
  std::string text =
      "### Accuracy at a coverage\n\n| pair | method | 95 % | 90 % | 80 % | 70 % | 50 % | 0 % |\n|---|---|---|---|---|---|---|---|\n";
  for (const auto& row : rows)
    for (const std::string name : kMethods) {
      const auto* method = method_of(row, name);
      if (method == nullptr) continue;
      text += "| " + row.at("pair").get<std::string>() + " | " + name;
      for (const std::string coverage : kShown) text += " | " + interval(method->at("accuracy_at").at(coverage), 100, 2);
      text += " | " + interval(method->at("accuracy_at").at("0.00"), 100, 2) + " |\n";
    }
  return text + "\n";
}

std::string prices(const Json& rows) {
  std::string text =
      "The base is free. Share of the cloud's price: of asking it for every image. \"Equal\": the least share at which the hybrid is as "
      "accurate as the cloud alone.\n\n| pair, division | price of 10 000 | cloud alone, % | base alone, % | auto took | equal: "
      "max_probability | gain | auto | auto_fused | at 50 % of the price: max_probability | auto | at 30 %: max_probability | auto |\n"
      "|---|---|---|---|---|---|---|---|---|---|---|---|---|\n";
  for (const auto& row : rows) {
    text += "| " + row.at("pair").get<std::string>() + ", " + std::to_string(row.at("division").get<std::int64_t>()) + " | " +
            number(1e4 * row.at("price").at("per_query").get<double>(), 0) + " " + row.at("price").at("currency").get<std::string>() +
            " | " + number(100 * row.at("global_accuracy").get<double>(), 1) + " | " +
            number(100 * row.at("base_accuracy").get<double>(), 1) + " | " + row.at("routers").at("auto").get<std::string>();
    for (const std::string name : {"max_probability", "gain", "auto", "auto_fused"}) {
      const auto* method = method_of(row, name);
      text += " | " + (method != nullptr ? number(100 * price_of_equal_accuracy(row, *method), 0) + " %" : std::string());
    }
    for (const std::string coverage : {"0.50", "0.70"})
      for (const std::string name : {"max_probability", "auto"})
        text += " | " + interval(method_of(row, name)->at("accuracy_at").at(coverage), 100, 1);
    text += " |\n";
  }
  return text + "\n";
}

std::string redraws(const Json& rows) {
  std::string lines;
  for (const auto& row : rows)
    for (const auto& drawn : row.value("redraws", Json::array())) {
      const auto made = drawn.at("draws").get<std::int64_t>() - drawn.at("impossible").get<std::int64_t>();
      const double rate = made > 0 ? static_cast<double>(drawn.at("violated").get<std::int64_t>()) / static_cast<double>(made) : 0;
      lines += "| " + row.at("pair").get<std::string>() + " | " + drawn.at("promise").get<std::string>() + " | " +
               std::to_string(drawn.at("images").get<std::int64_t>()) + " | " + std::to_string(drawn.at("draws").get<std::int64_t>()) +
               " | " + std::to_string(drawn.at("impossible").get<std::int64_t>()) + " | " + number(100 * rate, 1) + " % | " +
               number(100 * drawn.at("delta").get<double>(), 0) + " % | " + number(100 * drawn.at("coverage").get<double>(), 1) + " | " +
               number(100 * drawn.at("accuracy").get<double>(), 1) + " |\n";
    }
  if (lines.empty()) return "";
  return "### Promises on redrawn calibration splits\n\nCalibration splits drawn with replacement from the calibration and test images, "
         "which "
         "are the population that the promise is held against.\n\n| pair | promise of `auto` | images | redraws | impossible | violated | "
         "allowed | mean coverage, % | mean accuracy, % |\n|---|---|---|---|---|---|---|---|---|\n" +
         lines + "\n";
}

std::string cell(const Json& value) { return value.is_string() ? value.get<std::string>() : value.is_null() ? "" : value.dump(); }

std::string paper(const Json& table) {
  if (!table.is_object()) return "";
  std::string text = "### The paper's rows\n\n" + table.at("text").get<std::string>() + "\n\n|", line = "\n|";
  for (const auto& column : table.at("columns")) {
    text += " " + cell(column) + " |";
    line += "---|";
  }
  text += line + "\n";
  for (const auto& row : table.at("rows")) {
    text += "|";
    for (const auto& value : row) text += " " + cell(value) + " |";
    text += "\n";
  }
  return text + "\n";
}

std::string begin_of(const std::string& name) { return "<!-- study " + name + " -->\n"; }
std::string end_of(const std::string& name) { return "<!-- study " + name + " end -->\n"; }

}  // namespace

double price_of_equal_accuracy(const Json& row, const Json& method) {
  const double wanted = row.at("global_accuracy").get<double>();
  std::vector<std::pair<double, double>> points;  // coverage, accuracy; rising
  for (const auto& [coverage, accuracy] : method.at("accuracy_at").items())
    points.emplace_back(std::stod(coverage), accuracy.at("mean").get<double>());
  std::sort(points.begin(), points.end());
  for (std::size_t i = points.size(); i-- > 0;) {
    if (points[i].second < wanted) continue;
    if (i + 1 == points.size()) return 0;
    const double fall = points[i].second - points[i + 1].second;
    return 1 - (points[i].first + (points[i + 1].first - points[i].first) * (points[i].second - wanted) / fall);
  }
  return 1;
}

Result<std::string> tables_section(const TableStudy& study, const Json& rows) {
  try {
    std::string text = "## " + study.title + "\n\n";
    if (!study.note.empty()) text += study.note + "\n\n";
    text += std::to_string(rows.at(0).at("test_images").get<std::int64_t>()) + " test images; images are divided by `" + study.parts[0];
    for (std::size_t i = 1; i < study.parts.size(); ++i) text += " " + study.parts[i];
    text += "`. Configuration: `bench/study/tables`.\n\n" + counted(rows);
    text += study.prices ? prices(rows) : in_short(rows) + curves(rows);
    return text + paper(study.paper) + redraws(rows);
  } catch (const nlohmann::json::exception& e) {
    return Error{.code = ErrorCode::kBadFormat, .what = std::string("a row lacks an expected field: ") + e.what(), .where = study.name};
  }
}

std::map<std::string, std::string> sections_of(std::string_view text) {
  constexpr std::string_view kBegin = "<!-- study ", kClose = " -->\n";
  std::map<std::string, std::string> sections;
  for (auto at = text.find(kBegin); at != std::string_view::npos; at = text.find(kBegin, at + 1)) {
    const auto close = text.find(kClose, at);
    if (close == std::string_view::npos) break;
    const std::string name(text.substr(at + kBegin.size(), close - at - kBegin.size()));
    const auto from = close + kClose.size(), to = text.find(end_of(name), from);
    if (to != std::string_view::npos) sections[name] = text.substr(from, to - from);
  }
  return sections;
}

std::string with_sections(std::string text, const std::map<std::string, std::string>& sections) {
  for (const auto& [name, section] : sections) {
    const auto whole = begin_of(name) + section + end_of(name);
    const auto from = text.find(begin_of(name));
    const auto to = from == std::string::npos ? from : text.find(end_of(name), from);
    if (to == std::string::npos)
      text += whole + "\n";
    else
      text.replace(from, to + end_of(name).size() - from, whole);
  }
  return text;
}

}  // namespace hedge::study

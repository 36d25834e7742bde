#include <cmath>
#include <cstdio>
#include <cstring>

#include "apps/study_tables.h"

namespace hedge::apps {
namespace {

std::string percent(const Json& value) {
  if (!value.is_object()) return "";
  return number(100 * value.at("value").get<double>(), 2) + " [" + number(100 * value.at("low").get<double>(), 2) + ", " +
         number(100 * value.at("high").get<double>(), 2) + "]";
}

}  // namespace

std::string number(double value, int digits) {
  char text[48];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  if (text[0] == '-' && std::strspn(text + 1, "0.") == std::strlen(text + 1)) return text + 1;  // no minus before what is shown as nothing
  return text;
}

std::string interval(const Json& value, double scale, int digits) {
  return number(scale * value.at("mean").get<double>(), digits) + " [" + number(scale * value.at("low").get<double>(), digits) + ", " +
         number(scale * value.at("high").get<double>(), digits) + "]";
}

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

std::string baselines_table(const Json& baselines) {
  std::string text =
      "| method | variant | coverage | accuracy, % | to the hybrid, points | device MACs | cloud MACs | bytes a query | share sent "
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

std::string adapt_table(const Json& adapt) {
  std::string text = "Trained on `" + adapt.at("trained_on").get<std::string>() + "`, " +
                     std::to_string(adapt.at("epochs_a_round").get<std::int64_t>()) + " epochs a round, r " +
                     adapt.at("share").get<std::string>() + ", judged on the test images; areas in percent, coverage 30 to 100 %.\n\n" +
                     "| hybrid | base, % | global, % | area | to the control, points | to the start, points |\n|---|---|---|---|---|---|\n";
  for (const auto& row : adapt.at("hybrids"))
    text += "| " + row.at("name").get<std::string>() + " | " + number(100 * row.at("base_accuracy").get<double>(), 2) + " | " +
            number(100 * row.at("global_accuracy").get<double>(), 2) + " | " + percent(row.at("area")) + " | " +
            percent(row.at("to_control")) + " | " + percent(row.at("to_before")) + " |\n";
  return text + "\n";
}

}  // namespace hedge::apps

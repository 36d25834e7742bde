#include <algorithm>
#include <cmath>
#include <cstdio>
#include <sstream>

#include "workflow/search.h"

namespace hedge::workflow {
namespace {

using search::Entrant;

constexpr double kWidth = 640, kHeight = 360, kLeft = 60, kBottom = 45, kTop = 12, kRight = 12;

Json entrant_json(const Entrant& entrant) {
  return {{"network", entrant.trial.candidate.net},
          {"size", entrant.trial.candidate.size},
          {"epochs", entrant.trial.epochs},
          {"accuracy", entrant.accuracy},
          {"costs", search::to_json(entrant.costs)}};
}

Json pair_json(const SearchReport& report, const search::Pair& pair, const search::Judged* judged) {
  Json json = {{"base", report.base_names[pair.base]},
               {"global", report.global_names[pair.global]},
               {"coverage", pair.coverage},
               {"mean_cost", pair.cost},
               {"accuracy_chosen_by", pair.accuracy}};
  if (judged != nullptr) json["accuracy"] = {{"value", judged->value}, {"low", judged->low}, {"high", judged->high}};
  return json;
}

/// A mark of a plot: `group` gives its colour.
struct Mark {
  double x = 0, y = 0;
  const char* group = "";
  std::string title;
};

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : text) safe += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : c == '"' ? "&quot;" : std::string(1, c);
  return safe;
}

/// Accuracy in percent against a cost on a logarithmic axis.
std::string plot(const std::vector<Mark>& marks, const std::string& cost_name) {
  if (marks.empty()) return {};
  const auto [left, right] = std::minmax_element(marks.begin(), marks.end(), [](auto& a, auto& b) { return a.x < b.x; });
  const auto [low, high] = std::minmax_element(marks.begin(), marks.end(), [](auto& a, auto& b) { return a.y < b.y; });
  const double x0 = std::log(left->x) - 0.05, x1 = std::log(right->x) + 0.05, y0 = low->y - 0.5, y1 = high->y + 0.5;
  const auto at_x = [&](double x) { return kLeft + (std::log(x) - x0) / (x1 - x0) * (kWidth - kLeft - kRight); };
  const auto at_y = [&](double y) { return kHeight - kBottom - (y - y0) / (y1 - y0) * (kHeight - kBottom - kTop); };
  std::ostringstream svg;
  svg << "<svg viewBox='0 0 " << kWidth << ' ' << kHeight << "' role='img' aria-label='accuracy against " << cost_name << "'>";
  for (int i = 0; i <= 4; ++i) {
    const double y = y0 + (y1 - y0) * i / 4, x = std::exp(x0 + (x1 - x0) * i / 4);
    svg << "<line class='grid' x1='" << kLeft << "' x2='" << kWidth - kRight << "' y1='" << at_y(y) << "' y2='" << at_y(y) << "'/>"
        << "<text x='" << kLeft - 6 << "' y='" << at_y(y) + 4 << "' text-anchor='end'>" << number(y) << "</text>"
        << "<text x='" << at_x(x) << "' y='" << kHeight - kBottom + 18 << "' text-anchor='middle'>" << number(x) << "</text>";
  }
  svg << "<text x='" << kWidth / 2 << "' y='" << kHeight - 8 << "' text-anchor='middle'>" << cost_name << "</text>";
  for (const auto& mark : marks)
    svg << "<circle class='" << mark.group << "' cx='" << at_x(mark.x) << "' cy='" << at_y(mark.y) << "' r='5'><title>"
        << escaped(mark.title) << "</title></circle>";
  svg << "</svg>";
  return svg.str();
}

std::string networks(const std::string& heading, const std::vector<Entrant>& entered) {
  std::vector<Mark> marks;
  std::ostringstream table;
  table << "<table><tr><th>network</th><th>epochs</th><th>held-out accuracy, %</th><th>costs of an image</th></tr>";
  for (const auto& one : entered) {
    const auto name = one.trial.candidate.to_string();
    const bool longest = one.trial.epochs == entered.front().trial.epochs;
    marks.push_back({static_cast<double>(one.costs.macs) / 1e6, 100 * one.accuracy, longest ? "final" : "early",
                     name + ": " + number(100 * one.accuracy) + " %, " + std::to_string(one.trial.epochs) + " epochs"});
    table << "<tr><td>" << escaped(name) << "</td><td>" << one.trial.epochs << "</td><td>" << number(100 * one.accuracy) << "</td><td>"
          << search::to_string(one.costs) << "</td></tr>";
  }
  return "<h2>" + heading + "</h2>" + plot(marks, "M MACs") + "<p>Filled: trained in full length.</p>" + table.str() + "</table>";
}

std::string pairs(const SearchReport& report) {
  const auto& choice = *report.pair;
  std::vector<Mark> marks;
  for (const auto& pair : choice.front)
    if (pair.cost > 0)
      marks.push_back(
          {pair.cost, 100 * pair.accuracy, "early", report.base_names[pair.base] + " with " + report.global_names[pair.global]});
  marks.push_back({choice.chosen.cost, 100 * choice.chosen.accuracy, "final", "chosen"});
  marks.push_back({choice.separate.cost, 100 * choice.separate.accuracy, "other", "the best base with the best global"});
  std::ostringstream html;
  html << "<h2>Pairs</h2>" << plot(marks, "mean cost of an image")
       << "<p>Filled: the chosen pair; square colour: the best base with the best global, at the same mean cost.</p>"
       << "<table><tr><th></th><th>base</th><th>global</th><th>coverage, %</th><th>mean cost</th><th>accuracy on images not chosen by, % "
          "(95 "
          "%)</th></tr>";
  const auto row = [&](const char* name, const search::Pair& pair, const search::Judged& judged) {
    html << "<tr><td>" << name << "</td><td>" << escaped(report.base_names[pair.base]) << "</td><td>"
         << escaped(report.global_names[pair.global]) << "</td><td>" << number(100 * pair.coverage) << "</td><td>" << number(pair.cost)
         << "</td><td>" << number(100 * judged.value) << " (" << number(100 * judged.low) << " to " << number(100 * judged.high)
         << ")</td></tr>";
  };
  row("chosen", choice.chosen, choice.chosen_judged);
  row("separately best", choice.separate, choice.separate_judged);
  html << "</table><p>Difference: " << number(100 * choice.difference.value) << " points (" << number(100 * choice.difference.low) << " to "
       << number(100 * choice.difference.high) << ", paired).</p>";
  return html.str();
}

}  // namespace

Json to_json(const SearchReport& report) {
  Json json = {{"schema", 1}, {"base", entrant_json(report.base.entrant)}, {"global", nullptr}, {"pair", nullptr}};
  json["base"]["model"] = report.base.path.string();
  if (report.global) {
    json["global"] = entrant_json(report.global->entrant);
    json["global"]["model"] = report.global->path.string();
  }
  if (report.pair) {
    const auto& choice = *report.pair;
    json["pair"] = {{"chosen", pair_json(report, choice.chosen, &choice.chosen_judged)},
                    {"separately_best", pair_json(report, choice.separate, &choice.separate_judged)},
                    {"difference", {{"value", choice.difference.value}, {"low", choice.difference.low}, {"high", choice.difference.high}}}};
    for (const auto& pair : choice.front) json["pair"]["front"].push_back(pair_json(report, pair, nullptr));
  }
  if (report.predictor)
    json["predictor"] = {{"judged", report.predictor->judged},
                         {"kendall_tau_left_out", report.predictor->kendall_tau},
                         {"considered", report.predictor->considered},
                         {"kendall_tau_proposed", report.predictor->kendall_tau_proposed}};
  if (report.base_judged)
    json["base"]["judged"] = {{"value", report.base_judged->value}, {"low", report.base_judged->low}, {"high", report.base_judged->high}};
  for (const auto& one : report.bases) json["bases"].push_back(entrant_json(one));
  json["globals"] = Json::array();
  for (const auto& one : report.globals) json["globals"].push_back(entrant_json(one));
  return json;
}

std::string to_html(const SearchReport& report) {
  std::string html =
      "<!doctype html><html lang='en'><meta charset='utf-8'><meta name='viewport' content='width=device-width'><title>Search</title><style>"
      "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}svg{width:100%;max-width:42rem}"
      "svg text{font-size:12px;fill:currentColor}.grid{stroke:#8884}.early{fill:none;stroke:#26a;stroke-width:1.5}.final{fill:#26a}"
      ".other{fill:#d62}table{border-collapse:collapse}td,th{padding:.2rem .7rem;border-bottom:1px solid #8884;text-align:left}</style>"
      "<h1>Search</h1><p>Accuracies are on images that were held out of the trainings and that all choices were made on: fit the router "
      "and "
      "judge the pair on other images (<code>hedge fit</code>, <code>hedge eval</code>).</p>";
  if (report.predictor)
    html += "<p>Networks of a supernet, judged without training. A predictor learned from " + std::to_string(report.predictor->judged) +
            " of them and was asked about " + std::to_string(report.predictor->considered) +
            " within the limits; it orders networks that it has not seen with Kendall's tau " + number(report.predictor->kendall_tau) +
            ". The first network below is the chosen one: " + number(100 * report.base_judged->value) + " % (" +
            number(100 * report.base_judged->low) + " to " + number(100 * report.base_judged->high) +
            ") of held-out images that it was not chosen by.</p>";
  if (report.pair) html += pairs(report);
  html += networks("Bases", report.bases);
  if (!report.globals.empty()) html += networks("Globals", report.globals);
  return html + "</html>\n";
}

}  // namespace hedge::workflow

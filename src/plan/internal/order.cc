#include "plan/internal/order.h"

#include <algorithm>
#include <optional>
#include <string>

#include "core/json.h"
#include "plan/internal/assets.h"

namespace hedge::plan::internal {
namespace {

/// The latencies of the paper's plot at which its methods are compared, ms.
constexpr double kPaperLatencies_ms[] = {600, 1000, 1400};
constexpr double kPercent = 100.0;

double between(double a, double b, double weight) { return a + weight * (b - a); }

std::optional<double> between(const std::optional<double>& a, const std::optional<double>& b, double weight) {
  if (!a || !b) return std::nullopt;
  return between(*a, *b, weight);
}

/// The line at a latency, straight between its points; behind its slowest that one, as more time than a method takes changes nothing.
std::optional<Ranked> at_latency(const Line& line, double latency_ms) {
  auto points = line.points;
  std::stable_sort(points.begin(), points.end(), [](const Point& a, const Point& b) { return a.cost->latency_ms < b.cost->latency_ms; });
  if (!points.empty() && latency_ms >= points.back().cost->latency_ms)
    return Ranked{.name = line.name, .accuracy = points.back().accuracy, .low = points.back().low, .high = points.back().high};
  for (std::size_t i = 0; i + 1 < points.size(); ++i) {
    const auto& a = points[i];
    const auto& b = points[i + 1];
    if (latency_ms < a.cost->latency_ms || latency_ms > b.cost->latency_ms || a.cost->latency_ms == b.cost->latency_ms) continue;
    const double weight = (latency_ms - a.cost->latency_ms) / (b.cost->latency_ms - a.cost->latency_ms);
    return Ranked{.name = line.name,
                  .accuracy = between(a.accuracy, b.accuracy, weight),
                  .low = between(a.low, b.low, weight),
                  .high = between(a.high, b.high, weight)};
  }
  return std::nullopt;
}

/// Best first; of several lines of one name the best one.
std::vector<Ranked> ranked(std::vector<Ranked> reached) {
  std::stable_sort(reached.begin(), reached.end(), [](const Ranked& a, const Ranked& b) { return a.accuracy > b.accuracy; });
  std::vector<Ranked> rows;
  for (auto& one : reached)
    if (std::none_of(rows.begin(), rows.end(), [&](const Ranked& row) { return row.name == one.name; })) rows.push_back(std::move(one));
  return rows;
}

std::vector<Line> paper_lines(const Json& paper) {
  std::vector<Line> lines;
  for (const auto& [name, points] : paper.at("methods").items()) {
    Line line{.name = name};
    for (const auto& point : points)
      line.points.push_back({.accuracy = point.at(1).get<double>() / kPercent, .cost = Cost{.latency_ms = point.at(0).get<double>()}});
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<Ranked> ranked_at(const std::vector<Line>& lines, double latency_ms) {
  std::vector<Ranked> reached;
  for (const auto& line : lines)
    if (auto one = at_latency(line, latency_ms)) reached.push_back(std::move(*one));
  return ranked(std::move(reached));
}

const Line* find(const std::vector<Line>& lines, const char* name) {
  const auto found = std::find_if(lines.begin(), lines.end(), [name](const Line& line) { return line.name == name; });
  return found == lines.end() ? nullptr : &*found;
}

}  // namespace

Result<std::optional<Order>> order_beside_paper(const std::vector<Line>& lines) {
  const auto* device = find(lines, "on_device");
  const auto* cloud = find(lines, "on_cloud");
  if (device == nullptr || cloud == nullptr) return std::optional<Order>();
  const double fastest = device->points.front().cost->latency_ms;
  const double slowest = cloud->points.front().cost->latency_ms;
  if (slowest <= fastest) return std::optional<Order>();
  HEDGE_TRY(const auto paper, parse_json(assets::paper(), "built-in paper.json"));
  const auto theirs = paper_lines(paper);
  const double paper_base = paper.at("base").at(0).get<double>();
  const double paper_global = paper.at("global").at(0).get<double>();
  Order order{.source = paper.at("source").get<std::string>()};
  for (const double paper_latency_ms : kPaperLatencies_ms) {
    const double relative = (paper_latency_ms - paper_base) / (paper_global - paper_base);
    const double latency_ms = between(fastest, slowest, relative);
    order.rows.push_back({.relative = relative,
                          .latency_ms = latency_ms,
                          .paper_latency_ms = paper_latency_ms,
                          .here = ranked_at(lines, latency_ms),
                          .paper = ranked_at(theirs, paper_latency_ms)});
  }
  return std::optional<Order>(std::move(order));
}

}  // namespace hedge::plan::internal

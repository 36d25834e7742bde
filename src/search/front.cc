#include "search/front.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace hedge::search {
namespace {

/// Of those of `among`, which stay in their order otherwise.
std::vector<std::size_t> front_of(std::span<const Point> points, std::vector<std::size_t> among) {
  std::stable_sort(among.begin(), among.end(), [&](std::size_t a, std::size_t b) {
    return points[a].cost != points[b].cost ? points[a].cost < points[b].cost : points[a].accuracy > points[b].accuracy;
  });
  std::vector<std::size_t> front;
  for (const auto i : among)
    if (front.empty() || points[i].accuracy > points[front.back()].accuracy) front.push_back(i);
  return front;
}

/// Those of a front, cheapest first, by the room between each one's neighbours; its ends have the most.
void order_by_room(std::span<const Point> points, std::vector<std::size_t>& front) {
  if (front.size() < 2) return;
  const auto span_of = [&](double Point::*axis) {
    return std::max(std::abs(points[front.back()].*axis - points[front.front()].*axis), std::numeric_limits<double>::min());
  };
  const double costs = span_of(&Point::cost), accuracies = span_of(&Point::accuracy);
  std::vector<std::pair<double, std::size_t>> room;
  for (std::size_t i = 0; i < front.size(); ++i) {
    double free = std::numeric_limits<double>::infinity();
    if (i > 0 && i + 1 < front.size()) {
      const auto &below = points[front[i - 1]], &above = points[front[i + 1]];
      free = (above.cost - below.cost) / costs + (above.accuracy - below.accuracy) / accuracies;
    }
    room.emplace_back(free, front[i]);
  }
  std::swap(room[1], room.back());  // the most accurate comes first of the two ends
  std::swap(room[0], room[1]);
  std::stable_sort(room.begin(), room.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  for (std::size_t i = 0; i < front.size(); ++i) front[i] = room[i].second;
}

}  // namespace

std::vector<std::size_t> pareto_front(std::span<const Point> points) {
  std::vector<std::size_t> all(points.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return front_of(points, std::move(all));
}

std::vector<std::size_t> order_by_front(std::span<const Point> points) {
  std::vector<std::size_t> left(points.size()), ordered;
  std::iota(left.begin(), left.end(), std::size_t{0});
  while (!left.empty()) {
    auto front = front_of(points, left);
    std::erase_if(left, [&](std::size_t i) { return std::find(front.begin(), front.end(), i) != front.end(); });
    order_by_room(points, front);
    ordered.insert(ordered.end(), front.begin(), front.end());
  }
  return ordered;
}

}  // namespace hedge::search

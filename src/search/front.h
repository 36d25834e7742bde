#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace hedge::search {

/// Where a network stands: more accuracy and less cost are better.
struct Point {
  double accuracy = 0;
  double cost = 0;
};

/// Indices of the points that no other is better than in one and as good as in the other, cheapest first. Of equal points the first.
std::vector<std::size_t> pareto_front(std::span<const Point> points);

/// All indices, best first: front after front, and within a front those first that have most room around them, so that any number of the
/// first covers the range of costs (Deb et al. 2002, "NSGA-II": non-dominated sorting and crowding distance).
std::vector<std::size_t> order_by_front(std::span<const Point> points);

}  // namespace hedge::search

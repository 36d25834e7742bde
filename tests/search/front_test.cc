#include "search/front.h"

#include <gtest/gtest.h>

namespace hedge::search {
namespace {

TEST(Front, has_what_no_other_point_beats) {
  const std::vector<Point> points = {{0.8, 5}, {0.9, 10}, {0.7, 5}, {0.85, 12}, {0.5, 1}, {0.9, 10}, {0.95, 20}};
  EXPECT_EQ(pareto_front(points), (std::vector<std::size_t>{4, 0, 1, 6}));
  EXPECT_TRUE(pareto_front({}).empty());
}

TEST(Front, orders_front_after_front_with_its_ends_first) {
  const std::vector<Point> points = {{0.1, 1}, {0.11, 1.1}, {0.5, 5}, {0.9, 9}, {0.05, 2}, {0.4, 6}};
  EXPECT_EQ(order_by_front(points), (std::vector<std::size_t>{3, 0, 2, 1, 5, 4}));
  EXPECT_EQ(order_by_front(std::vector<Point>{{1, 1}}), (std::vector<std::size_t>{0}));
}

}  // namespace
}  // namespace hedge::search

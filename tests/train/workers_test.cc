#include "train/internal/workers.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <set>
#include <stdexcept>

namespace hedge::train::internal {
namespace {

void expect_plan(ThreadPlan plan, int replicas, int operator_threads) {
  EXPECT_EQ(plan.replicas, replicas);
  EXPECT_EQ(plan.operator_threads, operator_threads);
}

TEST(ThreadPlan, gives_each_thread_a_replica_while_the_batch_is_large_enough) {
  expect_plan(plan_threads(1, 128), 1, 1);
  expect_plan(plan_threads(2, 128), 2, 1);
  expect_plan(plan_threads(8, 128), 8, 1);
  expect_plan(plan_threads(2, 31), 1, 2);  // 15 images are too few
  expect_plan(plan_threads(16, 128), 8, 2);
  expect_plan(plan_threads(12, 128), 6, 2);  // 8 replicas would leave four threads idle
  expect_plan(plan_threads(3, 2), 1, 3);
}

TEST(ThreadPlan, a_small_batch_is_shared_by_fewer_replicas) {
  EXPECT_EQ(replicas_for(128, 4), 4);
  EXPECT_EQ(replicas_for(63, 4), 3);
  EXPECT_EQ(replicas_for(31, 4), 1);
  EXPECT_EQ(replicas_for(1, 4), 1);
}

#ifdef __GLIBC__
TEST(Workers, the_memory_of_a_step_does_not_go_back_to_the_system) {
  const Workers workers({.replicas = 1});
  const auto mapped = mallinfo2().hblkhd;
  const std::vector<char> batch(std::size_t{20} << 20, 1);  // by default each of this size is a mapping of its own
  EXPECT_EQ(mallinfo2().hblkhd, mapped) << batch.size();
}
#endif

TEST(Workers, run_each_part_on_a_thread_of_its_own_that_stays) {
  Workers workers({.replicas = 3});
  std::vector<std::thread::id> first(3), second(3);
  workers.run(3, [&first](std::size_t part) { first[part] = std::this_thread::get_id(); });
  workers.run(3, [&second](std::size_t part) { second[part] = std::this_thread::get_id(); });
  EXPECT_EQ(first, second);
  EXPECT_EQ(first[0], std::this_thread::get_id());
  EXPECT_EQ(std::set<std::thread::id>(first.begin(), first.end()).size(), 3U);
}

TEST(Workers, run_many_times_with_as_many_parts_as_are_asked_for) {
  Workers workers({.replicas = 4});
  for (std::size_t round = 0; round < 2000; ++round) {
    std::vector<std::atomic<int>> calls(4);
    const std::size_t parts = 1 + round % 4;
    workers.run(parts, [&calls](std::size_t part) { ++calls[part]; });
    for (std::size_t part = 0; part < 4; ++part) ASSERT_EQ(calls[part], part < parts ? 1 : 0) << round;
  }
}

TEST(Workers, each_part_has_the_planned_threads_inside_operators_and_the_caller_its_old_ones_afterwards) {
  const OperatorThreads ours(3);
  std::vector<int> threads(2);
  {
    Workers workers({.replicas = 2, .operator_threads = 1});
    workers.run(2, [&threads](std::size_t part) { threads[part] = at::get_num_threads(); });
  }
  EXPECT_EQ(threads, (std::vector<int>{1, 1}));
  EXPECT_EQ(at::get_num_threads(), 3);
}

TEST(Workers, the_first_parts_error_is_thrown_after_all_have_ended_and_the_next_run_works) {
  Workers workers({.replicas = 3});
  std::atomic<int> ended = 0;
  const auto run = [&] {
    workers.run(3, [&ended](std::size_t part) {
      if (part == 0) std::this_thread::sleep_for(std::chrono::milliseconds(20));  // the last to end
      ++ended;
      if (part > 0) throw std::runtime_error("part " + std::to_string(part));
    });
  };
  for (int round = 1; round <= 2; ++round) {
    try {
      run();
      FAIL() << "nothing was thrown";
    } catch (const std::runtime_error& e) {
      EXPECT_STREQ(e.what(), "part 1");
    }
    EXPECT_EQ(ended, 3 * round);
  }
  workers.run(3, [&ended](std::size_t) { ++ended; });
  EXPECT_EQ(ended, 9);
}

}  // namespace
}  // namespace hedge::train::internal

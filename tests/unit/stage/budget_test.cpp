#include <gtest/gtest.h>

#include <thread>

#include "prefixfs/stage/staged_file.h"

namespace prefixfs::stage {
namespace {

TEST(Budget, takes_nothing_when_it_would_exceed) {
  Budget budget(100);
  EXPECT_TRUE(budget.take(60));
  EXPECT_FALSE(budget.take(41));
  EXPECT_EQ(budget.used(), 60U);
  EXPECT_TRUE(budget.take(40));
  EXPECT_FALSE(budget.take(1));
  EXPECT_TRUE(budget.take(0));
  budget.give_back(100);
  EXPECT_EQ(budget.used(), 0U);
  EXPECT_FALSE(budget.take(~0ULL)) << "a sum that wraps around must not pass";
}

TEST(Budget, what_is_on_the_disk_already_is_counted_above_the_maximum) {
  Budget budget(100);
  budget.take_beyond(150);
  EXPECT_EQ(budget.used(), 150U);
  EXPECT_FALSE(budget.take(1));
  budget.give_back(100);
  EXPECT_TRUE(budget.take(50));
  EXPECT_FALSE(budget.take(1));
}

TEST(Budget, threads_never_take_more_than_there_is) {
  Budget budget(1000);
  std::atomic<int> taken{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 1000; ++i) {
          taken += budget.take(1) ? 1 : 0;
        }
      });
    }
  }
  EXPECT_EQ(taken, 1000);
  EXPECT_EQ(budget.used(), 1000U);
}

}  // namespace
}  // namespace prefixfs::stage

#include "lock_waiters.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace prefixfs::fuse {
namespace {

TEST(LockWaitersTest, AsManyWaitAsMayAndAllEndWithIt) {
  std::atomic<int> ended = 0;
  {
    LockWaiters waiters(2);
    const auto wait = [&](const std::stop_token& end) {
      std::promise<void> told;
      const std::stop_callback on_end(end, [&told] { told.set_value(); });
      told.get_future().wait();
      ++ended;
    };
    EXPECT_TRUE(waiters.start(wait));
    EXPECT_TRUE(waiters.start(wait));
    EXPECT_FALSE(waiters.start(wait));
    waiters.end();
    EXPECT_EQ(ended, 2);
    EXPECT_FALSE(waiters.start(wait)) << "nobody would answer it";
  }
  EXPECT_EQ(ended, 2);
}

TEST(LockWaitersTest, OneThatHasEndedMakesPlace) {
  LockWaiters waiters(1);
  for (int turn = 0; turn < 10; ++turn) {
    std::promise<void> done;
    while (!waiters.start([&done](const std::stop_token&) { done.set_value(); })) {
    }
    done.get_future().wait();
  }
}

}  // namespace
}  // namespace prefixfs::fuse

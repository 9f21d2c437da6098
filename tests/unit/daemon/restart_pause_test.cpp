#include "restart_pause.h"

#include <gtest/gtest.h>

namespace prefixfs::daemon {
namespace {

using namespace std::chrono_literals;

TEST(RestartPauseTest, NoneAfterOneThatHasLived) {
  RestartPause pauses;
  EXPECT_EQ(pauses.next(1s), 0ms);
  EXPECT_EQ(pauses.next(24h), 0ms);
}

TEST(RestartPauseTest, DoublesWhileWorkersDieAtOnceUpToHalfAMinute) {
  RestartPause pauses;
  std::chrono::milliseconds expected{100};
  for (int death = 0; death < 9; ++death, expected *= 2) {
    EXPECT_EQ(pauses.next(999ms), expected);
  }
  for (int death = 0; death < 100; ++death) {
    EXPECT_EQ(pauses.next(0ms), 30s);
  }
}

TEST(RestartPauseTest, BeginsAnewAfterOneThatHasLived) {
  RestartPause pauses;
  EXPECT_EQ(pauses.next(5ms), 100ms);
  EXPECT_EQ(pauses.next(5ms), 200ms);
  EXPECT_EQ(pauses.next(2s), 0ms);
  EXPECT_EQ(pauses.next(5ms), 100ms);
}

}  // namespace
}  // namespace prefixfs::daemon

#include "prefixfs/base/clock.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "support/fake_clock.h"

namespace prefixfs {
namespace {

using namespace std::chrono_literals;

TEST(SystemClockTest, TellsTheTimeOfTheMachine) {
  const SystemClock clock;
  const auto before = std::chrono::system_clock::now();
  const WallTime now = clock.now();
  const auto after = std::chrono::system_clock::now();
  EXPECT_LE(before, now);
  EXPECT_LE(now, after);
}

TEST(SystemClockTest, SleepsAtLeastAsLongAsAsked) {
  const SystemClock clock;
  const SteadyTime start = clock.steady();
  EXPECT_TRUE(clock.sleep_for(5ms, {}));
  EXPECT_GE(clock.steady() - start, 5ms);
}

TEST(SystemClockTest, DoesNotSleepForNothingOrLess) {
  const SystemClock clock;
  EXPECT_TRUE(clock.sleep_for(0ns, {}));
  EXPECT_TRUE(clock.sleep_for(-1h, {}));
}

TEST(SystemClockTest, ReturnsAtOnceWhenAlreadyCancelled) {
  const SystemClock clock;
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(clock.sleep_for(std::chrono::nanoseconds::max(), stop.get_token()));
}

TEST(SystemClockTest, WakesWhenCancelled) {
  const SystemClock clock;
  std::stop_source stop;
  std::atomic<bool> result = true;
  std::jthread sleeper([&] { result = clock.sleep_for(std::chrono::nanoseconds::max(), stop.get_token()); });
  stop.request_stop();
  sleeper.join();  // hangs until the timeout of the test program when the request is not seen
  EXPECT_FALSE(result);
}

TEST(FakeClockTest, StandsStillUntilMoved) {
  test::FakeClock clock(WallTime(1'000'000s));
  const SteadyTime start = clock.steady();
  EXPECT_EQ(clock.now(), WallTime(1'000'000s));
  clock.advance(90s);
  EXPECT_EQ(clock.now(), WallTime(1'000'090s));
  EXPECT_EQ(clock.steady() - start, 90s);
}

TEST(FakeClockTest, SettingTheWallClockLeavesTheSteadyOne) {
  test::FakeClock clock;
  const SteadyTime start = clock.steady();
  clock.set_now(WallTime(5s));
  EXPECT_EQ(clock.now(), WallTime(5s));
  EXPECT_EQ(clock.steady(), start);
}

TEST(FakeClockTest, SleepingMovesTimeAndIsNoted) {
  test::FakeClock clock(WallTime(0s));
  std::stop_source stop;
  EXPECT_TRUE(clock.sleep_for(2s, stop.get_token()));
  EXPECT_TRUE(clock.sleep_for(3h, stop.get_token()));
  stop.request_stop();
  EXPECT_FALSE(clock.sleep_for(7s, stop.get_token()));
  EXPECT_EQ(clock.now(), WallTime(3h + 2s));
  EXPECT_EQ(clock.naps(), (std::vector<std::chrono::nanoseconds>{2s, 3h}));
}

}  // namespace
}  // namespace prefixfs

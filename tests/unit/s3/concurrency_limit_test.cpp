#include "concurrency_limit.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "support/fake_clock.h"
#include "support/store_calls.h"

namespace prefixfs::s3 {

using namespace std::chrono_literals;
using test::code_of;

TEST(ConcurrencyLimit, SlowDownHalvesAndSuccessRaises) {
  test::FakeClock clock;
  ConcurrencyLimit limit(64, clock);
  EXPECT_EQ(limit.current(), 64U);
  limit.slow_down();
  EXPECT_EQ(limit.current(), 32U);
  limit.slow_down();  // the same burst
  EXPECT_EQ(limit.current(), 32U);
  clock.advance(1s);
  limit.slow_down();
  EXPECT_EQ(limit.current(), 16U);
  for (int i = 0; i < 10; ++i) {
    clock.advance(1s);
    limit.slow_down();
  }
  EXPECT_EQ(limit.current(), 1U);
  for (int i = 0; i < 10000; ++i) {
    limit.succeeded();
  }
  EXPECT_EQ(limit.current(), 64U);
}

TEST(ConcurrencyLimit, WaitsForAPlace) {
  test::FakeClock clock;
  ConcurrencyLimit limit(1, clock);
  std::atomic<bool> entered = false;
  std::jthread waiter;
  {
    const auto place = limit.enter({});
    ASSERT_TRUE(place);
    waiter = std::jthread([&] { entered = limit.enter({}).has_value(); });
    EXPECT_FALSE(entered);
  }
  waiter.join();
  EXPECT_TRUE(entered);
}

TEST(ConcurrencyLimit, AWaitEndsWithItsContext) {
  test::FakeClock clock;
  ConcurrencyLimit limit(1, clock);
  const auto place = limit.enter({});
  ASSERT_TRUE(place);
  CallContext late;
  late.deadline = clock.steady();
  EXPECT_EQ(code_of(limit.enter(late)), "timeout");
  std::stop_source stop;
  CallContext cancelled;
  cancelled.cancel = stop.get_token();
  std::string code;
  {
    std::jthread waiter([&] { code = code_of(limit.enter(cancelled)); });
    stop.request_stop();
  }
  EXPECT_EQ(code, "cancelled");
}

}  // namespace prefixfs::s3

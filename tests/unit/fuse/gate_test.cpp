#include "gate.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace prefixfs::fuse {
namespace {

using namespace std::chrono_literals;

bool yes() { return true; }
bool no() { return false; }

TEST(GateTest, ClosesOnceAllAreOut) {
  Gate gate(4);
  std::atomic<bool> out{false};
  std::jthread inside;
  {
    auto pass = std::make_shared<Gate::Pass>(gate.pass());
    ASSERT_TRUE(*pass);
    inside = std::jthread([pass, &out] {
      std::this_thread::sleep_for(50ms);
      out = true;
    });
  }
  EXPECT_TRUE(gate.close([&] { return out.load(); }, 10s));
}

TEST(GateTest, WhoWaitsGoesOnWhenItOpensAgain) {
  Gate gate(4);
  std::atomic<bool> closed{false};
  std::jthread closer([&] {
    EXPECT_FALSE(gate.close([&] {
      closed = true;
      return false;
    }, 100ms));
  });
  while (!closed) {
    std::this_thread::yield();
  }
  EXPECT_TRUE(gate.pass());  // after the 100 ms
}

TEST(GateTest, WhoWaitsAtTheEndIsSentAway) {
  Gate gate(4);
  ASSERT_TRUE(gate.close(yes, 1s));
  std::jthread waiter([&] { EXPECT_FALSE(gate.pass()); });
  std::this_thread::sleep_for(20ms);
  gate.send_away();
  waiter.join();
  EXPECT_FALSE(gate.pass());
  EXPECT_FALSE(gate.close(yes, 10s));  // at once
}

TEST(GateTest, NotAllThreadsWait) {
  Gate gate(0);
  ASSERT_TRUE(gate.close(yes, 1s));
  EXPECT_TRUE(gate.pass());
  EXPECT_FALSE(gate.close(no, 1ms));
}

}  // namespace
}  // namespace prefixfs::fuse

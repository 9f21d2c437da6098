#include "prefixfs/base/worker_pool.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <array>
#include <atomic>
#include <future>
#include <latch>
#include <memory>
#include <numeric>
#include <stdexcept>

namespace prefixfs {
namespace {

TEST(WorkerPoolTest, OneThreadKeepsTheOrder) {
  std::vector<int> order;
  {
    WorkerPool pool("order", 1);
    for (int i = 0; i < 100; ++i) {
      pool.submit([&order, i] { order.push_back(i); });
    }
  }
  std::vector<int> expected(100);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(order, expected);
}

TEST(WorkerPoolTest, RunsAsManyAtOnceAsItHasThreads) {
  std::latch all_inside(3);  // opens only when three tasks run together
  WorkerPool pool("together", 3);
  for (int i = 0; i < 3; ++i) {
    pool.submit([&all_inside] { all_inside.arrive_and_wait(); });
  }
  all_inside.wait();
}

TEST(WorkerPoolTest, DestructionRunsWhatIsQueued) {
  std::atomic<int> ran = 0;
  std::promise<void> gate;
  auto pool = std::make_unique<WorkerPool>("queued", 1);
  pool->submit([opened = gate.get_future()]() mutable { opened.wait(); });
  for (int i = 0; i < 10; ++i) {
    pool->submit([&ran] { ++ran; });
  }
  EXPECT_EQ(ran, 0);
  gate.set_value();
  pool.reset();
  EXPECT_EQ(ran, 10);
}

TEST(WorkerPoolTest, WhatIsAheadLeavesThreadsForWhatIsAwaited) {
  std::latch gate(1);
  std::latch three_inside(3);
  std::atomic<int> ahead = 0;
  {
    WorkerPool pool("ahead", 4);
    for (int i = 0; i < 10; ++i) {
      pool.submit(
          [&] {
            if (++ahead <= 3) {
              three_inside.count_down();
            }
            gate.wait();
          },
          Urgency::ahead);
    }
    three_inside.wait();
    std::promise<int> done;
    pool.submit([&done, &ahead] { done.set_value(ahead); });
    EXPECT_EQ(done.get_future().get(), 3);
    gate.count_down();
  }
  EXPECT_EQ(ahead, 10);
}

TEST(WorkerPoolTest, ATaskMaySubmitAnother) {
  std::promise<int> done;
  {
    WorkerPool pool("nested", 1);
    pool.submit([&] { pool.submit([&] { done.set_value(7); }); });
  }
  EXPECT_EQ(done.get_future().get(), 7);
}

TEST(WorkerPoolTest, TakesTasksThatCanOnlyBeMoved) {
  std::atomic<int> value = 0;
  {
    WorkerPool pool("moved", 1);
    pool.submit([owned = std::make_unique<int>(5), &value] { value = *owned; });
  }
  EXPECT_EQ(value, 5);
}

TEST(WorkerPoolTest, SurvivesTasksThatThrowAndTellsOfThem) {
  std::atomic<bool> ran = false;
  testing::internal::CaptureStderr();
  {
    WorkerPool pool("thrower", 1);
    pool.submit([] { throw std::runtime_error("broken task"); });
    pool.submit([] { throw 1; });
    pool.submit([&ran] { ran = true; });
  }
  const std::string told = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(ran);
  EXPECT_EQ(told, "prefixfs: a task of the pool thrower threw: broken task\nprefixfs: a task of the pool thrower threw\n");
}

TEST(WorkerPoolTest, NamesItsThreads) {
  std::array<char, 16> name{};
  {
    WorkerPool pool("a-name-longer-than-15", 1);
    pool.submit([&name] { ::pthread_getname_np(::pthread_self(), name.data(), name.size()); });
  }
  EXPECT_STREQ(name.data(), "a-name-longer-t");
}

TEST(WorkerPoolTest, NoThreadsMeansOne) {
  std::atomic<bool> ran = false;
  {
    WorkerPool pool("zero", 0);
    pool.submit([&ran] { ran = true; });
  }
  EXPECT_TRUE(ran);
}

TEST(WorkerPoolTest, TakesTasksFromManyThreads) {
  std::atomic<int> ran = 0;
  {
    WorkerPool pool("many", 4);
    std::vector<std::jthread> givers;
    for (int i = 0; i < 4; ++i) {
      givers.emplace_back([&] {
        for (int k = 0; k < 500; ++k) {
          pool.submit([&ran] { ++ran; });
        }
      });
    }
  }
  EXPECT_EQ(ran, 2000);
}

}  // namespace
}  // namespace prefixfs

#include "prefixfs/base/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

namespace prefixfs {
namespace {

TEST(ForEachIndex, each_index_comes_once) {
  for (const std::size_t count : {0, 1, 2, 100}) {
    std::vector<std::atomic<int>> calls(count);
    for_each_index(count, 8, [&](std::size_t index) { ++calls[index]; });
    for (const auto& call : calls) {
      EXPECT_EQ(call, 1);
    }
  }
}

TEST(ForEachIndex, no_more_threads_than_allowed) {
  std::mutex mutex;
  std::set<std::thread::id> threads;
  for_each_index(50, 3, [&](std::size_t) {
    const std::lock_guard lock(mutex);
    threads.insert(std::this_thread::get_id());
  });
  EXPECT_LE(threads.size(), 3u);
  EXPECT_FALSE(threads.contains(std::this_thread::get_id()));
}

TEST(ForEachIndex, one_alone_needs_no_thread) {
  std::thread::id ran;
  for_each_index(1, 8, [&](std::size_t) { ran = std::this_thread::get_id(); });
  EXPECT_EQ(ran, std::this_thread::get_id());
}

}  // namespace
}  // namespace prefixfs

#include "prefixfs/base/parallel.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace prefixfs {

void for_each_index(std::size_t count, std::size_t threads_max, const std::function<void(std::size_t)>& work) {
  if (count == 1) {
    work(0);
    return;
  }
  std::atomic<std::size_t> next = 0;
  const auto take_turns = [&] {
    for (std::size_t index = next++; index < count; index = next++) {
      work(index);
    }
  };
  std::vector<std::jthread> threads;
  while (threads.size() < std::min(threads_max, count)) {
    threads.emplace_back(take_turns);
  }
}

}  // namespace prefixfs

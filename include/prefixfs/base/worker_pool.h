#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace prefixfs {

/// A fixed number of threads for fan-out (parts of an upload, read-ahead). Tasks run in the order they were given, and must not
/// wait for other tasks of the same pool. Destruction runs what is queued, then joins.
class WorkerPool {
 public:
  /// `name` shows in ps -L, at most 15 bytes.
  WorkerPool(std::string name, std::size_t threads);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// Thread-safe; never blocks. Callers bound what they have in flight themselves.
  void submit(std::move_only_function<void()> task);

 private:
  void run();

  std::string name_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::move_only_function<void()>> tasks_;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace prefixfs

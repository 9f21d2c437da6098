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

enum class Urgency {
  awaited,  ///< somebody waits for it
  ahead,    ///< nobody does yet
};

/// A fixed number of threads for fan-out (parts of an upload, read-ahead). Tasks of one urgency run in the order they were given, and must not
/// wait for other tasks of the same pool. Those that are awaited come first, and find a quarter of the threads free of others. Destruction runs what
/// is queued, then joins.
class WorkerPool {
 public:
  /// `name` shows in ps -L, at most 15 bytes.
  WorkerPool(std::string name, std::size_t threads);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// Thread-safe; never blocks. Callers bound what they have in flight themselves.
  void submit(std::move_only_function<void()> task, Urgency urgency = Urgency::awaited);

 private:
  using Task = std::move_only_function<void()>;
  void run();
  bool may_run_ahead_locked() const;

  std::string name_;
  const std::size_t ahead_max_;  ///< of `ahead_` so many run at once
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<Task> awaited_;
  std::deque<Task> ahead_;
  std::size_t ahead_running_ = 0;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace prefixfs

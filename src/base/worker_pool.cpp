#include "prefixfs/base/worker_pool.h"

#include <pthread.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <system_error>
#include <utility>

namespace prefixfs {
namespace {

// A bug or std::bad_alloc in one task must not take the mount away from everybody, and must not pass unseen.
void run_guarded(const std::string& pool, std::move_only_function<void()>& task) {
  try {
    task();
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "prefixfs: a task of the pool %s threw: %s\n", pool.c_str(), exception.what());
  } catch (...) {
    std::fprintf(stderr, "prefixfs: a task of the pool %s threw\n", pool.c_str());
  }
}

}  // namespace

WorkerPool::WorkerPool(std::string name, std::size_t threads) : name_(std::move(name)), ahead_max_(std::max<std::size_t>(threads - threads / 4, 1)) {
  name_.resize(std::min<std::size_t>(name_.size(), 15));  // pthread_setname_np refuses more
  threads_.reserve(std::max<std::size_t>(threads, 1));
  do {
    try {
      threads_.emplace_back([this] { run(); });
    } catch (const std::system_error& error) {
      if (threads_.empty()) {
        throw;
      }
      // At the limit of threads a smaller pool is slower, not wrong.
      std::fprintf(stderr, "prefixfs: the pool %s has %zu threads instead of %zu: %s\n", name_.c_str(), threads_.size(), threads,
                   error.what());
      return;
    }
  } while (threads_.size() < threads);
}

WorkerPool::~WorkerPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ready_.notify_all();
  threads_.clear();  // joins before the queue and its mutex go
}

void WorkerPool::submit(std::move_only_function<void()> task, Urgency urgency) {
  {
    const std::lock_guard lock(mutex_);
    (urgency == Urgency::ahead ? ahead_ : awaited_).push_back(std::move(task));
  }
  ready_.notify_one();
}

bool WorkerPool::may_run_ahead_locked() const { return !ahead_.empty() && ahead_running_ < ahead_max_; }

void WorkerPool::run() {
  ::pthread_setname_np(::pthread_self(), name_.c_str());
  std::unique_lock lock(mutex_);
  for (;;) {
    ready_.wait(lock, [this] { return stopping_ || !awaited_.empty() || may_run_ahead_locked(); });
    const bool ahead = awaited_.empty();
    if (ahead && !may_run_ahead_locked()) {
      return;  // what is still queued is run by those who are at it
    }
    {
      auto& tasks = ahead ? ahead_ : awaited_;
      Task task = std::move(tasks.front());
      tasks.pop_front();
      ahead_running_ += ahead ? 1 : 0;
      lock.unlock();
      run_guarded(name_, task);
    }  // what the task holds is let go outside of the lock too
    lock.lock();
    ahead_running_ -= ahead ? 1 : 0;
  }
}

}  // namespace prefixfs

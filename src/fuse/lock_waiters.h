#pragma once
// Calls that wait for a lock, perhaps for hours: in threads of their own, so that libfuse's stay for the others.

#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>

namespace prefixfs::fuse {

/// Thread-safe.
class LockWaiters {
 public:
  explicit LockWaiters(unsigned waiting_max) : waiting_max_(waiting_max) {}
  ~LockWaiters() { end(); }
  LockWaiters(const LockWaiters&) = delete;
  LockWaiters& operator=(const LockWaiters&) = delete;

  /// Runs `wait` in a thread; its token tells when nobody serves any more. False: as many wait already as may.
  bool start(std::function<void(std::stop_token)> wait);
  /// Stops all that wait, and returns when they have ended.
  void end();

 private:
  const unsigned waiting_max_;
  std::stop_source stop_;
  std::mutex mutex_;
  std::condition_variable left_;
  unsigned waiting_ = 0;
};

}  // namespace prefixfs::fuse

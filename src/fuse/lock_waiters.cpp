#include "lock_waiters.h"

#include <system_error>
#include <thread>

namespace prefixfs::fuse {

bool LockWaiters::start(std::function<void(std::stop_token)> wait) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_ == waiting_max_ || stop_.stop_requested()) {
      return false;
    }
    ++waiting_;
  }
  const auto leave = [this] {
    const std::lock_guard lock(mutex_);
    --waiting_;
    left_.notify_all();
  };
  try {
    std::thread([this, leave, wait = std::move(wait)] {
      wait(stop_.get_token());
      leave();
    }).detach();  // end() waits for it
  } catch (const std::system_error&) {
    leave();
    return false;
  }
  return true;
}

void LockWaiters::end() {
  stop_.request_stop();
  std::unique_lock lock(mutex_);
  left_.wait(lock, [this] { return waiting_ == 0; });
}

}  // namespace prefixfs::fuse

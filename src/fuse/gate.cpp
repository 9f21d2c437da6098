#include "gate.h"

namespace prefixfs::fuse {

Gate::Pass Gate::pass() {
  std::unique_lock lock(mutex_);
  if (state_ == State::closed && waiting_ < waiting_max_) {
    ++waiting_;
    changed_.wait(lock, [this] { return state_ != State::closed; });
    --waiting_;
  }
  if (state_ == State::ended) {
    return Pass(nullptr);
  }
  ++inside_;
  return Pass(this);
}

void Gate::leave() {
  const std::lock_guard lock(mutex_);
  --inside_;
  changed_.notify_all();
}

bool Gate::close(const std::function<bool()>& done, std::chrono::milliseconds limit) {
  constexpr std::chrono::milliseconds kLook{5};
  const auto end = std::chrono::steady_clock::now() + limit;
  std::unique_lock lock(mutex_);
  state_ = state_ == State::open ? State::closed : state_;
  while (state_ == State::ended || inside_ > 0 || !done()) {
    if (state_ == State::ended) {
      return false;
    }
    if (std::chrono::steady_clock::now() >= end) {
      state_ = State::open;
      changed_.notify_all();
      return false;
    }
    changed_.wait_for(lock, kLook);
  }
  return true;
}

void Gate::send_away() {
  const std::lock_guard lock(mutex_);
  state_ = State::ended;
  changed_.notify_all();
}

}  // namespace prefixfs::fuse

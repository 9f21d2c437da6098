#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <vector>

#include "prefixfs/base/clock.h"

namespace prefixfs::test {

/// A clock that stands still until the test moves it. Sleeping moves it too, and takes no time. Thread-safe.
class FakeClock final : public Clock {
 public:
  FakeClock() = default;
  explicit FakeClock(WallTime now) : now_(now) {}

  WallTime now() const override {
    const std::lock_guard lock(mutex_);
    return now_;
  }
  SteadyTime steady() const override {
    const std::lock_guard lock(mutex_);
    return steady_;
  }
  /// Advances both times at once and notes the nap; false, without a nap, when `cancel` is already asked for.
  bool sleep_for(std::chrono::nanoseconds duration, std::stop_token cancel) const override {
    if (cancel.stop_requested()) {
      return false;
    }
    std::unique_lock lock(mutex_);
    naps_.push_back(duration);
    if (!held_) {
      move(duration);
      return true;
    }
    const SteadyTime end = steady_ + std::chrono::duration_cast<SteadyTime::duration>(duration);
    return moved_.wait(lock, cancel, [&] { return !held_ || steady_ >= end; });
  }
  /// From now on who sleeps waits until the test has moved the clock that far (true), or sleeps as before (false).
  void hold_naps(bool on) {
    const std::lock_guard lock(mutex_);
    held_ = on;
    moved_.notify_all();
  }

  /// Sets the wall clock, as an administrator would: the steady one does not notice.
  void set_now(WallTime now) {
    const std::lock_guard lock(mutex_);
    now_ = now;
  }
  void advance(std::chrono::nanoseconds duration) {
    const std::lock_guard lock(mutex_);
    move(duration);
  }
  std::vector<std::chrono::nanoseconds> naps() const {
    const std::lock_guard lock(mutex_);
    return naps_;
  }

 private:
  void move(std::chrono::nanoseconds duration) const {
    now_ += duration;
    steady_ += std::chrono::duration_cast<SteadyTime::duration>(duration);
    moved_.notify_all();
  }

  mutable std::mutex mutex_;
  mutable std::condition_variable_any moved_;
  bool held_ = false;
  // Not 0, so that "never" and "now" differ.
  mutable WallTime now_ = std::chrono::sys_days(std::chrono::year(2026) / 11 / 21);
  // Where the real one stands: waits on a condition variable measure their deadlines by that.
  mutable SteadyTime steady_ = std::chrono::steady_clock::now();
  mutable std::vector<std::chrono::nanoseconds> naps_;
};

}  // namespace prefixfs::test

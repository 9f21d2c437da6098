#pragma once
// Before another program takes over: whoever would change what is stored waits, those who have begun go on.

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <utility>

namespace prefixfs::fuse {

/// Thread-safe.
class Gate {
 public:
  /// At most so many wait: others are needed for those who go on.
  explicit Gate(unsigned waiting_max) : waiting_max_(waiting_max) {}

  /// One that was let in, until it is destroyed.
  class Pass {
   public:
    explicit Pass(Gate* gate) : gate_(gate) {}
    Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Pass& operator=(Pass&&) = delete;
    ~Pass() {
      if (gate_ != nullptr) {
        gate_->leave();
      }
    }
    /// False: the request stays unanswered, and the next worker gets it.
    explicit operator bool() const { return gate_ != nullptr; }

   private:
    Gate* gate_;
  };
  /// Waits while it is closed.
  Pass pass();

  /// From now on nobody is let in. True once all are out and `done()` says so; false, and open again, when that takes longer than `limit`;
  /// false after send_away().
  bool close(const std::function<bool()>& done, std::chrono::milliseconds limit);
  /// Those who wait are not let in any more.
  void send_away();

 private:
  enum class State { open, closed, ended };
  void leave();

  const unsigned waiting_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  State state_ = State::open;
  unsigned inside_ = 0;
  unsigned waiting_ = 0;
};

}  // namespace prefixfs::fuse

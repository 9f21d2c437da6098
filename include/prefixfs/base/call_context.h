#pragma once
// How long a call may take, and who may stop it.

#include <algorithm>
#include <atomic>
#include <stop_token>

#include "prefixfs/base/clock.h"

namespace prefixfs {

/// A deadline that counts only the time in which nothing moved: whoever moves the bytes of a call postpones it by the time that took.
/// All attempts of one call share it, so an outage takes its time once, and a slow line is no outage. Thread-safe.
class MovingDeadline {
 public:
  explicit MovingDeadline(SteadyTime first) : ticks_(first.time_since_epoch().count()) {}
  SteadyTime get() const { return SteadyTime(SteadyTime::duration(ticks_.load())); }
  void postpone(SteadyTime::duration spent_on_progress) { ticks_ += spent_on_progress.count(); }

 private:
  std::atomic<SteadyTime::rep> ticks_;
};

/// Travels down with every call that may wait. A callee may shorten the deadline for what it calls, never extend it.
struct CallContext {
  SteadyTime deadline = SteadyTime::max();  ///< then the call fails with Errc::timeout
  std::stop_token cancel;                   ///< then the call fails with Errc::cancelled
  /// Null, or a second deadline besides the fixed one. Lives at least as long as the call.
  MovingDeadline* moving = nullptr;

  /// The earlier of the two deadlines, as it is at this moment.
  SteadyTime until() const { return moving == nullptr ? deadline : std::min(deadline, moving->get()); }
};

}  // namespace prefixfs
